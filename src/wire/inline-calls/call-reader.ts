import { dialects, type Dialect, type Offered } from './dialects.ts'
import type { TextSegment, TextReader } from './text-reader.ts'

/** Maximum number of characters held back while they might still become a call. */
const maxBuffered = 128 * 1024
/**
 * Maximum number of characters examined for one answer. Openings inside openings would make reading quadratic; an answer
 * that takes more than this holds no call, or is made to be slow, and its rest is content.
 */
const maxExamined = 1.5 * 1024 * 1024
/** What an opening costs that turns out to be none. */
const attemptCost = 500
/** Growth, as a fraction, before held text is parsed again: parsing at every character would be quadratic. */
const growth = 1.25

/**
 * Finds calls of offered tools in streamed text. Text that cannot begin a call is passed on at once; text that might is
 * held until it is known to be a call or not. The result does not depend on how the text is split into pieces.
 */
export function createInlineCallReader(offered: Offered): TextReader {
  let held = ''
  let opened: Dialect | undefined
  /** Length of `held` at which parsing it again is worthwhile. */
  let readFrom = 0
  let began = false
  let found = false
  let gap = ''
  let off = false
  let examined = 0

  const spend = (characters: number) => (examined += characters) <= maxExamined

  /** Whitespace around calls is not content. */
  const asContent = (text: string): TextSegment[] => {
    if (text === '') return []
    began ||= text.trim() !== ''
    if (!found) return [{ content: text }]
    if (text.trim() === '') {
      gap += text
      return []
    }
    const content = gap + text
    gap = ''
    found = false
    return [{ content }]
  }

  const letGo = (length: number): TextSegment[] => {
    const text = held.slice(0, length)
    held = held.slice(length)
    opened = undefined
    return asContent(text)
  }

  const read = (dialect: Dialect, over: boolean, whole: boolean): TextSegment[] | undefined => {
    const text = held.slice(0, maxBuffered)
    const complete = text.length === held.length
    spend(attemptCost)
    const reading = dialect.read(text, { offered, ended: over && whole && complete, spend })
    const read = typeof reading === 'string' ? undefined : reading
    if (dialect.last === true && read !== undefined) spend(held.length - read.end)
    const misplaced = dialect.last === true && read !== undefined && held.slice(read.end).trim() !== ''
    if (reading === 'never' || misplaced) return letGo(1)
    if (read === undefined || (dialect.last === true && !over)) {
      if (over || held.length >= maxBuffered) return letGo(read === undefined ? text.length : held.length)
      readFrom = held.length * growth
      return undefined
    }
    held = held.slice(read.end)
    opened = undefined
    found = true
    began = true
    gap = ''
    return read.calls.map(call => ({ call }))
  }

  /** Parses the next segment of the held text; undefined when more text is needed. */
  const step = (over: boolean, whole: boolean): TextSegment[] | undefined => {
    if (held === '') return undefined
    if (!spend(0)) {
      off = true
      return letGo(held.length)
    }
    if (opened !== undefined) return over || held.length >= readFrom ? read(opened, over, whole) : undefined
    const { position, dialect } = nextOpening(held, began)
    if (dialect === undefined) {
      const free = over ? held.length : held.length - promising(held)
      return free === 0 ? undefined : letGo(free)
    }
    const before = letGo(position)
    opened = dialect
    readFrom = 0
    return before
  }

  const advance = (over: boolean, whole: boolean): TextSegment[] => {
    const segments: TextSegment[] = []
    for (let next = step(over, whole); next !== undefined; next = step(over, whole)) segments.push(...next)
    return joined(segments)
  }

  return {
    push(text) {
      if (off) return [{ content: text }]
      held += text
      return advance(false, false)
    },
    end: whole => advance(true, whole),
    served(what) {
      if (what === 'reasoning' || off) return []
      off = true
      return letGo(held.length)
    },
    settled: () => off,
  }
}

const known = dialects()
const anywhere = known.filter(({ first }) => first !== true)
const atFirst = known.filter(({ first }) => first === true)
const anyOpening = new RegExp(anywhere.flatMap(({ openings }) => openings.map(escaped)).join('|'))
const openings = anywhere.flatMap(dialect => dialect.openings)
const longestOpening = Math.max(...openings.map(({ length }) => length))
const firstLetters = new Set(openings.map(opening => opening[0]!))

/** Index of the first opening; the length of the text where there is none. */
function nextOpening(text: string, began: boolean): { position: number; dialect: Dialect | undefined } {
  const start = text.length - text.trimStart().length
  const first = began ? undefined : atFirst.find(each => each.openings.some(opening => text.startsWith(opening, start)))
  if (first !== undefined) return { position: start, dialect: first }
  const position = text.search(anyOpening)
  if (position < 0) return { position: text.length, dialect: undefined }
  const dialect = anywhere.find(each => each.openings.some(opening => text.startsWith(opening, position)))
  return { position, dialect }
}

/** Number of trailing characters that could be the start of an opening. */
function promising(text: string): number {
  for (let position = Math.max(0, text.length - longestOpening + 1); position < text.length; position += 1) {
    if (firstLetters.has(text[position]!) && openings.some(opening => opening.startsWith(text.slice(position)))) {
      return text.length - position
    }
  }
  return 0
}

/** Merges adjacent content segments. */
function joined(segments: readonly TextSegment[]): TextSegment[] {
  return segments.reduce<TextSegment[]>((before, each) => {
    const last = before.at(-1)
    if (last !== undefined && 'content' in last && 'content' in each) last.content += each.content
    else before.push({ ...each })
    return before
  }, [])
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
