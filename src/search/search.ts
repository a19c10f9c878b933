import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { GatewayError } from '../errors.ts'
import { openIndexView } from './index-view.ts'
import { startIndexWriter } from './index-writer.ts'
import type { IndexProgress, IndexReport, IndexRequest } from './indexer.ts'
import { fuse, openMeaning, type Embed } from './meaning.ts'
import { IndexOptions } from './options.ts'
import { parseQuery, passesFile, passesSymbol, type SearchQuery } from './query.ts'
import type { Admission, Ranked } from './best-files.ts'
import { createRanker, type Ranker } from './rank.ts'
import type { RetrivInitInput, RetrivInitOutput, SearchHit, SearchInput, SearchOutput } from './requests.ts'
import { resolveRoots } from './roots.ts'
import { patternOf, shorten, showHit } from './show.ts'
import { DamagedFile } from './term-file.ts'
import { toSlashes } from './walk.ts'
import { watchFolders } from './watch.ts'

/** The dependencies and settings of the search. */
export interface SearchSettings {
  /** The index is stored in its folder `search`. */
  dataDir: string
  /** Directories outside these are rejected. */
  allowedRoots: readonly string[]
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
  countTokens: (text: string) => number
  /** Receives background activity and its failures. */
  log: { info: (facts: object, message: string) => void; warn: (facts: object, message: string) => void }
  /** Embeds texts, when an embedding model is configured. */
  embed?: Embed
}

export interface SearchStatus {
  directories: string[]
  files: number
  chunks: number
  index_bytes: number
  indexing: boolean
  progress: IndexProgress | undefined
  watched_folders: number
  watch_complete: boolean
  skipped: Record<string, number>
  vectors: number
}

/** Code search over indexed directories. */
export interface Search {
  /**
   * Indexes directories, replacing the previous ones, and keeps them up to date. Resolves when everything is
   * searchable.
   * @throws {GatewayError} `forbidden` or `not_found` for a directory, `client_closed` when cancelled.
   */
  init(
    input: RetrivInitInput,
    signal: AbortSignal,
    onProgress?: (progress: IndexProgress) => void,
  ): Promise<RetrivInitOutput>
  /** @throws {GatewayError} `invalid_request` when nothing is indexed or the query contains no search term. */
  query(input: SearchInput, signal: AbortSignal): Promise<SearchOutput>
  status(): SearchStatus
  close(): Promise<void>
}

/** Waits for a burst of file events to end, as when a branch is switched. */
const quietMs = 60
/** Maximum number of files read to verify a phrase. */
const maxPhraseFiles = 400
const fusedDepth = 100

