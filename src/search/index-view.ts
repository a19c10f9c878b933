import path from 'node:path'
import { openCommits, type Commits } from './commits-file.ts'
import { readManifest, type Manifest } from './manifest.ts'
import { openSegment, type Segment } from './segment-file.ts'
import { DamagedFile } from './term-file.ts'

/** A segment as seen by a reader. */
export interface LivePart {
  segment: Segment
  /** By file: 1 when it is deleted. */
  dead: Uint8Array
}

/** A consistent snapshot of the index, used to answer a query. */
export interface IndexView {
  readonly manifest: Manifest | undefined
  readonly parts: readonly LivePart[]
  readonly histories: readonly Commits[]
  readonly fileCount: number
  readonly chunkCount: number
  readonly sizeBytes: number
  /** Whether a file on disk was unusable, so that the index must be rebuilt. */
  readonly damaged: boolean
  /** Loads the newest state from disk; keeps unchanged files open and closes the rest. */
  reload(): IndexView
  close(): void
}

export function openIndexView(directory: string): IndexView {
  return view(directory, new Map())
}

type Opened = Map<string, Segment | Commits>

// The writer removes a replaced file soon after the manifest; a reader that misses it reloads the manifest.
const attempts = 3

function view(directory: string, before: Opened): IndexView {
  for (let attempt = 1; ; attempt++) {
    const manifest = readManifest(directory)
    const opened: Opened = new Map()
    const segments = (manifest?.segments ?? []).map(({ name }) =>
      open(opened, before, name, () => openSegment(path.join(directory, name), name)),
    )
    const histories = (manifest?.histories ?? []).map(({ name }) =>
      open(opened, before, name, () => openCommits(path.join(directory, name), name)),
    )
    const damaged = [...segments, ...histories].includes(undefined)
    if (damaged && attempt < attempts) {
      for (const [name, file] of opened) if (!before.has(name)) file.close()
      continue
    }
    for (const [name, file] of before) if (!opened.has(name)) file.close()
    preloadNew(opened, before)
    return viewOf({
      directory,
      manifest,
      opened,
      segments,
      histories: histories.filter(history => history !== undefined),
      damaged,
    })
  }
}

interface IndexState extends Pick<IndexView, 'manifest' | 'histories' | 'damaged'> {
  directory: string
  opened: Opened
  /** Undefined where one could not be opened. */
  segments: readonly (Segment | undefined)[]
}

function viewOf({ directory, manifest, opened, segments, histories, damaged }: IndexState): IndexView {
  const parts = segments.flatMap((segment, index) => {
    if (segment === undefined) return []
    const dead = new Uint8Array(segment.fileCount)
    for (const file of manifest!.segments[index]!.dead) dead[file] = 1
    return [{ segment, dead }]
  })
  return {
    manifest,
    parts,
    histories,
    fileCount: sum(parts.map(({ segment, dead }) => segment.fileCount - dead.reduce((total, each) => total + each, 0))),
    chunkCount: sum(parts.map(({ segment }) => segment.chunkCount)),
    sizeBytes: sum([...opened.values()].map(file => file.sizeBytes)),
    damaged,
    reload: () => view(directory, opened),
    close() {
      for (const file of opened.values()) file.close()
    },
  }
}

/** Loads small segments into memory; a query before that is done reads from disk. */
function preloadNew(opened: Opened, before: Opened): void {
  if (sum([...opened.values()].map(file => file.sizeBytes)) > maxResidentBytes) return
  for (const [name, file] of opened) if (!before.has(name)) void file.preload()
}

const maxResidentBytes = 96 * 1024 * 1024

function open<T extends Segment | Commits>(opened: Opened, before: Opened, name: string, make: () => T): T | undefined {
  const known = before.get(name) as T | undefined
  try {
    const file = known ?? make()
    opened.set(name, file)
    return file
  } catch (cause) {
    if (cause instanceof DamagedFile || (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'))
      return undefined
    throw cause
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
