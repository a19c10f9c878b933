import { Worker } from 'node:worker_threads'
import { GatewayError } from '../errors.ts'
import type { IndexProgress, IndexReport, IndexRequest } from './indexer.ts'
import type { WorkerAnswer, WorkerSettings, WorkerTask } from './worker.ts'

/**
 * The worker thread that writes the index: started when there is work, and ended after a complete sync, because only
 * ending a thread releases its memory.
 */
export interface IndexWriter {
  sync(request: IndexRequest, onProgress: (progress: IndexProgress) => void, signal: AbortSignal): Promise<IndexReport>
  update(request: IndexRequest, paths: readonly string[]): Promise<{ changed: number; folders: string[] }>
  /** Cancels the current task, keeping what is written, and waits for the thread to end. */
  close(): Promise<void>
}

interface Waiting {
  answered: (answer: WorkerAnswer) => void
  failed: (error: unknown) => void
  onProgress?: (progress: IndexProgress) => void
}

// Indexing creates short-lived garbage; the default of 48 MB per thread would only delay its collection.
const youngHeapMb = 8

/** `rested` is called when merging after a task has finished or failed. */
export function startIndexWriter(settings: WorkerSettings, rested: (failure?: unknown) => void): IndexWriter {
  const waiting = new Map<number, Waiting>()
  const ending = new Set<Promise<unknown>>()
  let worker: Worker | undefined
  let nextId = 1
  let closed = false

  const start = () => {
    // The published package contains JavaScript; unlike an import, a URL's extension is not rewritten by the compiler.
    const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const started = new Worker(new URL(`./worker.${suffix}`, import.meta.url), {
      workerData: settings,
      resourceLimits: { maxYoungGenerationSizeMb: youngHeapMb },
    })
    started.on('message', (answer: WorkerAnswer) => {
      if (answer.kind === 'rested') {
        if (answer.merged || answer.failure !== undefined) rested(answer.failure)
        if (answer.after === 'sync' && waiting.size === 0 && worker === started) retire(started)
        return
      }
      const asked = waiting.get(answer.id)
      if (answer.kind === 'progress') return asked?.onProgress?.(answer.progress)
      waiting.delete(answer.id)
      asked?.answered(answer)
    })
    started.on('error', failAll)
    started.on('exit', () => {
      if (worker !== started) return
      worker = undefined
      failAll(new GatewayError('shutting_down', 'The index writer has stopped; try again when the server is running.'))
    })
    return started
  }
  const retire = (old: Worker) => {
    const ended = new Promise(resolve => old.once('exit', resolve))
    ending.add(ended)
    void ended.then(() => ending.delete(ended))
    post(old, { id: nextId++, kind: 'close' })
    worker = undefined
  }
  const failAll = (error: unknown) => {
    for (const { failed } of waiting.values()) failed(error)
    waiting.clear()
  }
  const send = (task: WorkerTask) => {
    worker ??= start()
    post(worker, task)
  }
  const ask = (task: WorkerTask, onProgress?: (progress: IndexProgress) => void) =>
    new Promise<WorkerAnswer>((answered, failed) => {
      if (closed) return failed(new GatewayError('shutting_down', 'The search is closed.'))
      waiting.set(task.id, { answered, failed, ...(onProgress === undefined ? {} : { onProgress }) })
      send(task)
    })
  return {
    async sync(request, onProgress, signal) {
      const id = nextId++
      const cancel = () => waiting.has(id) && send({ id, kind: 'cancel' })
      signal.throwIfAborted()
      signal.addEventListener('abort', cancel, { once: true })
      try {
        const answer = await ask({ id, kind: 'sync', request }, onProgress)
        if (answer.kind === 'synced') return answer.report
        signal.throwIfAborted()
        throw failureOf(answer)
      } finally {
        signal.removeEventListener('abort', cancel)
      }
    },
    async update(request, paths) {
      const answer = await ask({ id: nextId++, kind: 'update', request, paths })
      if (answer.kind === 'updated') return answer
      throw failureOf(answer)
    },
    async close() {
      closed = true
      for (const id of waiting.keys()) send({ id, kind: 'cancel' })
      if (worker !== undefined) retire(worker)
      await Promise.all(ending)
      failAll(new GatewayError('shutting_down', 'The search is closed.'))
    },
  }
}

function post(worker: Worker, task: WorkerTask): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
  worker.postMessage(task)
}

function failureOf(answer: WorkerAnswer): GatewayError {
  const cause = answer.kind === 'failed' ? answer.error : answer
  return new GatewayError('internal', 'Indexing failed; see the log for the cause.', { cause })
}
