import path from 'node:path'
import { GatewayError } from '../errors.ts'
import { createPrivateFolder } from '../private-files.ts'
import { createIndexPasses, type PassStatus } from './index-passes.ts'
import { openIndexView, type IndexView } from './index-view.ts'
import { startIndexWriter } from './index-writer.ts'
import type { IndexProgress, IndexReport, IndexRequest } from './indexer.ts'
import { markOf } from './options.ts'
import { resolveRoots, type AllowedRoots } from './roots.ts'
import { DamagedFile } from './term-file.ts'
import { toSlashes } from './walk.ts'
import { watchFolders } from './watch.ts'

export interface IndexSettings extends AllowedRoots {
  /** Where the index is stored; created when it does not exist. */
  directory: string
  /** Excluded from every index, in addition to a request's own patterns. */
  excludePatterns: readonly string[]
  /** Updates the index of an earlier run at once. */
  indexOnStart: boolean
  /** Time between complete rescans, in addition to file events; 0 for never. */
  reindexIntervalSeconds: number
  /** Whether file events keep the index up to date. */
  watch: boolean
  /** Monotonic milliseconds. */
  now: () => number
  /** Receives background activity and its failures. */
  log: { info: (facts: object, message: string) => void; warn: (facts: object, message: string) => void }
}

export interface IndexStatus extends PassStatus {
  watchedFolders: number
  /** Whether every folder is watched. */
  watchComplete: boolean
}

/** The index of the requested directories, kept up to date with their files. */
export interface LiveIndex {
  /** What is searchable now. */
  readonly view: IndexView
  /** What is to be indexed; undefined before the first request. */
  readonly request: IndexRequest | undefined
  /** The roots to be searched, when the index still holds files outside them. */
  readonly narrowedRoots: readonly string[] | undefined
  status(): IndexStatus
  /**
   * Indexes what is requested instead of what was, and keeps it up to date. Resolves when everything is searchable.
   * @throws {GatewayError} `client_closed` when cancelled.
   */
  replace(
    request: IndexRequest,
    signal: AbortSignal,
    onProgress?: (progress: IndexProgress) => void,
  ): Promise<IndexReport>
  /** Resolves when all file events so far are searchable; at once during a complete pass, which includes them. */
  catchUp(): Promise<void>
  /** Reads these files again. Does nothing during a complete pass. */
  refresh(files: readonly string[]): Promise<void>
  /** Rebuilds the index in the background when `cause` is damage to it; always throws. */
  repair: (cause: unknown) => never
  close(): Promise<void>
}

/** Waits for a burst of file events to end, as when a branch is switched. */
const quietMs = 60

