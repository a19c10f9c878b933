import { editDistance } from '../spelling.ts'
import { lettersOf, type Segment } from './segment-file.ts'

/**
 * Terms that name something and are nearest to a term that does not exist, at most `limit`, nearest first. The first
 * letter is assumed to be right, as it nearly always is; that leaves a twentieth of the terms to compare.
 */
export function nearestTerms(term: string, segments: readonly Segment[], limit: number): string[] {
  if (term.length < 4 || !/[a-z]/.test(term)) return []
  const allowed = term.length < 8 ? 1 : 2
  const wanted = lettersOf(term)
  const found = new Map<string, number>()
  for (const segment of segments) {
    const letters = segment.symbolLetters()
    const textOf = segment.symbolReader()
    const from = firstFrom(textOf, letters.length, term[0]!)
    const to = firstFrom(textOf, letters.length, String.fromCharCode(term.charCodeAt(0) + 1))
    for (let symbol = from; symbol < to; symbol++) {
      const other = letters[symbol]!
      if (Math.abs((other >>> 27) - (wanted >>> 27)) > allowed) continue
      // One edit changes at most two letters of the set.
      if (ones((other ^ wanted) & letterBits) > allowed * 2) continue
      const text = textOf(symbol)
      if (found.has(text)) continue
      const distance = editDistance(term, text)
      if (distance <= allowed) found.set(text, distance)
    }
  }
  return [...found]
    .sort((a, b) => a[1] - b[1] || sharedStart(term, b[0]) - sharedStart(term, a[0]))
    .slice(0, limit)
    .map(([text]) => text)
}

/** Index of the first of the sorted symbols that is not before a text. */
function firstFrom(textOf: (symbol: number) => string, count: number, text: string): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if (textOf(middle) < text) low = middle + 1
    else high = middle
  }
  return low
}

const letterBits = 0x07ff_ffff

function ones(bits: number): number {
  let left = bits
  let count = 0
  for (; left !== 0; count++) left &= left - 1
  return count
}

function sharedStart(a: string, b: string): number {
  let shared = 0
  while (shared < a.length && a[shared] === b[shared]) shared++
  return shared
}
