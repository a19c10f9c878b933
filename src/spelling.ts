import { distance } from 'fastest-levenshtein'

/** Damerau-Levenshtein distance: insertions, deletions, substitutions and swaps of adjacent letters between two words. */
export function editDistance(a: string, b: string): number {
  const edits = distance(a, b)
  return edits === 2 && isSwap(a, b) ? 1 : edits
}

function isSwap(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let first = 0
  while (a[first] === b[first]) first++
  return a[first] === b[first + 1] && a[first + 1] === b[first] && a.slice(first + 2) === b.slice(first + 2)
}

/** Minimum share of letters in common for a suggestion. */
const minLikeness = 0.5
/** A shorter string is part of too many names. */
const minPartChars = 3

/** Longer names are compared by their beginning only. */
const maxChars = 200

/** The entries of `names` that `name` may be a misspelling of, likeliest first: similar, or one contained in the other. */
export function nearestNames(name: string, names: readonly string[], limit: number): string[] {
  const wanted = name.slice(0, maxChars)
  return names
    .map(other => ({ other, likeness: Math.max(likeness(wanted, other), likeness(wanted, lastPart(other))) }))
    .filter(({ likeness }) => likeness >= minLikeness)
    .sort((a, b) => b.likeness - a.likeness || (a.other < b.other ? -1 : 1))
    .slice(0, limit)
    .map(({ other }) => other)
}

/** From 0 to 1. */
function likeness(a: string, b: string): number {
  const [left, right] = [a.toLowerCase(), b.toLowerCase()]
  const [shorter, longer] = left.length <= right.length ? [left, right] : [right, left]
  if (longer === '') return 1
  const share = shorter.length / longer.length
  if (shorter.length >= minPartChars && longer.includes(shorter)) return (1 + share) / 2
  return 1 - editDistance(left, right) / longer.length
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}
