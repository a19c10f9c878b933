import { GatewayError } from '../errors.ts'
import type { IndexWriter } from './index-writer.ts'
import type { IndexProgress, IndexReport, IndexRequest } from './indexer.ts'

export interface PassStatus {
  /** Whether a complete pass over the directories is under way. */
  indexing: boolean
  /** Of that pass. */
  progress: IndexProgress | undefined
  /** Number of files the last pass left out, by reason. */
  skipped: Readonly<Record<string, number>>
}

/** Complete passes over the directories of a request. */
export interface IndexPasses {
  /** @throws {GatewayError} `client_closed` when cancelled; the reason of the shutdown when it is that. */
  run(request: IndexRequest, signal: AbortSignal, onProgress: (progress: IndexProgress) => void): Promise<IndexReport>
  status(): PassStatus
}

export function createIndexPasses(writer: IndexWriter, closing: AbortSignal): IndexPasses {
  let running = 0
  let progress: IndexProgress | undefined
  let skipped: PassStatus['skipped'] = {}
  return {
    async run(request, signal, onProgress) {
      running++
      try {
        const report = await writer.sync(
          request,
          step => {
            progress = step
            onProgress(step)
          },
          AbortSignal.any([signal, closing]),
        )
        skipped = report.skipped
        return report
      } catch (cause) {
        closing.throwIfAborted()
        if (signal.aborted)
          throw new GatewayError('client_closed', 'Indexing was cancelled; files indexed so far are kept.', { cause })
        throw cause
      } finally {
        running--
      }
    },
    status: () => ({ indexing: running > 0, progress: running > 0 ? progress : undefined, skipped }),
  }
}
