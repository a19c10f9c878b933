import { hashStep } from './identifier-table.ts'
import { identifierPattern } from './words.ts'
import type { Language } from './languages.ts'

/**
 * Called for each identifier of a text in order, with its position, its hash by `hashStep` or `notAscii` if it contains
 * other characters, and whether it is in a comment.
 */
export type SeeIdentifier = (start: number, end: number, hash: number | typeof notAscii, inComment: boolean) => void
export const notAscii = undefined

/**
 * Scans a text once and reports its identifiers. Comments are recognized well enough to weigh them: a quote hides
 * comment marks up to its partner on the same line, and a mark inside a URL or a word does not count.
 */
export function scan(text: string, language: Language, onIdentifier: SeeIdentifier): void {
  const marks = commentMarks(language)
  const length = text.length
  let commentEnd = -1
  let quoteEnd = -1
  for (let position = 0; position < length;) {
    const code = text.charCodeAt(position)
    const kind = code < 128 ? kinds[code]! : wide
    if (kind === wordCharacter) {
      const start = position
      let end = position
      let hash = 0
      let next = code
      do {
        hash = hashStep(hash, next)
        next = ++end < length ? text.charCodeAt(end) : 0
      } while (kinds[next] === wordCharacter)
      if (next >= 128) position = seeWide(text, start, position < commentEnd, onIdentifier)
      else {
        if (end - start < maxIdentifierLength) onIdentifier(start, end, hash, start < commentEnd)
        position = end
      }
    } else if (kind === wide) position = seeWide(text, position, position < commentEnd, onIdentifier)
    else {
      if (kind === markCharacter && position >= commentEnd && position >= quoteEnd) {
        const end = endOfComment(text, position, code, marks)
        if (end > position) commentEnd = end
        else if (code === doubleQuote || code === singleQuote || code === backQuote)
          quoteEnd = endOfQuote(text, position, code)
      }
      position++
    }
  }
}

/** Longer runs are encoded data. */
const maxIdentifierLength = 256
const wordCharacter = 1
const markCharacter = 2
const wide = 3
const doubleQuote = 34
const singleQuote = 39
const backQuote = 96

const kinds = new Uint8Array(128)
for (const character of '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$') {
  kinds[character.charCodeAt(0)] = wordCharacter
}
for (const character of '/#-<"\'`=*;%') kinds[character.charCodeAt(0)] = markCharacter

/** Whether a character code can be part of an identifier; all non-ASCII characters are assumed to. */
export function isWordCharacter(code: number): boolean {
  return code >= 128 || kinds[code] === wordCharacter
}

/** A run with non-ASCII letters; also skips the non-ASCII characters that are not letters. */
function seeWide(text: string, start: number, inComment: boolean, onIdentifier: SeeIdentifier): number {
  let end = start
  while (end < text.length && end - start < 4096) {
    const code = text.charCodeAt(end)
    if (code < 128 && kinds[code] !== wordCharacter) break
    end++
  }
  const run = text.slice(start, end)
  for (const match of run.matchAll(identifierPattern)) {
    if (match[0].length < maxIdentifierLength) {
      onIdentifier(start + match.index, start + match.index + match[0].length, notAscii, inComment)
    }
  }
  return end
}

interface Marks {
  line: readonly string[]
  block: readonly (readonly [string, string])[]
}

function commentMarks(language: Language): Marks {
  return { line: language.lineComments ?? [], block: language.blockComments ?? [] }
}

function endOfComment(text: string, position: number, code: number, marks: Marks): number {
  for (const [open, close] of marks.block) {
    if (code !== open.charCodeAt(0) || !text.startsWith(open, position)) continue
    const end = text.indexOf(close, position + open.length)
    return end < 0 ? text.length : end + close.length
  }
  for (const mark of marks.line) {
    if (code !== mark.charCodeAt(0) || !text.startsWith(mark, position)) continue
    const before = position === 0 ? 10 : text.charCodeAt(position - 1)
    if (before !== 10 && before !== 32 && before !== 9 && mark === '#') continue
    if (before === 58) continue
    const end = text.indexOf('\n', position)
    return end < 0 ? text.length : end
  }
  return -1
}

function endOfQuote(text: string, position: number, quote: number): number {
  for (let end = position + 1; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code === quote) return end + 1
    if (code === 10) return -1
    if (code === 92) end++
  }
  return -1
}
