import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import type { Core } from '../core.ts'
import { operation } from './operation.ts'

const maxFiles = 500

export const listMemoryBank = operation({
  name: 'list_memory_bank',
  summary: 'The files in the memory-bank folder next to the settings, if it exists.',
  effect: 'read',
  input: z.strictObject({}),
  output: z.object({
    folder: z.string(),
    exists: z.boolean(),
    files: z.array(z.object({ path: z.string(), bytes: z.int(), modified_at: z.string() })),
  }),
  run: async ({ config }: Core) => {
    const folder = path.join(config().root, 'memory-bank')
    const names = await readdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
      throw error
    })
    if (names === undefined) return { folder, exists: false, files: [] }
    const entries = await Promise.all(
      names
        .sort()
        .slice(0, maxFiles)
        .map(async name => ({ name, found: await stat(path.join(folder, name)) })),
    )
    const files = entries.filter(({ found }) => found.isFile())
    return {
      folder,
      exists: true,
      files: files.map(({ name, found }) => ({
        path: name,
        bytes: found.size,
        modified_at: found.mtime.toISOString(),
      })),
    }
  },
})
