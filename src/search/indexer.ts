import { lstatSync } from 'node:fs'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createPrivateFolder } from '../private-files.ts'
import { writeCommits } from './commits-file.ts'
import type { SkipReason } from './decode.ts'
import { headOf, readHistory } from './history.ts'
import { emptyIndexFolder, openIndexFolder, type IndexFolder } from './index-folder.ts'
import { markOf, type IndexOptions } from './options.ts'
import { isSecretPath } from './secret-names.ts'
import { createSegmentBuilder, type SegmentBuilder } from './segment-builder.ts'
import { readSource } from './source-file.ts'
import { exclusionOf, repositoryOf, toSlashes, walk, type PathExclusion } from './walk.ts'

/** What to index and how. Roots are absolute real paths, none inside another. */
export interface IndexRequest {
  roots: readonly string[]
  excludePatterns: readonly string[]
  options: IndexOptions
  /** Reads every file again, even if it seems unchanged. */
  force: boolean
}

export interface IndexProgress {
  filesSeen: number
  filesIndexed: number
  bytesIndexed: number
}

export interface IndexReport extends IndexProgress {
  filesRemoved: number
  /** Files left out, by reason, and the names of the first few. */
  skipped: Partial<Record<SkipReason, number>>
  skippedExamples: { path: string; reason: SkipReason }[]
  /** Folders visited, which are the ones to watch. */
  folders: string[]
}

/** Writes the index in one folder, one task at a time. Readers of the folder see complete states only. */
export interface Indexer {
  /** Updates the index to the current state on disk. On cancellation it keeps what it has and throws the signal's reason. */
  sync(request: IndexRequest, onProgress: (progress: IndexProgress) => void, signal: AbortSignal): Promise<IndexReport>
  /** Checks some absolute paths of the last request: changed, new or deleted. */
  update(request: IndexRequest, paths: readonly string[]): { changed: number; folders: string[] }
  /**
   * Merges accumulated small segments, in the background; `thoroughly` after a sync. Returns whether there was anything
   * to do.
   */
  tidy(thoroughly: boolean): boolean
  close(): void
}

const turnEveryMs = 40
/** Edits without a pause leave at most this many segments; then an edit now and then includes one merge of a few. */
const maxPieces = 100
/** An update of fewer files than this leaves its memory to the next one. */
const maxUpdateFiles = 50
const maxExamples = 50

/** `excludePatterns` are left out of every index, in addition to those of a request. */
export function createIndexer(directory: string, excludePatterns: readonly string[], now: () => number): Indexer {
  createPrivateFolder(directory)
  let live = openIndexFolder(directory)
  const exclusionsOf = (request: IndexRequest) => (root: string) =>
    exclusionOf(root, [...excludePatterns, ...request.excludePatterns])
  // Until the next sync all updates are of one request and its rules; what they need is created once.
  let updating: Updating | undefined
  return {
    async sync(request, onProgress, signal) {
      updating = undefined
      const mark = markOf(request.options)
      const stale = request.force || live.manifest.mark !== mark
      // A rebuild grows beside the old index, which serves queries until the new one is complete.
      const rebuilds = stale && live.manifest.segments.length > 0
      const target = rebuilds || stale ? emptyIndexFolder(directory, live.manifest.serial) : live
      Object.assign(target.manifest, {
        mark,
        options: request.options,
        roots: request.roots.map(toSlashes),
        excludePatterns: [...request.excludePatterns],
      })
      const histories = startHistories(directory, target, request, signal)
      const report = emptyReport()
      try {
        await syncFiles(target, request, report, {
          onProgress,
          signal,
          now,
          exclude: exclusionsOf(request),
          commitsAlong: !rebuilds,
        })
        await histories()
      } catch (cause) {
        if (target !== live && rebuilds) target.close()
        else live = replaced(live, target)
        throw cause
      }
      target.commit()
      target.clean()
      live = replaced(live, target)
      onProgress(report)
      return report
    },
    update(request, paths) {
      const report = emptyReport()
      const { builder, exclusions } = updating ?? {
        builder: createSegmentBuilder(request.options),
        exclusions: new Map(),
      }
      updating = undefined
      const files = fileSink(live, request, report)
      for (const changed of paths) {
        const root = request.roots.find(each => changed === each || changed.startsWith(each + path.sep))
        if (root === undefined) continue
        const exclusion = exclusions.get(root) ?? exclusionsOf(request)(root)
        exclusions.set(root, exclusion)
        const take = (file: string) => files.take(file, root, builder)
        lookAgain(changed, { root, exclusion, live, report, take })
      }
      if (builder.files > 0) live.append(builder)
      const changed = report.filesIndexed + report.filesRemoved
      // Not after a failure, which may leave data in the builder, nor when the builder grew large.
      if (report.filesIndexed < maxUpdateFiles) updating = { builder, exclusions }
      if (changed > 0) {
        if (live.pieces > maxPieces) live.compactOnce()
        live.commit()
        live.clean()
      }
      return { changed, folders: report.folders }
    },
    tidy(thoroughly) {
      if (!live.compact(thoroughly)) return false
      live.commit()
      live.clean()
      return true
    },
    close: () => live.close(),
  }
}

interface Updating {
  builder: SegmentBuilder
  exclusions: Map<string, PathExclusion>
}

function replaced(before: IndexFolder, after: IndexFolder): IndexFolder {
  if (before !== after) before.close()
  return after
}

