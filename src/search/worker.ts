import { parentPort, workerData } from 'node:worker_threads'
import { createIndexer, type IndexProgress, type IndexReport, type IndexRequest } from './indexer.ts'

export interface WorkerSettings {
  directory: string
  excludePatterns: readonly string[]
}

/** Messages to the worker. `id` pairs a response with its request. */
export type WorkerTask =
  | { id: number; kind: 'sync'; request: IndexRequest }
  | { id: number; kind: 'update'; request: IndexRequest; paths: readonly string[] }
  | { id: number; kind: 'cancel' }
  | { id: number; kind: 'close' }

export type WorkerAnswer =
  | { id: number; kind: 'progress'; progress: IndexProgress }
  | { id: number; kind: 'synced'; report: IndexReport }
  | { id: number; kind: 'updated'; changed: number; folders: string[] }
  | { id: number; kind: 'failed'; cancelled: boolean; error: unknown }
  /** Merging after a task has finished, or was not needed. */
  | { id: number; kind: 'rested'; after: 'sync' | 'update'; merged: boolean; failure?: unknown }

const port = parentPort!
const { directory, excludePatterns } = workerData as WorkerSettings
const indexer = createIndexer(directory, excludePatterns, () => performance.now())
const cancels = new Map<number, AbortController>()
// One writer, one task at a time.
let last: Promise<void> = Promise.resolve()
let rest: NodeJS.Timeout | undefined
let waiting = 0

// Edits come in bursts; each would wait for the merge after the previous one.
const restAfterMs = 250

port.on('message', (task: WorkerTask) => {
  if (task.kind === 'cancel') return cancels.get(task.id)?.abort()
  cancels.set(task.id, new AbortController())
  clearTimeout(rest)
  waiting++
  last = last.then(() => perform(task)).finally(() => waiting--)
})

/** Merges when idle: at once after a sync, and when edits pause after an update. */
function restLater(id: number, after: 'sync' | 'update'): void {
  const begin = () => {
    if (waiting > 0) return
    let answer: WorkerAnswer
    try {
      answer = { id, kind: 'rested', after, merged: indexer.tidy(after === 'sync') }
    } catch (failure) {
      answer = { id, kind: 'rested', after, merged: false, failure }
    }
    port.postMessage(answer)
  }
  clearTimeout(rest)
  rest = setTimeout(begin, after === 'sync' ? 0 : restAfterMs)
}

async function perform(task: Exclude<WorkerTask, { kind: 'cancel' }>): Promise<void> {
  const { signal } = cancels.get(task.id)!
  const answer = (message: WorkerAnswer) => port.postMessage(message)
  try {
    signal.throwIfAborted()
    if (task.kind === 'close') {
      clearTimeout(rest)
      indexer.close()
      port.close()
    } else if (task.kind === 'sync') {
      const onProgress = (progress: IndexProgress) =>
        answer({ id: task.id, kind: 'progress', progress: { ...progress } })
      answer({ id: task.id, kind: 'synced', report: await indexer.sync(task.request, onProgress, signal) })
      restLater(task.id, 'sync')
    } else {
      answer({ id: task.id, kind: 'updated', ...indexer.update(task.request, task.paths) })
      restLater(task.id, 'update')
    }
  } catch (error) {
    answer({ id: task.id, kind: 'failed', cancelled: signal.aborted, error })
  } finally {
    cancels.delete(task.id)
  }
}
