const classes: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
  word: '\\w',
}

/** The members of POSIX classes, as they may stand inside brackets. */
export function posixClass(name: string): string {
  const members = classes[name]
  if (members === undefined) throw new Error(`invalid character class: [:${name}:]`)
  return members
}

/**
 * A JavaScript expression equal to a POSIX one. In the basic dialect `+ ? | ( ) { }` are ordinary unless escaped, in the
 * extended (and awk's) dialect it is the other way round.
 */
export function posixRegExp(pattern: string, dialect: 'basic' | 'extended', flags = ''): RegExp {
  let source = ''
  for (let at = 0; at < pattern.length; at++) {
    const letter = pattern[at]!
    if (letter === '[') {
      const end = bracketEnd(pattern, at)
      source += bracket(pattern.slice(at + 1, end))
      at = end
    } else if (letter === '\\') {
      const next = pattern[++at] ?? '\\'
      if (next === '<' || next === '>') source += '\\b'
      else if (dialect === 'basic' && '+?|(){}'.includes(next)) source += next
      else source += /[A-Za-z0-9]/.test(next) && !/[wWsSbBdDnt1-9]/.test(next) ? next : `\\${next}`
    } else if (dialect === 'basic' && '+?|(){}'.includes(letter)) source += `\\${letter}`
    else if (letter === '*' && (source === '' || source === '^')) source += '\\*'
    else if (dialect === 'extended' && letter === '{' && !/^\{\d*,?\d*\}/.test(pattern.slice(at))) source += '\\{'
    else source += letter
  }
  return new RegExp(source, flags)
}

function bracketEnd(pattern: string, start: number): number {
  let at = start + 1
  if (pattern[at] === '^') at++
  // A closing bracket in the first place is a member.
  if (pattern[at] === ']') at++
  while (at < pattern.length && pattern[at] !== ']')
    at = pattern.startsWith('[:', at) ? pattern.indexOf(':]', at) + 2 : at + 1
  if (at >= pattern.length) throw new Error('unmatched [ in the pattern')
  return at
}

function bracket(inside: string): string {
  const negated = inside.startsWith('^')
  const members = (negated ? inside.slice(1) : inside)
    .split(/(\[:\w+:\])/)
    .map(part =>
      part.startsWith('[:')
        ? posixClass(part.slice(2, -2))
        : part
            .replace(/\\(?![nt\]\\/dwsDWS.-])/g, '\\\\')
            .replace(/[[\]]/g, '\\$&')
            .replaceAll('\\\\]', '\\]'),
    )
    .join('')
  return `[${negated ? '^' : ''}${members}]`
}
