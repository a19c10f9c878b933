import { CodePointClass, codePointClasses } from './unicode.ts'

/**
 * The end of the piece that starts at `from`. `bytes` is well-formed UTF-8 and the text ends at `end`; a piece is one
 * match of the encoding's pattern, and merging never crosses its bounds.
 */
export type NextPiece = (bytes: Uint8Array, from: number, end: number) => number

/**
 * The pieces of o200k_base. A word is an optional first sign, capitals, small letters and a contraction, where letters
 * without case count as both; the pattern's backtracking is written out as the cases in which it succeeds:
 *
 *     [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
 *     [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
 *     \p{N}{1,3}      ?[^\s\p{L}\p{N}]+[\r\n/]*     \s*[\r\n]+     \s+(?!\S)     \s+
 */
export function nextO200kPiece(bytes: Uint8Array, from: number, end: number): number {
  const first = classAt(bytes, from)
  if (first === NUMBER) return numberEnd(bytes, from, end)
  const isWordStart = inWord[first] === 1
  const isNewline = bytes[from] === lineFeed || bytes[from] === carriageReturn
  if (isWordStart || !isNewline) {
    const wordStart = isWordStart ? from : from + width(bytes[from]!)
    const wordEnd = cappedWordEnd(bytes, wordStart, end)
    if (wordEnd > wordStart) return wordEnd + contractionLength(bytes, wordEnd, end)
  }
  const signsEnd = otherSignsEnd(bytes, from, end)
  if (signsEnd === from) return spaceEnd(bytes, from, end)
  let last = signsEnd
  while (last < end && (bytes[last] === lineFeed || bytes[last] === carriageReturn || bytes[last] === SLASH)) last++
  return last
}

/**
 * The pieces of cl100k_base: a contraction is a piece of its own, and a mark is a sign, not a part of a word.
 *
 *     (?i:'s|'t|'re|'ve|'m|'ll|'d)     [^\r\n\p{L}\p{N}]?\p{L}+
 *     \p{N}{1,3}      ?[^\s\p{L}\p{N}]+[\r\n]*     \s*[\r\n]+     \s+(?!\S)     \s+
 */
export function nextCl100kPiece(bytes: Uint8Array, from: number, end: number): number {
  const contraction = contractionLength(bytes, from, end)
  if (contraction > 0) return from + contraction
  const first = classAt(bytes, from)
  if (first === NUMBER) return numberEnd(bytes, from, end)
  const isLetter = letterBit[first] === 1
  const isNewline = bytes[from] === lineFeed || bytes[from] === carriageReturn
  if (isLetter || !isNewline) {
    const lettersStart = isLetter ? from : from + width(bytes[from]!)
    let lettersEnd = lettersStart
    while (lettersEnd < end && letterBit[classAt(bytes, lettersEnd)] === 1) lettersEnd += width(bytes[lettersEnd]!)
    if (lettersEnd > lettersStart) return lettersEnd
  }
  const signsEnd = otherSignsEnd(bytes, from, end)
  if (signsEnd === from) return spaceEnd(bytes, from, end)
  let last = signsEnd
  while (last < end && (bytes[last] === lineFeed || bytes[last] === carriageReturn)) last++
  return last
}

/** The end of uppercase followed by lowercase letters, of uppercase up to the last caseless letter, or of uppercase alone. */
function cappedWordEnd(bytes: Uint8Array, from: number, end: number): number {
  let position = from
  // ASCII alone nearly always decides, and has no caseless letters.
  while (position < end && bytes[position]! >= 0x41 && bytes[position]! <= 0x5a) position++
  while (position < end && bytes[position]! >= 0x61 && bytes[position]! <= 0x7a) position++
  if (position === end || bytes[position]! < 0x80) return position
  position = from
  let afterCaseless = from
  while (position < end) {
    const codePointClass = classAt(bytes, position)
    if (codePointClass === LOWER) {
      while (position < end && inTail[classAt(bytes, position)] === 1) position += width(bytes[position]!)
      return position
    }
    if (inWord[codePointClass] === 0) break
    position += width(bytes[position]!)
    if (codePointClass !== UPPER) afterCaseless = position
  }
  return afterCaseless > from ? afterCaseless : position
}