export function openSearch(settings: SearchSettings): Search {
  const { now, log } = settings
  const directory = path.join(settings.dataDir, 'search')
  mkdirSync(directory, { recursive: true })
  const writer = startIndexWriter({ directory, excludePatterns: settings.excludePatterns }, failure => {
    if (closing.signal.aborted) return
    if (failure === undefined) view = view.reload()
    else log.warn({ cause: failure }, 'merging segments of the code index failed; the unmerged segments stay in use')
  })
  const meaning = settings.embed === undefined ? undefined : openMeaning(directory, settings.embed)
  const closing = new AbortController()
  const watching = watchFolders(() => inBackground(catchUp()), quietMs)
  let view = openIndexView(directory)
  let request = rememberedRequest()
  let ranker: { options: IndexOptions; ranker: Ranker } | undefined
  let syncing = 0
  let progress: IndexProgress | undefined
  let report: IndexReport | undefined
  let building: Promise<unknown> | undefined
  let closed: Promise<void> | undefined
  let catching: Promise<void> = Promise.resolve()

  const interval =
    settings.reindexIntervalSeconds > 0
      ? setInterval(() => syncing === 0 && inBackground(resync()), settings.reindexIntervalSeconds * 1000).unref()
      : undefined
  if (request !== undefined && (settings.indexOnStart || view.damaged || isWider())) inBackground(resync())

  return {
    async init(input, signal, onProgress) {
      const roots = resolveRoots(input.directories, settings.allowedRoots)
      const options = optionsOf(input)
      request = { roots, excludePatterns: input.exclude_patterns ?? [], options, force: false }
      const started = now()
      const done = await sync({ ...request, force: input.force_reindex ?? false }, signal, onProgress)
      return {
        directories: roots,
        files: view.fileCount,
        chunks: view.chunkCount,
        files_indexed: done.filesIndexed,
        files_removed: done.filesRemoved,
        skipped: done.skipped,
        skipped_examples: done.skippedExamples,
        index_bytes: view.sizeBytes,
        duration_ms: now() - started,
      }
    },
    async query(input, signal) {
      if (request === undefined) {
        throw new GatewayError(
          'invalid_request',
          'Nothing is indexed yet: call retriv_init with the directories first.',
        )
      }
      const query = parseQuery(input.query)
      if (query.terms.size === 0) {
        throw new GatewayError('invalid_request', 'The query contains no search term.', { param: 'query' })
      }
      // Events of the last edits are still in the event loop; after two turns they have arrived.
      await nextTurn()
      await nextTurn()
      if (syncing === 0) await catchUp()
      for (let attempt = 1; ; attempt++) {
        const { output, stale } = await answer(query, input, signal).catch(repair)
        if (stale.length === 0 || syncing > 0 || attempt === 3) return output
        await apply(stale)
      }
    },
    status: () => ({
      directories: request === undefined ? [] : [...request.roots],
      files: view.fileCount,
      chunks: view.chunkCount,
      index_bytes: view.sizeBytes,
      indexing: syncing > 0,
      progress: syncing > 0 ? progress : undefined,
      watched_folders: watching.folders,
      watch_complete: watching.complete,
      skipped: report?.skipped ?? {},
      vectors: meaning?.vectors ?? 0,
    }),
    close() {
      closed ??= shutDown()
      return closed
    },
  }

  async function shutDown(): Promise<void> {
    closing.abort(new GatewayError('shutting_down', 'The search is closed.'))
    clearInterval(interval)
    watching.close()
    await writer.close()
    await building
    view.close()
  }

  /** The roots indexed by an earlier process, without directories that are gone or no longer allowed. */
  function rememberedRequest(): IndexRequest | undefined {
    const { manifest } = view
    if (manifest === undefined || manifest.roots.length === 0) return undefined
    const { roots, excludePatterns, options } = manifest
    return { roots: roots.filter(root => isAllowed(root)), excludePatterns, options, force: false }
  }

  function isAllowed(root: string): boolean {
    try {
      return resolveRoots([root], settings.allowedRoots).length > 0
    } catch (cause) {
      log.warn({ root, cause }, 'a previously indexed directory is gone or no longer allowed')
      return false
    }
  }

  /** Whether the index contains directories that are no longer to be searched. */
  function isWider(): boolean {
    const wanted = request?.roots.map(toSlashes) ?? []
    return view.manifest?.roots.some(root => !wanted.includes(root)) ?? false
  }

  async function sync(wanted: IndexRequest, signal: AbortSignal, onProgress?: (progress: IndexProgress) => void) {
    syncing++
    try {
      const either = AbortSignal.any([signal, closing.signal])
      report = await writer.sync(
        wanted,
        step => {
          progress = step
          // What is already written is searchable while the rest is read.
          if (view.fileCount === 0) view = view.reload()
          onProgress?.(step)
        },
        either,
      )
      view = view.reload()
      if (settings.watch) watching.add(report.folders)
      learnMeaning()
      return report
    } catch (cause) {
      view = view.reload()
      if (closing.signal.aborted) throw closing.signal.reason
      if (signal.aborted)
        throw new GatewayError('client_closed', 'Indexing was cancelled; files indexed so far are kept.', { cause })
      throw cause
    } finally {
      syncing--
    }
  }

  /** A damaged index is rebuilt in the background; other errors are passed on. */
  function repair(cause: unknown): never {
    if (!(cause instanceof DamagedFile)) throw cause
    log.warn({ cause }, 'the code index is damaged and is being rebuilt')
    if (request !== undefined && syncing === 0) inBackground(sync({ ...request, force: true }, closing.signal))
    throw new GatewayError('internal', 'The code index was damaged and is being rebuilt; try again in a moment.', {
      cause,
    })
  }

  async function resync(): Promise<void> {
    if (request === undefined) return
    const started = now()
    const { filesIndexed, filesRemoved } = await sync(request, closing.signal)
    log.info({ filesIndexed, filesRemoved, durationMs: now() - started }, 'code index is up to date')
  }

  /** Runs after the current task: a query during indexing of an edit waits for it. */
  function catchUp(): Promise<void> {
    const before = catching
    catching = (async () => {
      await before.catch(() => undefined)
      await takeChanges()
    })()
    return catching
  }

  async function takeChanges(): Promise<void> {
    const changed = watching.take()
    if (changed.length === 0 || request === undefined) return
    // Changed rules can change whether any file is indexed.
    if (changed.some(file => path.basename(file) === '.gitignore')) return resync()
    await apply(changed)
  }

  async function apply(changed: readonly string[]): Promise<void> {
    const { changed: count, folders } = await writer.update(request!, changed)
    if (settings.watch) watching.add(folders)
    if (count === 0) return
    view = view.reload()
    learnMeaning()
  }

  function learnMeaning(): void {
    if (meaning === undefined || building !== undefined) return
    building = meaning
      .build(view, closing.signal)
      .catch((cause: unknown) => {
        if (!closing.signal.aborted) log.warn({ cause }, 'embedding the index failed; search remains lexical')
      })
      .finally(() => (building = undefined))
  }

  function inBackground(work: Promise<unknown>): void {
    work.catch((cause: unknown) => {
      if (!closing.signal.aborted)
        log.warn({ cause }, 'updating the code index failed; the next change triggers a retry')
    })
  }

  async function answer(query: SearchQuery, input: SearchInput, signal: AbortSignal) {
    const limit = input.limit ?? 10
    const offset = input.offset ?? 0
    const { options } = request!
    if (ranker?.options !== options) ranker = { options, ranker: createRanker(options) }
    const depth = query.phrases.length > 0 ? maxPhraseFiles : offset + limit
    const admission = admissionOf(query, isWider() ? request!.roots.map(toSlashes) : undefined)
    const { ranked, corrections } = ranker.ranker.rank(
      view,
      query,
      Math.max(depth, meaning === undefined ? 0 : fusedDepth),
      admission,
    )
    const semantic = await meaning?.nearest(view, query.text, fusedDepth, signal)
    const order =
      semantic === undefined
        ? ranked
        : fuse(
            ranked,
            semantic.filter(each => admits(admission, each)),
            depth,
          )
    const sought = new Map([...query.joined].map(term => [term, term]))
    for (const { instead } of corrections) for (const term of instead) sought.set(term, term)
    for (const [term, typed] of query.typed) sought.set(term, typed)
    const showing = {
      terms: sought,
      pattern: patternOf(query.terms),
      phrases: query.phrases,
      contextLines: input.context_lines ?? 0,
    }
    const { hits, stale } = collect(order.slice(0, depth), offset, limit, each => showHit(each, showing))
    const fitted = input.max_tokens === undefined ? hits : fit(hits, input.max_tokens, sought, settings.countTokens)
    const truncated = fitted.length < hits.length || fitted.some((hit, at) => hit.lines !== hits[at]!.lines)
    const ranking = semantic === undefined ? 'lexical' : 'hybrid'
    return {
      stale,
      output: {
        hits: fitted,
        ranking,
        corrections: corrections.map(({ term, instead }) => ({ term: query.typed.get(term) ?? term, instead })),
        indexing: syncing > 0,
        truncated,
      } satisfies SearchOutput,
    }
  }

  function optionsOf(input: RetrivInitInput): IndexOptions {
    const { k1, b, field_weights: weights } = input.bm25_options ?? {}
    const { file_name: fileName, ...others } = weights ?? {}
    return IndexOptions.parse({ chunkSize: input.chunk_size, k1, b, weights: { ...others, fileName } })
  }
}

