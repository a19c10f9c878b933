/** Longer phrases are cut: what people search for is shorter. */
const maxPhraseChars = 500

/**
 * The offset of a phrase in a text, both in lower case; -1 where it is absent. Any whitespace in one matches any whitespace in
 * the other. Knuth, Morris and Pratt's search: its time does not depend on what the text repeats.
 */
export function indexOfPhrase(text: string, phrase: string): number {
  const sought = phrase.trim().replaceAll(/\s+/g, ' ').slice(0, maxPhraseChars)
  if (sought === '') return -1
  const fallback = fallbacksOf(sought)
  let matched = 0
  let inSpace = false
  for (let position = 0; position < text.length; position++) {
    const code = text.charCodeAt(position)
    const isSpace = code <= 32 || (code >= 0xa0 && /\s/.test(text[position]!))
    if (isSpace && inSpace) continue
    inSpace = isSpace
    const read = isSpace ? 32 : code
    while (matched > 0 && sought.charCodeAt(matched) !== read) matched = fallback[matched - 1]!
    if (sought.charCodeAt(matched) === read) matched++
    if (matched === sought.length) return startOf(text, position, sought.length)
  }
  return -1
}

/** For each length of a beginning that matched: the longest beginning that it also ends with. */
function fallbacksOf(sought: string): Uint16Array {
  const fallback = new Uint16Array(sought.length)
  let length = 0
  for (let position = 1; position < sought.length; position++) {
    while (length > 0 && sought[position] !== sought[length]) length = fallback[length - 1]!
    if (sought[position] === sought[length]) length++
    fallback[position] = length
  }
  return fallback
}

/** Where a match of `length` characters that ends at `last` starts; a run of whitespace counts as one. */
function startOf(text: string, last: number, length: number): number {
  let start = last
  for (let left = length - 1; left > 0; left--) {
    const wasSpace = /\s/.test(text[start]!)
    start--
    if (wasSpace) while (/\s/.test(text[start]!)) start--
  }
  return start
}
