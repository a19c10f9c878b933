import type { Language } from './languages.ts'

/** Where the lines of a text start and how far each is indented. */
export interface Lines {
  /** Offset of each line's first character. */
  starts: readonly number[]
  /** Columns of leading whitespace, a tab counting four; -1 for a blank line. */
  indents: readonly number[]
}

/** A definition with the lines it covers, zero-based and inclusive, and its nested definitions. */
export interface Definition {
  name: string
  /** Includes the comments and decorators directly above. */
  first: number
  last: number
  inner: Definition[]
}

export function linesOf(text: string): Lines {
  const starts: number[] = []
  const indents: number[] = []
  for (let start = 0; start < text.length;) {
    let position = start
    let indent = 0
    for (; ; position++) {
      const code = text.charCodeAt(position)
      if (code === 32) indent += 1
      else if (code === 9) indent += 4
      else break
    }
    const newline = text.indexOf('\n', position)
    const end = newline < 0 ? text.length : newline
    const blank = position >= end || (position === end - 1 && text.charCodeAt(position) === 13)
    starts.push(start)
    indents.push(blank ? -1 : indent)
    start = end + 1
  }
  return { starts, indents }
}

/**
 * The definitions of a text as a tree. A definition extends to the line before the next one at its depth or less that
 * does not merely close or continue it: indentation shows this in every formatted language.
 */
export function outlineOf(text: string, lines: Lines, language: Language): Definition[] {
  const found = findDefinitions(text, lines, language)
  const top: Definition[] = []
  const open: { definition: Definition; depth: number }[] = []
  let next = 0
  let lastFilled = -1
  for (let line = 0; line < lines.indents.length; line++) {
    const starting = found[next]?.line === line ? found[next++] : undefined
    const depth = starting?.depth ?? (language.kind === 'prose' ? Infinity : lines.indents[line]!)
    if (depth < 0) continue
    while (open.length > 0) {
      const innermost = open[open.length - 1]!
      if (depth > innermost.depth) break
      if (depth === innermost.depth && starting === undefined && continues(text, lines.starts[line]!)) break
      innermost.definition.last = lastFilled
      open.pop()
    }
    if (starting !== undefined) {
      const definition = { name: starting.name, first: line, last: line, inner: [] }
      const siblings = open[open.length - 1]?.definition.inner ?? top
      definition.first = line - introduction(text, lines, line, depth, siblings[siblings.length - 1]?.last ?? -1)
      siblings.push(definition)
      open.push({ definition, depth })
    }
    lastFilled = line
  }
  for (const { definition } of open) definition.last = lastFilled
  return top
}

interface Found {
  line: number
  depth: number
  name: string
}

function findDefinitions(text: string, lines: Lines, language: Language): Found[] {
  const pattern = language.definitions
  if (pattern === undefined) return []
  const found: Found[] = []
  let line = 0
  for (const match of text.matchAll(pattern)) {
    while (line + 1 < lines.starts.length && lines.starts[line + 1]! <= match.index) line++
    if (found[found.length - 1]?.line === line) continue
    const captured = match.slice(1).filter(capture => capture !== undefined)
    const depth = language.kind === 'prose' ? match[0].search(/[^#]/) : lines.indents[line]!
    found.push({ line, depth, name: flat(captured.join('.')) })
  }
  return found
}

// A slice would reference the whole file's text and keep all of it in memory.
function flat(text: string): string {
  return Buffer.from(text).toString()
}

const continuation = /[ \t]*(?:[)\]}{#]|(?:end|else|elsif|elif|rescue|ensure|then|do|begin|in|where|catch|finally)\b)/y

function continues(text: string, start: number): boolean {
  continuation.lastIndex = start
  return continuation.test(text)
}

const maxIntroductionLines = 24
const introducing = /[ \t]*(?:\/\/|\/\*|\*|#|@|--|\[|"""|template\b)/y

/** How many lines directly above a definition belong to it: its comments, decorators and attributes. */
function introduction(text: string, lines: Lines, line: number, depth: number, floor: number): number {
  let count = 0
  for (let above = line - 1; above > floor && count < maxIntroductionLines; above--) {
    introducing.lastIndex = lines.starts[above]!
    const indent = lines.indents[above]!
    if (indent < depth || indent > depth + 1 || !introducing.test(text)) break
    count++
  }
  return count
}