/** `roots` are given when the index holds files outside them. */
function admissionOf({ filters }: SearchQuery, roots: readonly string[] | undefined): Admission {
  const ofFiles = filters.filter(({ field }) => field !== 'symbol')
  const ofSymbols = filters.filter(({ field }) => field === 'symbol')
  return {
    ...((ofFiles.length > 0 || roots !== undefined) && {
      file: (segment, file) => {
        const { path, rootLength, language } = segment.file(file)
        const wanted = roots === undefined || roots.some(root => path.startsWith(`${root}/`))
        return wanted && passesFile(ofFiles, path.slice(rootLength), language.name)
      },
    }),
    ...(ofSymbols.length > 0 && { chunk: (segment, chunk) => passesSymbol(ofSymbols, segment.chunk(chunk).symbol) }),
  }
}

function admits(admission: Admission, { segment, file, chunk }: Ranked): boolean {
  return (admission.file?.(segment, file) ?? true) && (admission.chunk?.(segment, chunk) ?? true)
}

/** Shows ranked files in order until the page is full. */
function collect(
  ranked: readonly Ranked[],
  offset: number,
  limit: number,
  show: (each: Ranked) => ReturnType<typeof showHit>,
) {
  const hits: SearchHit[] = []
  const stale: string[] = []
  for (const each of ranked) {
    if (hits.length === offset + limit) break
    const hit = show(each)
    if (hit === undefined) continue
    if ('stale' in hit) stale.push(hit.stale)
    else hits.push(hit)
  }
  return { hits: hits.slice(offset), stale }
}

/** Fits hits, best first, into a budget; each gets a fair share of what the better ones left. */
function fit(
  hits: readonly SearchHit[],
  maxTokens: number,
  terms: ReadonlyMap<string, string>,
  countTokens: (text: string) => number,
): SearchHit[] {
  const kept: SearchHit[] = []
  let left = maxTokens
  hits.forEach((hit, at) => {
    const share = Math.max(left / (hits.length - at), Math.min(left, minHitTokens))
    const cost = countTokens(hit.lines)
    const fitting = cost <= share ? hit : shorten(hit, share, terms, countTokens)
    if (fitting === undefined) return
    kept.push(fitting)
    left -= fitting === hit ? cost : countTokens(fitting.lines)
  })
  return kept
}

const minHitTokens = 60
