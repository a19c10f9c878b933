/**
 * The last place after `from` and up to `to` where a piece ends in every encoding, whatever stands around it; `from`
 * where there is none. Such a place is after a letter and before a sign that neither continues a word nor a contraction.
 */
export function lastBorder(text: string, from: number, to: number): number {
  for (let at = Math.min(to, text.length - 1); at > from; at--) {
    if (isSign(text.charCodeAt(at)) && isLetter(text.charCodeAt(at - 1))) return at
  }
  return from
}

/** White space and punctuation that is common in prose and code: ASCII without the apostrophe, and Chinese. */
function isSign(unit: number): boolean {
  if (unit < 0x80) return ASCII_SIGNS.includes(unit)
  return unit === 0x3001 || unit === 0x3002 || unit === 0xff0c
}

/** ASCII, kana, Chinese characters and Hangul: unchanged since long before the Unicode edition of any encoding. */
function isLetter(unit: number): boolean {
  if (unit < 0x80) return (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a)
  return RANGES.some(([first, last]) => unit >= first && unit <= last)
}

const ASCII_SIGNS = Buffer.from('\n\t !"(),-./:;<=>?[]_{}', 'latin1')
const RANGES = [
  [0x3041, 0x3096],
  [0x30a1, 0x30fa],
  [0x4e00, 0x9fff],
  [0xac00, 0xd7a3],
] as const
