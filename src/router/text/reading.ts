import { finalize } from '../chance.ts'
import { cueCount, cuesOf } from './cues.ts'
import { emptyTally, styleOf, tallyMark, tallyWord, type StyleTally } from './style.ts'

/** What is computed from a prompt's text: its tokens, and figures about its form. */
export interface Reading {
  /** One hash per word or punctuation mark, in order; case is ignored. */
  tokens: Int32Array
  /** `figureCount` numbers; see `figures` for their order. */
  figures: Float64Array
  /** `styleCount` numbers on how it is written; see `styleOf`. */
  style: Float64Array
  /** Share of the letters that are not ASCII, 0..1. */
  foreignShare: number
}

/** Characters read of a text: all of a short one, the first and last half of this of a long one. */
const readCharacters = 2048

const formFigures = 31
export const figureCount = formFigures + cueCount

/**
 * Reads a text once, without regular expressions over its length. A text of more than `readCharacters` is read at both
 * ends, where instructions stand, so that the time of a decision has a bound; its true length is still a figure.
 */
export function readText(text: string): Reading {
  const excerpt = excerptOf(text)
  const options = findOptions(excerpt)
  const questionEnd = options[0]?.start ?? excerpt.length
  const scan = scanTokens(excerpt, questionEnd)
  return {
    tokens: scan.tokens,
    figures: describe(text, excerpt, questionEnd, options, scan),
    style: styleOf(scan.style, scan.distinctWords),
    foreignShare: scan.foreign / Math.max(1, scan.letters),
  }
}

/** All that is read of a text, apart from its length. */
export function excerptOf(text: string): string {
  if (text.length <= readCharacters) return text
  return `${text.slice(0, readCharacters / 2)}\n${text.slice(text.length - readCharacters / 2)}`
}

interface Span {
  start: number
  end: number
}

/** The answers of a multiple choice question: two or more lines that start with `A. `, `B) `, ... in order. */
function findOptions(text: string): Span[] {
  const starts: number[] = []
  for (let position = text.indexOf('\n'); position >= 0; position = text.indexOf('\n', position + 1)) {
    const mark = text.charCodeAt(position + 2)
    const expected = 0x41 + starts.length
    if (text.charCodeAt(position + 1) === expected && (mark === 0x2e || mark === 0x29) && starts.length < 10)
      starts.push(position)
  }
  if (starts.length < 2) return []
  const answer = text.indexOf('\nAnswer:', starts.at(-1))
  return starts.map((start, index) => ({ start, end: starts[index + 1] ?? (answer < 0 ? text.length : answer) }))
}

interface Scan {
  tokens: Int32Array
  words: number
  distinctWords: number
  letters: number
  longWords: number
  shortWords: number
  numbers: number
  questionNumbers: number
  distinctNumbers: number
  largestNumber: number
  digits: number
  capitals: number
  marks: number
  mathMarks: number
  questionSentences: number
  foreign: number
  /** Distinct words that start with a capital inside a sentence: names, mostly. */
  names: number
  shouting: number
  years: number
  cues: Float64Array
  style: StyleTally
}

const other = 0
const letter = 1
const digit = 2
const space = 3
const mark = 4
const mathMark = 5

const classes = new Uint8Array(128).map((_, code) => {
  const character = String.fromCharCode(code)
  if (/[a-zA-Z_]/.test(character)) return letter
  if (/[0-9]/.test(character)) return digit
  if (code <= 0x20) return space
  return '=+*/^<>'.includes(character) ? mathMark : mark
})

const vowels = Uint8Array.from({ length: 128 }, (_, code) => ('aeiouy'.includes(String.fromCharCode(code)) ? 1 : 0))

function emptyScan(tokens: Int32Array): Scan {
  return {
    tokens,
    words: 0,
    distinctWords: 0,
    letters: 0,
    longWords: 0,
    shortWords: 0,
    numbers: 0,
    questionNumbers: 0,
    distinctNumbers: 0,
    largestNumber: 0,
    digits: 0,
    capitals: 0,
    marks: 0,
    mathMarks: 0,
    questionSentences: 0,
    foreign: 0,
    names: 0,
    shouting: 0,
    years: 0,
    cues: new Float64Array(cueCount),
    style: emptyTally(),
  }
}

