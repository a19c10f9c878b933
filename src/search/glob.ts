/** Says whether a whole path, with forward slashes, fits a pattern. */
export type GlobMatcher = (path: string) => boolean

export interface GlobOptions {
  /** Whether the pattern may start after any slash of the path. */
  anywhere?: boolean
  /** Nothing but stars is special, and two cross slashes wherever they are: what people type into a search. */
  starsOnly?: boolean
}

/**
 * Compiles `*`, `?`, `[a-z]`, `[!a-z]`, `**` and backslashes as in .gitignore files. The time of a match grows with the product
 * of both lengths at most, where a regular expression of twenty stars takes minutes.
 */
export function compileGlob(pattern: string, options: GlobOptions = {}): GlobMatcher {
  const tokens = [
    ...(options.anywhere === true ? [folders] : []),
    ...(options.starsOnly === true ? starTokens(pattern) : tokensOf(pattern)),
  ]
  return quickMatcher(tokens) ?? (path => simulate(tokens, path))
}

type Token =
  | { kind: 'character'; code: number }
  /** Any character but a slash. */
  | { kind: 'any' }
  | { kind: 'class'; has: (code: number) => boolean }
  /** Any number of characters, but no slash. */
  | { kind: 'star' }
  /** Any number of any characters. */
  | { kind: 'rest' }
  /** Any number of folders, each with its slash. */
  | { kind: 'folders' }

const folders: Token = { kind: 'folders' }
const slash = 47

function starTokens(pattern: string): Token[] {
  return pattern.split(/(\*\*+\/?|\*)/).flatMap((piece): Token[] => {
    if (piece === '*') return [{ kind: 'star' }]
    if (piece.startsWith('**')) return [{ kind: 'rest' }]
    return piece.split('').map(letter => ({ kind: 'character', code: letter.charCodeAt(0) }))
  })
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = []
  for (let position = 0; position < pattern.length;) {
    const stars = starsAt(pattern, position)
    if (stars > 0) {
      const starts = position === 0 || pattern[position - 1] === '/'
      const end = position + stars
      if (stars > 1 && starts && pattern[end] === '/') {
        if (tokens.at(-1)?.kind !== 'folders') tokens.push(folders)
        position = end + 1
        continue
      }
      const rest = stars > 1 && starts && end === pattern.length
      tokens.push({ kind: rest ? 'rest' : 'star' })
      position = end
      continue
    }
    const character = pattern[position]!
    const set = character === '[' ? classAt(pattern, position) : undefined
    if (set !== undefined) {
      tokens.push({ kind: 'class', has: set.has })
      position = set.end
    } else if (character === '?') {
      tokens.push({ kind: 'any' })
      position++
    } else {
      if (character === '\\' && position + 1 < pattern.length) position++
      tokens.push({ kind: 'character', code: pattern.charCodeAt(position) })
      position++
    }
  }
  return tokens
}

function starsAt(pattern: string, position: number): number {
  let end = position
  while (pattern[end] === '*') end++
  return end - position
}

/** The set of characters that starts at a bracket; undefined where the bracket is never closed and stands for itself. */
function classAt(pattern: string, position: number): { has: (code: number) => boolean; end: number } | undefined {
  let next = position + 1
  const negated = pattern[next] === '!' || pattern[next] === '^'
  if (negated) next++
  const ranges: [number, number][] = []
  for (let first = true; first || pattern[next] !== ']'; first = false) {
    if (pattern[next] === '\\') next++
    if (next >= pattern.length) return undefined
    const from = pattern.charCodeAt(next++)
    const isRange = pattern[next] === '-' && next + 1 < pattern.length && pattern[next + 1] !== ']'
    if (isRange && pattern[next + 1] === '\\') next++
    ranges.push([from, isRange ? pattern.charCodeAt(next + 1) : from])
    if (isRange) next += 2
  }
  return {
    has: code => code !== slash && ranges.some(([from, to]) => from <= code && code <= to) !== negated,
    end: next + 1,
  }
}

/** Most patterns are a name or `*.extension` at any depth. */
function quickMatcher([first, second, ...others]: readonly Token[]): GlobMatcher | undefined {
  if (first?.kind !== 'folders' || second === undefined) return undefined
  const literal = (second.kind === 'star' ? others : [second, ...others]).map(token =>
    token.kind === 'character' && token.code !== slash ? String.fromCharCode(token.code) : undefined,
  )
  if (literal.includes(undefined)) return undefined
  const text = literal.join('')
  if (second.kind === 'star') return path => path.endsWith(text) && path.lastIndexOf('/') < path.length - text.length
  return path => path.endsWith(text) && (path.length === text.length || path[path.length - text.length - 1] === '/')
}

/** Reads the path once, with every place in the pattern that what was read so far may lead to. */
function simulate(tokens: readonly Token[], path: string): boolean {
  let current: number[] = []
  let next: number[] = []
  /** The number of characters read when a place was last added to `next`. */
  const added = new Int32Array(tokens.length + 1).fill(-1)
  let read = 0
  const add = (place: number) => {
    for (let position = place; added[position] !== read; position++) {
      added[position] = read
      next.push(position)
      // These may stand for nothing at all.
      const kind = tokens[position]?.kind
      if (kind !== 'star' && kind !== 'rest' && kind !== 'folders') break
    }
  }
  add(0)
  while (read < path.length && next.length > 0) {
    const code = path.charCodeAt(read++)
    ;[current, next] = [next, current]
    next.length = 0
    for (const place of current) {
      const token = tokens[place]
      if (token === undefined) continue
      if (token.kind === 'folders') {
        if (code === slash) add(place)
        else if (added[place] !== read) {
          added[place] = read
          next.push(place)
        }
      } else if (token.kind === 'rest' || (token.kind === 'star' && code !== slash)) add(place)
      else if (fits(token, code)) add(place + 1)
    }
  }
  return read === path.length && next.includes(tokens.length)
}

function fits(token: Token, code: number): boolean {
  if (token.kind === 'character') return token.code === code
  if (token.kind === 'class') return token.has(code)
  return token.kind === 'any' && code !== slash
}