interface SyncTools {
  onProgress: (progress: IndexProgress) => void
  signal: AbortSignal
  now: () => number
  exclude: (root: string) => PathExclusion
  /** Whether readers may see the index grow: not while an older one still answers. */
  commitsAlong: boolean
}

async function syncFiles(target: IndexFolder, request: IndexRequest, report: IndexReport, tools: SyncTools) {
  const { onProgress, signal, now, exclude } = tools
  const files = fileSink(target, request, report)
  const builder = createSegmentBuilder(request.options)
  const flush = () => {
    if (builder.files > 0) target.append(builder)
    if (tools.commitsAlong) target.commit()
  }
  let turnAt = now() + turnEveryMs
  for (const root of request.roots) {
    for (const met of walk(root, exclude(root))) {
      if ('folder' in met) report.folders.push(met.folder)
      else if ('skipped' in met) leaveOut(report, met.skipped, met.reason)
      else if (report.filesSeen >= request.options.maxFiles) leaveOut(report, met.file, 'too_many_files')
      else files.take(met.file, root, builder)
      if (builder.full) flush()
      if (now() < turnAt) continue
      onProgress(report)
      await nextTurn()
      turnAt = now() + turnEveryMs
      if (signal.aborted) {
        flush()
        signal.throwIfAborted()
      }
    }
  }
  for (const file of target.paths()) {
    if (!files.seen.has(file) && target.forget(file)) report.filesRemoved++
  }
  if (builder.files > 0) target.append(builder)
}

/** Adds files to a builder one by one, if they differ from the index. */
function fileSink(target: IndexFolder, request: IndexRequest, report: IndexReport) {
  const seen = new Set<string>()
  return {
    seen,
    take(file: string, root: string, builder: SegmentBuilder) {
      report.filesSeen++
      const name = toSlashes(file)
      const source = readSource(file, root, request.options.maxFileBytes, target.known(name))
      if ('skip' in source) {
        leaveOut(report, file, source.skip)
        if (target.forget(name)) report.filesRemoved++
        return
      }
      seen.add(name)
      if ('unchanged' in source) return
      target.forget(name)
      builder.add(source.indexed, source.text)
      report.filesIndexed++
      report.bytesIndexed += source.indexed.sizeBytes
    },
  }
}

interface Look {
  /** The indexed directory that the path lies in. */
  root: string
  exclusion: PathExclusion
  live: IndexFolder
  report: IndexReport
  take: (file: string) => void
}

/** A path that an event named may be a file or a folder, new, changed or gone. */
function lookAgain(changed: string, { root, exclusion, live, report, take }: Look): void {
  const present = new Set<string>()
  const stats = lstatSync(changed, { throwIfNoEntry: false })
  const wanted = stats !== undefined && !excludedWithin(root, changed, stats.isDirectory(), exclusion)
  if (wanted && stats.isFile() && !isSecretPath(toSlashes(changed))) {
    present.add(toSlashes(changed))
    take(changed)
  } else if (wanted && stats.isDirectory()) {
    for (const met of walk(changed, exclusion)) {
      if ('folder' in met) report.folders.push(met.folder)
      if (!('file' in met)) continue
      present.add(toSlashes(met.file))
      take(met.file)
    }
  }
  const name = toSlashes(changed)
  if (present.has(name)) return
  for (const file of live.paths()) {
    const below = file === name || file.startsWith(`${name}/`)
    if (below && !present.has(file) && live.forget(file)) report.filesRemoved++
  }
}

/** A path is also excluded when a folder above it is. */
function excludedWithin(root: string, full: string, isFolder: boolean, exclusion: PathExclusion): boolean {
  const steps = path.relative(root, full).split(path.sep)
  let current = root
  return steps.some((step, index) => {
    if (step === '') return false
    current = path.join(current, step)
    return exclusion.excludes(current, isFolder || index < steps.length - 1)
  })
}

/** Git runs while files are indexed. The returned function waits for it and puts the histories into the manifest. */
function startHistories(directory: string, target: IndexFolder, request: IndexRequest, signal: AbortSignal) {
  const started =
    request.options.historyCommits === 0 ? [] : request.roots.filter(root => repositoryOf(root) !== undefined)
  const pending = started.map(async root => {
    const head = await headOf(root, signal)
    if (head === undefined) return undefined
    const kept = target.manifest.histories.find(each => each.root === toSlashes(root) && each.head === head)
    if (kept !== undefined) return kept
    const scratch = path.join(directory, target.nextName('scratch'))
    const commits = await readHistory(root, request.options.historyCommits, scratch, signal)
    const name = target.nextName('history')
    writeCommits(path.join(directory, name), commits, request.options.k1)
    return { root: toSlashes(root), name, head }
  })
  const all = Promise.all(pending)
  all.catch(() => undefined)
  return async () => {
    target.manifest.histories = (await all).filter(history => history !== undefined)
  }
}

function leaveOut(report: IndexReport, file: string, reason: SkipReason): void {
  report.skipped[reason] = (report.skipped[reason] ?? 0) + 1
  if (report.skippedExamples.length < maxExamples) report.skippedExamples.push({ path: toSlashes(file), reason })
}

function emptyReport(): IndexReport {
  return {
    filesSeen: 0,
    filesIndexed: 0,
    bytesIndexed: 0,
    filesRemoved: 0,
    skipped: {},
    skippedExamples: [],
    folders: [],
  }
}