function numberEnd(bytes: Uint8Array, from: number, end: number): number {
  let position = from
  for (let digits = 0; digits < 3 && position < end && classAt(bytes, position) === NUMBER; digits++)
    position += width(bytes[position]!)
  return position
}

/** The end of ` ?[^\s\p{L}\p{N}]+`, or `from` where there is none. */
function otherSignsEnd(bytes: Uint8Array, from: number, end: number): number {
  const start = bytes[from] === SPACE ? from + 1 : from
  let position = start
  while (position < end && isSign[classAt(bytes, position)] === 1) position += width(bytes[position]!)
  return position > start ? position : from
}

/** Whitespace up to its last newline; without one, all of it but the last character, which starts the next piece. */
function spaceEnd(bytes: Uint8Array, from: number, end: number): number {
  let position = from
  let last = from
  let afterNewline = from
  while (position < end && classAt(bytes, position) === WHITE_SPACE) {
    last = position
    position += width(bytes[position]!)
    if (bytes[last] === lineFeed || bytes[last] === carriageReturn) afterNewline = position
  }
  if (afterNewline > from) return afterNewline
  return position === end || last === from ? position : last
}

/** The bytes of `(?i:'s|'t|'re|'ve|'m|'ll|'d)` at `from`, or 0. */
function contractionLength(bytes: Uint8Array, from: number, end: number): number {
  if (from + 1 >= end || bytes[from] !== APOSTROPHE) return 0
  const first = bytes[from + 1]! | caseBit
  if (first === letterS || first === letterT || first === letterM || first === letterD) return 2
  if (from + 2 >= end) return 0
  // Case-insensitively, the long s (U+017F) is an s.
  if (bytes[from + 1] === 0xc5 && bytes[from + 2] === 0xbf) return 3
  const second = bytes[from + 2]! | caseBit
  if (second === letterE && (first === letterR || first === letterV)) return 3
  return first === letterL && second === letterL ? 3 : 0
}

function classAt(bytes: Uint8Array, position: number): number {
  const lead = bytes[position]!
  return codePointClasses[lead < 0x80 ? lead : codePointAt(bytes, position, lead)]!
}

function codePointAt(bytes: Uint8Array, position: number, lead: number): number {
  if (lead < 0xe0) return ((lead & 0x1f) << 6) | (bytes[position + 1]! & 0x3f)
  if (lead < 0xf0) return ((lead & 0x0f) << 12) | ((bytes[position + 1]! & 0x3f) << 6) | (bytes[position + 2]! & 0x3f)
  const high = ((lead & 0x07) << 18) | ((bytes[position + 1]! & 0x3f) << 12)
  return high | ((bytes[position + 2]! & 0x3f) << 6) | (bytes[position + 3]! & 0x3f)
}

function width(lead: number): number {
  if (lead < 0x80) return 1
  if (lead < 0xe0) return 2
  return lead < 0xf0 ? 3 : 4
}

const {
  upper: UPPER,
  lower: LOWER,
  caseless: CASELESS,
  mark: MARK,
  number: NUMBER,
  space: WHITE_SPACE,
} = CodePointClass

/** One entry per class: 1 where the class is among those named. */
const among = (...named: number[]) => Uint8Array.from({ length: 8 }, (_, index) => (named.includes(index) ? 1 : 0))
const letterBit = among(UPPER, LOWER, CASELESS)
const inWord = among(UPPER, LOWER, CASELESS, MARK)
const inTail = among(LOWER, CASELESS, MARK)
const isSign = among(CodePointClass.other, MARK)

const lineFeed = 0x0a
const carriageReturn = 0x0d
const SPACE = 0x20
const APOSTROPHE = 0x27
const SLASH = 0x2f
const caseBit = 0x20
const letterD = 0x64
const letterE = 0x65
const letterL = 0x6c
const letterM = 0x6d
const letterR = 0x72
const letterS = 0x73
const letterT = 0x74
const letterV = 0x76
