/**
 * An English word without endings that do not change its topic: `caches`, `cached`, `caching` are one. Deliberately
 * lighter than Porter's: code words that merely look alike (`general`, `generate`) must stay apart.
 */
export function stem(word: string): string {
  if (word.length < 5 || !/^[a-z]+$/.test(word)) return word
  let stemmed = singular(word)
  if (stemmed.endsWith('ing') && stemmed.length > 6) stemmed = undoubled(stemmed.slice(0, -3))
  else if (stemmed.endsWith('ed') && stemmed.length > 5 && !stemmed.endsWith('eed')) {
    stemmed = undoubled(stemmed.slice(0, -2))
  }
  return stemmed.endsWith('e') && stemmed.length > 4 ? stemmed.slice(0, -1) : stemmed
}

function singular(word: string): string {
  if (word.endsWith('ies') && word.length > 5) return `${word.slice(0, -3)}y`
  if (/(?:sse|she|che|xe|ze)s$/.test(word)) return word.slice(0, -2)
  return word.endsWith('s') && !/(?:ss|us|is)$/.test(word) ? word.slice(0, -1) : word
}

function undoubled(word: string): string {
  return /([bdfgmnprt])\1$/.test(word) ? word.slice(0, -1) : word
}
