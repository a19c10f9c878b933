import { readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { mergeSegments } from './merge.ts'
import { readManifest, writeManifest, type Manifest } from './manifest.ts'
import { IndexOptions } from './options.ts'
import type { SegmentBuilder } from './segment-builder.ts'
import { openSegment, type IndexedFile, type Segment } from './segment-file.ts'
import { DamagedFile } from './term-file.ts'

/**
 * The index as its only writer sees it. Segments are immutable: a changed file goes into a new one and is marked as
 * deleted in the old one, until enough small segments exist to be merged. `commit` publishes the changes to every
 * reader.
 */
export interface IndexFolder {
  readonly manifest: Manifest
  /** Number of segments. */
  readonly pieces: number
  /** Absolute paths of the files in it. */
  paths(): string[]
  known(path: string): IndexedFile | undefined
  append(builder: SegmentBuilder): void
  /** Marks a file as deleted. Returns whether it was in the index. */
  forget(path: string): boolean
  /** A file name never used before in this index. */
  nextName(extension: string): string
  /**
   * Merges segments of similar size when there are many; `thoroughly` also merges what a first indexing left. Returns
   * whether it merged.
   */
  compact(thoroughly: boolean): boolean
  /** The same for one group of segments. Returns whether there was one. */
  compactOnce(): boolean
  commit(): void
  /** Removes the files that neither the manifest nor a running task needs. */
  clean(): void
  close(): void
}

/** How many segments of similar size may exist. Each costs a query some microseconds per term. */
const segmentsPerTier = 8

/** Opens the index in the folder; damaged segments are dropped, so that their files are read again. */
export function openIndexFolder(directory: string): IndexFolder {
  const manifest = readManifest(directory)
  if (manifest === undefined) return emptyIndexFolder(directory, 0)
  const parts = manifest.segments.flatMap(({ name, dead }) => {
    try {
      const segment = openSegment(path.join(directory, name), name)
      if (segment.isIntact()) return [{ segment, dead: new Set(dead) }]
      segment.close()
      return []
    } catch (cause) {
      if (cause instanceof DamagedFile || isMissing(cause)) return []
      throw cause
    }
  })
  return indexFolder(directory, manifest, parts)
}

/** An empty index. Its file names start after `serial`, so that it can grow beside the index that it will replace. */
export function emptyIndexFolder(directory: string, serial: number): IndexFolder {
  const options = IndexOptions.parse({})
  const manifest = { mark: '', options, roots: [], excludePatterns: [], segments: [], histories: [], serial }
  return indexFolder(directory, manifest, [])
}

interface Part {
  segment: Segment
  dead: Set<number>
}

function indexFolder(directory: string, manifest: Manifest, opened: readonly Part[]): IndexFolder {
  let parts = [...opened]
  const places = new Map<string, { part: Part; file: number }>()
  const learn = (part: Part) => {
    for (let file = 0; file < part.segment.fileCount; file++) {
      if (!part.dead.has(file)) places.set(part.segment.pathOf(file), { part, file })
    }
  }
  for (const part of parts) learn(part)

  const nextName = (extension: string) => `${(++manifest.serial).toString(36)}.${extension}`
  const openPart = (name: string) => {
    const part = { segment: openSegment(path.join(directory, name), name), dead: new Set<number>() }
    parts.push(part)
    learn(part)
  }
  const merge = (group: readonly Part[]) => {
    const name = nextName('segment')
    mergeSegments(path.join(directory, name), group)
    parts = parts.filter(part => !group.includes(part))
    for (const part of group) part.segment.close()
    openPart(name)
  }
  const compactOnce = () => {
    const group = crowded(parts)
    if (group !== undefined) merge(group)
    return group !== undefined
  }
  return {
    manifest,
    get pieces() {
      return parts.length
    },
    paths: () => [...places.keys()],
    known(file) {
      const place = places.get(file)
      return place?.part.segment.file(place.file)
    },
    append(builder) {
      const name = nextName('segment')
      builder.write(path.join(directory, name))
      openPart(name)
    },
    forget(file) {
      const place = places.get(file)
      if (place === undefined) return false
      place.part.dead.add(place.file)
      return places.delete(file)
    },
    nextName,
    compact(thoroughly) {
      const before = parts
      while (compactOnce());
      if (thoroughly && isScattered(parts)) merge(parts)
      return parts !== before
    },
    compactOnce,
    commit() {
      manifest.segments = parts.map(({ segment, dead }) => ({ name: segment.name, dead: [...dead] }))
      writeManifest(directory, manifest)
    },
    clean: () => removeUnused(directory, manifest),
    close() {
      for (const part of parts) part.segment.close()
    },
  }
}

function crowded(parts: readonly Part[]): Part[] | undefined {
  const tiers = new Map<number, Part[]>()
  for (const part of parts) {
    const tier = Math.floor(Math.log(part.segment.chunkCount + 1) / Math.log(segmentsPerTier))
    const group = tiers.get(tier) ?? []
    tiers.set(tier, group)
    if (group.push(part) >= segmentsPerTier) return group
  }
  return undefined
}

function isScattered(parts: readonly Part[]): boolean {
  const counts = parts.map(part => part.segment.chunkCount)
  const total = counts.reduce((sum, count) => sum + count, 0)
  const dead = parts.reduce((sum, part) => sum + part.dead.size, 0)
  const files = parts.reduce((sum, part) => sum + part.segment.fileCount, 0)
  return (parts.length > 1 && Math.max(...counts) < total * 0.8) || dead > files / 4
}

/** A reader that still has one of these open keeps its content; one about to open it reloads the manifest. */
function removeUnused(directory: string, manifest: Manifest): void {
  const used = new Set([...manifest.segments, ...manifest.histories].map(({ name }) => name))
  for (const name of readdirSync(directory)) {
    if (!/^[0-9a-z]+\.(?:segment|history|scratch)$/.test(name) || used.has(name)) continue
    // Windows refuses while a reader has it open; the next commit retries.
    try {
      rmSync(path.join(directory, name), { force: true })
    } catch (cause) {
      if (!isBusy(cause)) throw cause
    }
  }
}

function isMissing(cause: unknown): boolean {
  return codeOf(cause) === 'ENOENT'
}

function isBusy(cause: unknown): boolean {
  return ['EBUSY', 'EPERM', 'EACCES'].includes(codeOf(cause) ?? '')
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
}