/** `updated` is called when other files are searchable than before. */
export function openLiveIndex(settings: IndexSettings, updated: (view: IndexView) => void): LiveIndex {
  const { directory, now, log } = settings
  createPrivateFolder(directory)
  const writer = startIndexWriter({ directory, excludePatterns: settings.excludePatterns }, failure => {
    if (closing.signal.aborted) return
    if (failure === undefined) view = view.reload()
    else log.warn({ cause: failure }, 'merging segments of the code index failed; the unmerged segments stay in use')
  })
  const closing = new AbortController()
  const passes = createIndexPasses(writer, closing.signal)
  const watching = watchFolders(() => inBackground(applyEvents()), quietMs)
  let view = openIndexView(directory)
  let request = rememberedRequest(view, settings)
  let applying: Promise<void> = Promise.resolve()

  const interval =
    settings.reindexIntervalSeconds > 0
      ? setInterval(() => !isIndexing() && inBackground(rescan()), settings.reindexIntervalSeconds * 1000).unref()
      : undefined
  const mustRescan = (wanted: IndexRequest) =>
    view.damaged || isOutdated(view) || narrowedRoots(view, wanted) !== undefined
  if (request !== undefined && (settings.indexOnStart || mustRescan(request))) inBackground(rescan())

  async function index(wanted: IndexRequest, signal: AbortSignal, onProgress?: (progress: IndexProgress) => void) {
    try {
      const report = await passes.run(wanted, signal, step => {
        // What is already written is searchable while the rest is read.
        if (view.fileCount === 0) view = view.reload()
        onProgress?.(step)
      })
      show(report.folders)
      return report
    } catch (cause) {
      view = view.reload()
      throw cause
    }
  }

  function isIndexing(): boolean {
    return passes.status().indexing
  }

  async function rescan(): Promise<void> {
    if (request === undefined) return
    const started = now()
    const { filesIndexed, filesRemoved } = await index(request, closing.signal)
    log.info({ filesIndexed, filesRemoved, durationMs: now() - started }, 'code index is up to date')
  }

  /** Runs after the current one: a query during indexing of an edit waits for it. */
  function applyEvents(): Promise<void> {
    const before = applying
    applying = (async () => {
      await before.catch(() => undefined)
      const changed = watching.take()
      if (changed.length === 0 || request === undefined) return
      // Changed rules can change whether any file is indexed.
      if (changed.some(file => path.basename(file) === '.gitignore')) return rescan()
      await apply(request, changed)
    })()
    return applying
  }

  async function apply(wanted: IndexRequest, files: readonly string[]): Promise<void> {
    const { changed, folders } = await writer.update(wanted, files)
    if (changed > 0) show(folders)
    else watchAlso(folders)
  }

  function show(folders: readonly string[]): void {
    view = view.reload()
    watchAlso(folders)
    updated(view)
  }

  function watchAlso(folders: readonly string[]): void {
    if (settings.watch) watching.add(folders)
  }

  function inBackground(work: Promise<unknown>): void {
    work.catch((cause: unknown) => {
      if (!closing.signal.aborted)
        log.warn({ cause }, 'updating the code index failed; the next change triggers a retry')
    })
  }

  return {
    get view() {
      return view
    },
    get request() {
      return request
    },
    get narrowedRoots() {
      return request === undefined ? undefined : narrowedRoots(view, request)
    },
    status: () => ({
      ...passes.status(),
      watchedFolders: watching.folders,
      watchComplete: watching.complete,
    }),
    replace(wanted, signal, onProgress) {
      request = { ...wanted, force: false }
      return index(wanted, signal, onProgress)
    },
    async catchUp() {
      if (!isIndexing()) await applyEvents()
    },
    async refresh(files) {
      if (!isIndexing() && request !== undefined) await apply(request, files)
    },
    repair(cause) {
      if (!(cause instanceof DamagedFile)) throw cause
      log.warn({ cause }, 'the code index is damaged and is being rebuilt')
      if (request !== undefined && !isIndexing()) inBackground(index({ ...request, force: true }, closing.signal))
      throw new GatewayError('internal', 'The code index was damaged and is being rebuilt; try again in a moment.', {
        cause,
      })
    },
    async close() {
      closing.abort(new GatewayError('shutting_down', 'The search is closed.'))
      clearInterval(interval)
      watching.close()
      await writer.close()
      view.close()
    },
  }
}

/** The roots indexed by an earlier process, without directories that are gone or no longer allowed. */
function rememberedRequest({ manifest }: IndexView, settings: IndexSettings): IndexRequest | undefined {
  if (manifest === undefined || manifest.roots.length === 0) return undefined
  const isAllowed = (root: string) => {
    try {
      return resolveRoots([root], settings).length > 0
    } catch (cause) {
      settings.log.warn({ root, cause }, 'a previously indexed directory is gone or no longer allowed')
      return false
    }
  }
  const { roots, excludePatterns, options } = manifest
  return { roots: roots.filter(isAllowed), excludePatterns, options, force: false }
}

/** Whether another version made the index, which may have left out less. */
function isOutdated({ manifest }: IndexView): boolean {
  return manifest !== undefined && manifest.mark !== markOf(manifest.options)
}

function narrowedRoots({ manifest }: IndexView, request: IndexRequest): readonly string[] | undefined {
  const wanted = request.roots.map(toSlashes)
  return manifest?.roots.some(root => !wanted.includes(root)) === true ? wanted : undefined
}
