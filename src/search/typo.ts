import { lettersOf, type Segment } from './segment-file.ts'

/**
 * Terms that name something and are nearest to one that does not exist, at most `limit`, nearest first. The first letter
 * is taken to be right, as it nearly always is; that leaves a twentieth of the terms to look at.
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
      const distance = editDistance(term, text, allowed)
      if (distance <= allowed) found.set(text, distance)
    }
  }
  return [...found]
    .sort((a, b) => a[1] - b[1] || sharedStart(term, b[0]) - sharedStart(term, a[0]))
    .slice(0, limit)
    .map(([text]) => text)
}

/** The first of the sorted symbols that is not before a text. */
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

/** Insertions, deletions, changes and swaps of neighbours between two words; anything above `limit` is `limit + 1`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let before: number[] = []
  let last: number[] = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    let least = row
    for (let column = 1; column <= b.length; column++) {
      const same = a.charCodeAt(row - 1) === b.charCodeAt(column - 1)
      let cost = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1))
      const swapped =
        row > 1 &&
        column > 1 &&
        a.charCodeAt(row - 1) === b.charCodeAt(column - 2) &&
        a.charCodeAt(row - 2) === b.charCodeAt(column - 1)
      if (swapped) cost = Math.min(cost, before[column - 2]! + 1)
      current.push(cost)
      if (cost < least) least = cost
    }
    if (least > limit) return limit + 1
    before = last
    last = current
  }
  return last[b.length]!
}