function scanTokens(text: string, questionEnd: number): Scan {
  const tokens = new Int32Array(text.length)
  const distinct = new Set<number>()
  const distinctNumbers = new Set<number>()
  const names = new Set<number>()
  const scan = emptyScan(tokens)
  let count = 0
  let position = 0
  let sentenceStart = true
  while (position < text.length) {
    const code = text.charCodeAt(position)
    const kind = code < 128 ? classes[code]! : other
    const part = position < questionEnd ? 0 : 1
    if (kind === space) {
      if (code === 0x0a) tallyMark(scan.style, code, part)
      position++
      continue
    }
    if (kind === mark || kind === mathMark) {
      scan.marks++
      tallyMark(scan.style, code, part)
      if (kind === mathMark) scan.mathMarks++
      const ends = code === 0x2e || code === 0x21 || code === 0x3f
      if (ends && position < questionEnd && !(text.charCodeAt(position + 1) > 0x20)) scan.questionSentences++
      sentenceStart = ends
      tokens[count++] = finalize(code)
      position++
      continue
    }
    const start = position
    let hash = 0x811c9dc5
    let capitals = 0
    let digits = 0
    let foreign = 0
    let tail = 0
    let syllables = 0
    let inVowels = false
    while (position < text.length) {
      const here = text.charCodeAt(position)
      const what = here < 128 ? classes[here]! : other
      if (what === space || what === mark || what === mathMark) break
      let folded = here
      if (here >= 0x41 && here <= 0x5a) {
        capitals++
        folded = here | 0x20
      } else if (what === digit) digits++
      else if (what === other) foreign++
      hash = Math.imul(hash ^ folded, 0x01000193)
      tail = (tail << 8) | folded
      const isVowel = folded < 128 && vowels[folded] === 1
      if (isVowel && !inVowels) syllables++
      inVowels = isVowel
      position++
    }
    const token = finalize(hash) | 0
    tokens[count++] = token
    const length = position - start
    scan.capitals += capitals
    scan.foreign += foreign
    scan.digits += digits
    if (digits > 0) {
      scan.numbers++
      if (start < questionEnd) scan.questionNumbers++
      distinctNumbers.add(token)
      const value = digits === length && length < 10 ? Number(text.slice(start, position)) : 0
      if (value > scan.largestNumber) scan.largestNumber = value
      if (length === 4 && value >= 1500 && value < 2100) scan.years++
    }
    if (digits < length) {
      scan.words++
      scan.letters += length
      if (length > 9) scan.longWords++
      else if (length < 4) scan.shortWords++
      distinct.add(token)
      if (capitals === length && length > 2) scan.shouting++
      if (capitals === 1 && length > 1 && !sentenceStart && start < questionEnd) names.add(token)
      const cues = cuesOf(token)
      if (cues !== undefined) for (const cue of cues) scan.cues[cue]!++
      tallyWord(scan.style, { token, letters: length, tail, syllables }, part)
    }
    sentenceStart = false
  }
  scan.tokens = tokens.subarray(0, count)
  scan.distinctWords = distinct.size
  scan.distinctNumbers = distinctNumbers.size
  scan.names = names.size
  return scan
}

function describe(text: string, excerpt: string, questionEnd: number, options: readonly Span[], scan: Scan) {
  const length = excerpt.length + 1
  const words = scan.words + 1
  const optionLengths = options.map(({ start, end }) => end - start)
  const meanOption = mean(optionLengths)
  const question = excerpt.slice(0, questionEnd).trim()
  const last = question.at(-1)
  const form = [
    Math.log1p(text.length),
    Math.log1p(questionEnd + text.length - excerpt.length),
    Math.log1p(meanOption),
    Math.log1p(Math.sqrt(mean(optionLengths.map(value => (value - meanOption) ** 2)))),
    Math.log1p(scan.numbers),
    Math.log1p(scan.questionNumbers),
    mean(options.map(option => (letterShare(excerpt, option) < 1 ? 1 : 0))),
    mean(options.map(option => (letterShare(excerpt, option) <= 0.35 ? 1 : 0))),
    scan.digits / length,
    scan.marks / length,
    scan.capitals / length,
    scan.letters / words,
    scan.distinctWords / words,
    Math.log1p(scan.questionSentences),
    scan.mathMarks / length,
    Math.log1p(scan.mathMarks),
    Math.min(scan.shouting, 3),
    question.includes('__') ? 1 : 0,
    last === '?' ? 1 : 0,
    last === ':' ? 1 : 0,
    question.includes('Statement 1') ? 1 : 0,
    question.includes('refers to the following') ? 1 : 0,
    question.length > 0 && question[0] !== question[0]!.toUpperCase() ? 1 : 0,
    scan.longWords / words,
    scan.shortWords / words,
    scan.numbers / words,
    scan.foreign > 0 ? 1 : 0,
    excerpt.includes('\\') ? 1 : 0,
    Math.min(scan.years, 2),
    options.length,
    Math.log1p(scan.names),
  ]
  const figures = new Float64Array(figureCount)
  figures.set(form)
  for (let cue = 0; cue < cueCount; cue++) figures[formFigures + cue] = Math.log1p(scan.cues[cue]!)
  return figures
}

/** The share of an option's visible characters that are letters; its own `A.` is left out. 1 without any. */
function letterShare(text: string, { start, end }: Span): number {
  let letters = 0
  let visible = 0
  for (let position = start + 3; position < end; position++) {
    const code = text.charCodeAt(position)
    const kind = code < 128 ? classes[code]! : letter
    if (kind === space) continue
    visible++
    if (kind === letter) letters++
  }
  return visible === 0 ? 1 : letters / visible
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
