import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { GatewayError } from '../errors.ts'
import { answerQuery } from './answer-query.ts'
import type { IndexView } from './index-view.ts'
import type { IndexProgress } from './indexer.ts'
import { openLiveIndex, type IndexSettings } from './live-index.ts'
import { openMeaning, type Embed } from './meaning.ts'
import { IndexOptions } from './options.ts'
import { parseQuery, type SearchQuery } from './query.ts'
import { createRanker, type Ranker } from './rank.ts'
import type { RetrivInitInput, RetrivInitOutput, SearchInput, SearchOutput } from './requests.ts'
import { resolveRoots } from './roots.ts'

/** The dependencies and settings of the search. */
export interface SearchSettings extends Omit<IndexSettings, 'directory'> {
  /** The index is stored in its folder `search`. */
  dataDir: string
  countTokens: (text: string) => number
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

/** How often a query is answered again because files of its hits had changed. */
const maxAnswers = 3

export function openSearch(settings: SearchSettings): Search {
  const { now, log, countTokens } = settings
  const directory = path.join(settings.dataDir, 'search')
  const index = openLiveIndex({ ...settings, directory }, learnMeaning)
  const meaning = settings.embed === undefined ? undefined : openMeaning(directory, settings.embed)
  const closing = new AbortController()
  let ranking: { options: IndexOptions; ranker: Ranker } | undefined
  let learning: Promise<unknown> | undefined
  let closed: Promise<void> | undefined

  /** Keeps its working memory from query to query. */
  function rankerFor(options: IndexOptions): Ranker {
    if (ranking?.options !== options) ranking = { options, ranker: createRanker(options) }
    return ranking.ranker
  }

  function learnMeaning(view: IndexView): void {
    if (meaning === undefined || learning !== undefined || closing.signal.aborted) return
    learning = meaning
      .build(view, closing.signal)
      .catch((cause: unknown) => {
        if (!closing.signal.aborted) log.warn({ cause }, 'embedding the index failed; search remains lexical')
      })
      .finally(() => (learning = undefined))
  }

  function answer(options: IndexOptions, query: SearchQuery, input: SearchInput, signal: AbortSignal) {
    const ranker = rankerFor(options)
    return answerQuery(
      { view: index.view, roots: index.narrowedRoots, ranker, meaning, countTokens },
      query,
      input,
      signal,
    )
  }

  async function shutDown(): Promise<void> {
    closing.abort(new GatewayError('shutting_down', 'The search is closed.'))
    await learning
    await index.close()
  }

  return {
    async init(input, signal, onProgress) {
      const directories = resolveRoots(input.directories, settings)
      const started = now()
      const report = await index.replace(
        {
          roots: directories,
          excludePatterns: input.exclude_patterns ?? [],
          options: optionsOf(input),
          force: input.force_reindex ?? false,
        },
        signal,
        onProgress,
      )
      return {
        directories,
        files: index.view.fileCount,
        chunks: index.view.chunkCount,
        files_indexed: report.filesIndexed,
        files_removed: report.filesRemoved,
        skipped: report.skipped,
        skipped_examples: report.skippedExamples,
        index_bytes: index.view.sizeBytes,
        duration_ms: now() - started,
      }
    },
    async query(input, signal) {
      if (index.request === undefined) {
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
      await index.catchUp()
      for (let answers = 1; ; answers++) {
        const { output, stale } = await answer(index.request.options, query, input, signal).catch(index.repair)
        const { indexing } = index.status()
        if (stale.length === 0 || indexing || answers === maxAnswers) return { ...output, indexing }
        await index.refresh(stale)
      }
    },
    status() {
      const { indexing, progress, watchedFolders, watchComplete, skipped } = index.status()
      return {
        directories: [...(index.request?.roots ?? [])],
        files: index.view.fileCount,
        chunks: index.view.chunkCount,
        index_bytes: index.view.sizeBytes,
        indexing,
        progress,
        watched_folders: watchedFolders,
        watch_complete: watchComplete,
        skipped,
        vectors: meaning?.vectors ?? 0,
      }
    },
    close() {
      closed ??= shutDown()
      return closed
    },
  }
}

function optionsOf(input: RetrivInitInput): IndexOptions {
  const { k1, b, field_weights: weights } = input.bm25_options ?? {}
  const { file_name: fileName, ...others } = weights ?? {}
  return IndexOptions.parse({ chunkSize: input.chunk_size, k1, b, weights: { ...others, fileName } })
}
