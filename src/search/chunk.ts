import type { Definition, Lines } from './outline.ts'

/** A range of lines indexed and shown as one result: usually a function. Lines are zero-based and inclusive. */
export interface Chunk {
  first: number
  last: number
  /** Dotted path of the definition that it is, starts with, or lies in; empty outside any. */
  symbol: string
  /** Names defined in it, and the names of the enclosing definitions. */
  names: string[]
}

/** Chunks shorter than this are merged with a neighbor, as far as the chunk size allows. */
const minLines = 6

/** Splits a text into chunks of at most `size` lines along its definitions; every non-blank line is in exactly one. */
export function chunksOf(lines: Lines, outline: readonly Definition[], size: number): Chunk[] {
  const pieces: Chunk[] = []
  cut({ first: 0, last: lines.starts.length - 1, path: [] }, outline, { lines, size, pieces })
  return joinSmall(pieces, size)
}

/** Lines to be cut, and the names of the definitions around them. */
interface Section {
  first: number
  last: number
  path: readonly string[]
}

interface Cutting {
  lines: Lines
  size: number
  /** Gets what was cut, in order. */
  pieces: Chunk[]
}

function cut({ first, last, path }: Section, inner: readonly Definition[], cutting: Cutting): void {
  const { size, pieces } = cutting
  let from = first
  for (const definition of inner) {
    cutPlain({ first: from, last: definition.first - 1, path }, cutting)
    const here = [...path, definition.name]
    if (definition.last - definition.first < size) {
      const chunk = { first: definition.first, last: definition.last, symbol: here.join('.'), names: [...path] }
      collectNames(definition, chunk.names)
      pieces.push(chunk)
    } else cut({ first: definition.first, last: definition.last, path: here }, definition.inner, cutting)
    from = definition.last + 1
  }
  cutPlain({ first: from, last, path }, cutting)
}

function collectNames(definition: Definition, names: string[]): void {
  names.push(definition.name)
  for (const inner of definition.inner) collectNames(inner, names)
}

/** Lines without definitions: cut where a blank line or the least indentation offers a seam. */
function cutPlain({ first, last, path }: Section, { lines, size, pieces }: Cutting): void {
  let from = first
  while (from <= last && lines.indents[from] === -1) from++
  let to = last
  while (to >= from && lines.indents[to] === -1) to--
  while (from <= to) {
    const end = to - from < size ? to : seam(lines, from + (size >> 1), from + size - 1)
    pieces.push({ first: from, last: end, symbol: path.join('.'), names: [...path] })
    from = end + 1
    while (from <= to && lines.indents[from] === -1) from++
  }
}

/** The last line of a chunk that must end between two lines: the one before the least indented line after a blank one. */
function seam(lines: Lines, earliest: number, latest: number): number {
  let best = latest
  let bestCost = Infinity
  for (let line = latest; line >= earliest; line--) {
    const next = lines.indents[line + 1] ?? 0
    const cost = next === -1 ? -1 : next * 2 + (lines.indents[line] === -1 ? 0 : 3)
    if (cost < bestCost) {
      best = line
      bestCost = cost
    }
  }
  return best
}

function joinSmall(pieces: readonly Chunk[], size: number): Chunk[] {
  const chunks: Chunk[] = []
  for (const piece of pieces) {
    const before = chunks[chunks.length - 1]
    const small = before !== undefined && Math.min(length(before), length(piece)) < minLines
    if (small && piece.last - before.first < size && sameOwner(before, piece)) {
      if (length(piece) > length(before) || before.symbol === '') before.symbol = piece.symbol || before.symbol
      before.last = piece.last
      before.names = [...new Set([...before.names, ...piece.names])]
    } else chunks.push({ ...piece })
  }
  return chunks
}

function length(chunk: Chunk): number {
  return chunk.last - chunk.first + 1
}

/** A closing line may join the method before it, but must not pull one class into another. */
function sameOwner(a: Chunk, b: Chunk): boolean {
  return ownerOf(a.symbol) === ownerOf(b.symbol) || a.symbol === ownerOf(b.symbol) || b.symbol === ownerOf(a.symbol)
}

function ownerOf(symbol: string): string {
  return symbol.slice(0, Math.max(0, symbol.lastIndexOf('.')))
}
