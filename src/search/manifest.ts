import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { privateMode } from '../private-files.ts'
import { IndexOptions } from './options.ts'

/** Which files in the data folder belong to the index, and what they index. */
export const Manifest = z.object({
  /** The parameters the index was built with; see `markOf`. */
  mark: z.string(),
  options: IndexOptions,
  /** Indexed folders, absolute, with forward slashes. */
  roots: z.array(z.string()),
  excludePatterns: z.array(z.string()),
  segments: z.array(z.object({ name: z.string(), dead: z.array(z.int().nonnegative()) })),
  histories: z.array(z.object({ root: z.string(), name: z.string(), head: z.string() })),
  /** Incremented with every change, so that file names are never reused. */
  serial: z.int().nonnegative(),
})
export type Manifest = z.output<typeof Manifest>

/** Undefined when no usable manifest exists, which means an empty index. */
export function readManifest(directory: string): Manifest | undefined {
  try {
    return Manifest.parse(JSON.parse(readFileSync(path.join(directory, manifestName), 'utf8')))
  } catch {
    return undefined
  }
}

/** Replaces the manifest atomically: a reader sees the old index or the new one, also after a crash. */
export function writeManifest(directory: string, manifest: Manifest): void {
  const draft = path.join(directory, `${manifestName}.draft`)
  writeFileSync(draft, JSON.stringify(manifest), { mode: privateMode })
  renameSync(draft, path.join(directory, manifestName))
}

const manifestName = 'manifest.json'
