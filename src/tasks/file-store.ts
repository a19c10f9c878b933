import { createReadStream, readdirSync, readFileSync, rmSync, statSync, type ReadStream } from 'node:fs'
import { appendFile, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import { parseJson } from '../json.ts'
import { createPrivateFolder, privateMode } from '../private-files.ts'

const StoredFile = z.object({
  id: z.string(),
  owner: z.string(),
  filename: z.string(),
  purpose: z.string(),
  /** Milliseconds since the epoch. */
  createdAt: z.number(),
  expiresAt: z.number(),
})
/** A file that a caller uploaded, or that was made for them. */
export type StoredFile = z.output<typeof StoredFile>

/** Files on disk, each of one owner, until they expire. */
export interface FileStore {
  /** Throws `storage_full`. */
  add(file: StoredFile, content: Buffer): Promise<void>
  /** Undefined for one that is expired too. */
  get(id: string): StoredFile | undefined
  /** Oldest first. */
  list(): StoredFile[]
  /** 0 for a file that is gone. */
  bytes(id: string): number
  read(id: string): ReadStream
  /** Number of line ends; 0 for a file that is gone. */
  lines(id: string): Promise<number>
  /** Throws `storage_full`, and `not_found` for a file that is gone. */
  append(id: string, text: string): Promise<void>
  /** Cuts what was not written completely: the text after the last line end. */
  dropIncompleteLine(id: string): Promise<void>
  remove(id: string): void
}

export interface FileLimits {
  /** Of all files together. */
  maxBytes: number
  /** Of one owner. */
  maxFiles: number
}

interface Entry {
  file: StoredFile
  bytes: number
  /** The last write: two at the same time would mix their lines. */
  writing: Promise<void>
}

const lineFeed = 10

/** `folder` is created with the first file. `now`: milliseconds since the epoch. */
export function createFileStore(folder: string, limits: FileLimits, now: () => number): FileStore {
  let known: Map<string, Entry> | undefined
  const contentOf = (id: string) => path.join(folder, `${id}.content`)
  const factsOf = (id: string) => path.join(folder, `${id}.json`)
  const chunksOf = (id: string) => createReadStream(contentOf(id)) as AsyncIterable<Buffer>

  function entries(): Map<string, Entry> {
    known ??= load()
    for (const [id, { file }] of known) if (file.expiresAt <= now()) remove(id)
    return known
  }

  function load(): Map<string, Entry> {
    if (statSync(folder, { throwIfNoEntry: false }) === undefined) return new Map()
    const found = readdirSync(folder)
      .filter(name => name.endsWith('.json'))
      .flatMap((name): Entry[] => {
        const { data: file } = StoredFile.safeParse(parseJson(readFileSync(path.join(folder, name), 'utf8')))
        if (file === undefined || name !== path.basename(factsOf(file.id))) return []
        const bytes = statSync(contentOf(file.id), { throwIfNoEntry: false })?.size ?? 0
        return [{ file, bytes, writing: Promise.resolve() }]
      })
      .sort((a, b) => a.file.createdAt - b.file.createdAt)
    return new Map(found.map(entry => [entry.file.id, entry]))
  }

  function remove(id: string): void {
    if (known?.delete(id) !== true) return
    for (const file of [factsOf(id), contentOf(id)]) rmSync(file, { force: true })
  }

  function requireSpace(more: number): void {
    const stored = [...entries().values()].reduce((sum, { bytes }) => sum + bytes, 0)
    if (stored + more > limits.maxBytes) throw tooMuch('Stored files take all of the space for them (FILE_STORAGE_MB)')
  }

  return {
    async add(file, content) {
      requireSpace(content.length)
      if ([...entries().values()].filter(entry => entry.file.owner === file.owner).length >= limits.maxFiles) {
        throw tooMuch(`This API key has ${limits.maxFiles} files`)
      }
      // Counted from now on, so that uploads at the same time cannot exceed the limits together.
      const entry = { file, bytes: content.length, writing: Promise.resolve() }
      entries().set(file.id, entry)
      try {
        createPrivateFolder(folder)
        await writeFile(contentOf(file.id), content, { mode: privateMode })
        await writeFile(factsOf(file.id), JSON.stringify(file), { mode: privateMode })
      } catch (error) {
        remove(file.id)
        throw error
      }
    },
    get: id => entries().get(id)?.file,
    list: () => [...entries().values()].map(({ file }) => file),
    bytes: id => entries().get(id)?.bytes ?? 0,
    read: id => createReadStream(contentOf(id)),
    async lines(id) {
      let count = 0
      if (!entries().has(id)) return count
      for await (const chunk of chunksOf(id)) {
        for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, at + 1)) count++
      }
      return count
    },
    async append(id, text) {
      const bytes = Buffer.from(text)
      requireSpace(bytes.length)
      const entry = entries().get(id)
      if (entry === undefined) throw new GatewayError('not_found', `The file '${id}' was deleted.`)
      entry.bytes += bytes.length
      const before = entry.writing
      entry.writing = (async () => {
        await before.catch(() => undefined)
        await appendFile(contentOf(id), bytes)
      })()
      await entry.writing
    },
    async dropIncompleteLine(id) {
      const entry = entries().get(id)
      if (entry === undefined) return
      let [position, end] = [0, 0]
      for await (const chunk of chunksOf(id)) {
        const last = chunk.lastIndexOf(lineFeed)
        if (last >= 0) end = position + last + 1
        position += chunk.length
      }
      if (end < position) await truncate(contentOf(id), end)
      entry.bytes = end
    },
    remove,
  }
}

function tooMuch(what: string): GatewayError {
  return new GatewayError('storage_full', `${what}; delete some with DELETE /v1/files/{id}.`)
}
