import { readFileSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { privateMode } from '../private-files.ts'
import { decode } from './decode.ts'
import type { Language } from './languages.ts'
import { withoutSecrets } from './secrets.ts'
import type { IndexView } from './index-view.ts'
import type { Ranked } from './best-files.ts'
import type { Segment } from './segment-file.ts'

/**
 * Embeds texts with one model, all vectors of the same length; passed in by the owner of the backends. Undefined when
 * no embedding model is reachable.
 */
export type Embed = (texts: readonly string[], signal: AbortSignal) => Promise<readonly ArrayLike<number>[] | undefined>

/** Embeddings of chunks, computed in the background and stored by content, so that a move or merge costs nothing. */
export interface Meaning {
  /** Computes the missing vectors of a view, in slices, and drops unused ones. Returns their total number. */
  build(view: IndexView, signal: AbortSignal): Promise<number>
  /** Chunks nearest to a text, one per file, best first; undefined when the text cannot be embedded or nothing is built. */
  nearest(view: IndexView, text: string, limit: number, signal: AbortSignal): Promise<Ranked[] | undefined>
  readonly vectors: number
}

const batchSize = 32
const maxChunkCharacters = 2_000
/** 300,000 vectors of 768 dimensions take 230 MB; further chunks are searched lexically only. */
const maxVectors = 300_000
const chunksPerTurn = 4_096
const saveEveryBatches = 64
const keyBytes = 24
const fileName = 'meaning.vectors'

export function openMeaning(directory: string, embed: Embed): Meaning {
  const file = path.join(directory, fileName)
  let vectors = load(file)
  return {
    async build(view, signal) {
      const wanted = new Set<string>()
      let batch: { key: string; text: string }[] = []
      let batches = 0
      const finish = async () => {
        const made = await embed(
          batch.map(({ text }) => text),
          signal,
        )
        made?.forEach((vector, index) => vectors.set(batch[index]!.key, quantize(vector)))
        batch = []
        if (made !== undefined && ++batches % saveEveryBatches === 0) await save(file, vectors)
        return made !== undefined
      }
      for (const { segment, dead } of view.parts) {
        for (let index = 0; index < segment.fileCount && wanted.size < maxVectors; index++) {
          if (dead[index] === 1) continue
          for (const chunk of await missingChunks(segment, index, vectors, wanted)) {
            batch.push(chunk)
            if (batch.length === batchSize && !(await finish())) return vectors.size
            signal.throwIfAborted()
          }
        }
      }
      if (batch.length > 0) await finish()
      vectors = new Map([...vectors].filter(([key]) => wanted.has(key)))
      await save(file, vectors)
      return vectors.size
    },
    async nearest(view, text, limit, signal) {
      if (vectors.size === 0 || text === '') return undefined
      const made = await embed([text], signal)
      if (made?.[0] === undefined) return undefined
      return scanNearest(view, vectors, unit(made[0]), limit, signal)
    },
    get vectors() {
      return vectors.size
    },
  }
}

/**
 * Reciprocal rank fusion of two rankings of files (Cormack, Clarke and Büttcher 2009): the sum of 1 / (60 + rank). The
 * chunk shown comes from the ranking with the file higher.
 */
export function fuse(lexical: readonly Ranked[], semantic: readonly Ranked[], limit: number): Ranked[] {
  const fused = new Map<string, { ranked: Ranked; score: number; rank: number }>()
  for (const ranking of [lexical, semantic]) {
    ranking.forEach((ranked, rank) => {
      const path = ranked.segment.pathOf(ranked.file)
      const known = fused.get(path)
      const score = (known?.score ?? 0) + 1 / (60 + rank + 1)
      fused.set(path, known !== undefined && known.rank <= rank ? { ...known, score } : { ranked, score, rank })
    })
  }
  return [...fused.values()]
    .sort((a, b) => b.score - a.score)
    .slice(0, limit)
    .map(({ ranked, score }) => ({ ...ranked, score }))
}

/** The file's hash and the chunk's lines: 24 bytes that change when the chunk's text does. */
function keyOf(segment: Segment, file: number, chunk: number): string {
  const { first, last } = segment.chunk(chunk)
  const lines = first.toString(16).padStart(4, '0').slice(-4) + last.toString(16).padStart(4, '0').slice(-4)
  return segment.file(file).hash + lines
}

async function missingChunks(
  segment: Segment,
  file: number,
  vectors: ReadonlyMap<string, Int8Array>,
  wanted: Set<string>,
) {
  const missing: { key: string; text: string }[] = []
  let lines: string[] | undefined
  for (let chunk = segment.firstChunks[file]!; chunk < segment.firstChunks[file + 1]!; chunk++) {
    const key = keyOf(segment, file, chunk)
    wanted.add(key)
    if (vectors.has(key)) continue
    const { path: full, rootLength, language } = segment.file(file)
    lines ??= await linesOfFile(full, language)
    const { first, last, symbol } = segment.chunk(chunk)
    const body = lines.slice(first, last + 1).join('\n')
    missing.push({ key, text: `${full.slice(rootLength)} ${symbol}\n${body}`.slice(0, maxChunkCharacters) })
  }
  return missing
}

async function linesOfFile(file: string, language: Language): Promise<string[]> {
  try {
    const decoded = decode(await readFile(file))
    const text = 'text' in decoded ? withoutSecrets(decoded.text, language) : undefined
    return text?.split('\n') ?? []
  } catch {
    // Deleted since it was indexed; the next build no longer includes it.
    return []
  }
}

async function scanNearest(
  view: IndexView,
  vectors: ReadonlyMap<string, Int8Array>,
  wanted: Float32Array,
  limit: number,
  signal: AbortSignal,
): Promise<Ranked[]> {
  const best: Ranked[] = []
  let scanned = 0
  for (const { segment, dead } of view.parts) {
    for (let file = 0; file < segment.fileCount; file++) {
      if (dead[file] === 1) continue
      let top: Ranked | undefined
      for (let chunk = segment.firstChunks[file]!; chunk < segment.firstChunks[file + 1]!; chunk++) {
        if (++scanned % chunksPerTurn === 0) {
          await nextTurn()
          signal.throwIfAborted()
        }
        const vector = vectors.get(keyOf(segment, file, chunk))
        if (vector?.length !== wanted.length) continue
        let score = 0
        for (let index = 0; index < vector.length; index++) score += vector[index]! * wanted[index]!
        if (top === undefined || score > top.score) top = { segment, file, chunk, score }
      }
      if (top !== undefined) best.push(top)
    }
  }
  return best.sort((a, b) => b.score - a.score).slice(0, limit)
}

function unit(vector: ArrayLike<number>): Float32Array {
  const values = Float32Array.from(vector)
  const length = Math.hypot(...values) || 1
  return values.map(value => value / length)
}

/** A unit vector in 255 steps of its largest component; ranks like the exact one in a quarter of the space. */
function quantize(vector: ArrayLike<number>): Int8Array {
  const values = unit(vector)
  return Int8Array.from(values, value => Math.max(-127, Math.min(127, Math.round(value * 508))))
}

/** Layout: dimensions (four bytes), then for each vector its key and its components. */
function load(file: string): Map<string, Int8Array> {
  const vectors = new Map<string, Int8Array>()
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch {
    return vectors
  }
  const dimensions = bytes.length < 4 ? 0 : bytes.readUInt32LE(0)
  const size = keyBytes + dimensions
  if (dimensions === 0 || (bytes.length - 4) % size !== 0) return vectors
  for (let index = 4; index < bytes.length; index += size) {
    const vector = new Int8Array(dimensions)
    vector.set(bytes.subarray(index + keyBytes, index + size))
    vectors.set(bytes.toString('latin1', index, index + keyBytes), vector)
  }
  return vectors
}

async function save(file: string, vectors: ReadonlyMap<string, Int8Array>): Promise<void> {
  const dimensions = vectors.values().next().value?.length ?? 0
  const head = Buffer.alloc(4)
  head.writeUInt32LE(dimensions)
  const records = [...vectors]
    .filter(([, vector]) => vector.length === dimensions)
    .map(([key, vector]) => Buffer.concat([Buffer.from(key, 'latin1'), new Uint8Array(vector.buffer)]))
  await writeFile(`${file}.draft`, Buffer.concat([head, ...records]), { mode: privateMode })
  await rename(`${file}.draft`, file)
}
