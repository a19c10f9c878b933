import { finalize } from '../chance.ts'

/** Which of several lists of lower-case words a word is in, by the hash that `readText` gives it. */
export function indexWords(lists: readonly (readonly string[])[]): ReadonlyMap<number, readonly number[]> {
  const index = new Map<number, number[]>()
  for (const [list, words] of lists.entries()) {
    for (const word of words) index.set(hashWord(word), [...(index.get(hashWord(word)) ?? []), list])
  }
  return index
}

/** Must equal what `readText` computes for the same word. */
function hashWord(word: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < word.length; index++) hash = Math.imul(hash ^ word.charCodeAt(index), 0x01000193)
  return finalize(hash) | 0
}
