import { CodePointClass, codePointClasses } from './unicode.ts'

/**
 * The last position after `from` and up to `to` where a piece ends in every encoding, whatever surrounds it; `from`
 * where there is none. A text may be cut there and its parts counted separately.
 */
export function lastBorder(text: string, from: number, to: number): number {
  for (let position = Math.min(to, text.length - 1); position > from + 1; position--) {
    const before = text.charCodeAt(position - 1)
    const after = text.charCodeAt(position)
    if (before === lineFeed ? endsLine(text.charCodeAt(position - 2), after) : endsWord(before, after)) return position
  }
  return from
}

/** A line feed alone between other characters; but o200k_base groups line ends and slashes. */
function endsLine(before: number, after: number): boolean {
  return !isSpace(before) && !isSpace(after) && after !== SLASH
}

/** After a letter or a digit: what continues neither a word nor a number and starts no contraction. */
function endsWord(last: number, after: number): boolean {
  const lastClass = codePointClasses[last]!
  if (lastClass === CodePointClass.other || lastClass === CodePointClass.mark || isSpace(last)) return false
  return (
    isSpace(after) || (codePointClasses[after] === CodePointClass.other && after !== APOSTROPHE && !isSurrogate(after))
  )
}

function isSpace(unit: number): boolean {
  return codePointClasses[unit] === CodePointClass.space
}

function isSurrogate(unit: number): boolean {
  return (unit & 0xf800) === 0xd800
}

const lineFeed = 0x0a
const APOSTROPHE = 0x27
const SLASH = 0x2f
