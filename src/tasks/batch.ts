import { createInterface } from 'node:readline'
import { z } from 'zod'
import { asGatewayError, GatewayError } from '../errors.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { asObject, asString, parseJson } from '../json.ts'
import { writeOpenAiError } from '../wire/chat/error.ts'
import { answerBatchRequest, readBatchRequest, type BatchRequest } from './batch-request.ts'
import type { FileStore } from './file-store.ts'
import type { RunningJob, TaskHandler } from './task-handler.ts'

/** Kind of the task that runs a batch. */
export const batchKind = 'batch'
const maxRequests = 50_000
const maxLineCharacters = 4 * 1024 * 1024
/** Requests of one batch that are in progress at the same time; they wait for slots behind all others. */
const maxParallel = 8
/** Milliseconds that a batch may take. */
export const batchWindowMs = 24 * 3_600_000

/** A batch as it was submitted. */
export const BatchSpec = z.object({
  input_file_id: z.string(),
  endpoint: z.string(),
  output_file_id: z.string(),
  error_file_id: z.string(),
  /** Milliseconds since the epoch. */
  expires_at: z.number(),
  metadata: z.record(z.string(), z.string()).nullable(),
})
export type BatchSpec = z.output<typeof BatchSpec>

/** Requests of a batch. */
export const BatchCounts = z.object({ total: z.int(), completed: z.int(), failed: z.int() })
export type BatchCounts = z.output<typeof BatchCounts>

/** How a batch ended that ran to its end. */
export const BatchOutcome = z.object({ requests: BatchCounts, expired: z.boolean() })
export type BatchOutcome = z.output<typeof BatchOutcome>

export interface BatchParts {
  gateway: Gateway
  files: FileStore
  now: () => number
  newRequestId: () => string
}

/** Runs a batch: every request of its input file, with a line in its output or its error file for each. */
export function batchHandler(parts: BatchParts): TaskHandler {
  const { files, now } = parts
  return {
    resumes: true,
    async run(input, job) {
      const spec = BatchSpec.parse(input)
      job.started(queueOfBatches(job.askedBy), spec.endpoint)
      const total = await validate(parts, spec)
      const done = await answered(files, spec)
      const counts = { total, completed: done.completed.size, failed: done.failed.size }
      const report = () => {
        const ended = counts.completed + counts.failed
        job.progressed({ share: ended / total, message: `${ended} of ${total} requests`, requests: { ...counts } })
      }
      report()
      let expired = false
      const answerNext = async (request: BatchRequest) => {
        job.signal.throwIfAborted()
        expired ||= now() >= spec.expires_at
        const line = expired ? expiredLine(request) : await answer(parts, request, job)
        counts[line.ok ? 'completed' : 'failed'] += 1
        await files.append(line.ok ? spec.output_file_id : spec.error_file_id, `${line.text}\n`)
        report()
      }
      await inParallel(unanswered(files, spec, done), answerNext)
      return { requests: counts, expired } satisfies BatchOutcome
    },
  }
}

/** Batches of one key run one after the other, and those of different keys at the same time. */
export function queueOfBatches(askedBy: string): string {
  return `batches of ${askedBy}`
}

/** Reads the whole input once, so that a batch with an error in it costs nothing. Returns the number of requests. */
async function validate({ files }: BatchParts, spec: BatchSpec): Promise<number> {
  const ids = new Set<string>()
  let number = 0
  for await (const line of linesOf(files, spec.input_file_id)) {
    number += 1
    const invalid = (what: string) => new GatewayError('invalid_request', `Line ${number} of the input file: ${what}.`)
    if (number > maxRequests) throw invalid(`a batch has at most ${maxRequests} requests`)
    if (line.length > maxLineCharacters) throw invalid('it is longer than 4 MB')
    try {
      const { custom_id: id } = await readBatchRequest(line, spec.endpoint)
      if (ids.has(id)) throw new GatewayError('invalid_request', `custom_id: '${id}' is there twice`)
      ids.add(id)
    } catch (error) {
      throw invalid(asGatewayError(error).message)
    }
  }
  if (number === 0) throw new GatewayError('invalid_request', 'The input file is empty.')
  return number
}

interface Answered {
  completed: ReadonlySet<string>
  failed: ReadonlySet<string>
}

/** What an earlier process had answered already. */
async function answered(files: FileStore, spec: BatchSpec): Promise<Answered> {
  const idsIn = async (fileId: string) => {
    const ids = new Set<string>()
    await files.dropIncompleteLine(fileId)
    for await (const line of linesOf(files, fileId)) ids.add(asString(asObject(parseJson(line))?.['custom_id']) ?? '')
    return ids
  }
  return { completed: await idsIn(spec.output_file_id), failed: await idsIn(spec.error_file_id) }
}

async function* unanswered(files: FileStore, spec: BatchSpec, done: Answered): AsyncGenerator<BatchRequest> {
  for await (const line of linesOf(files, spec.input_file_id)) {
    const request = await readBatchRequest(line, spec.endpoint)
    if (!done.completed.has(request.custom_id) && !done.failed.has(request.custom_id)) yield request
  }
}

/** The lines of a file that are not blank. */
async function* linesOf(files: FileStore, fileId: string): AsyncGenerator<string> {
  if (files.get(fileId) === undefined) {
    throw new GatewayError('not_found', `The file '${fileId}' of the batch is no longer there.`)
  }
  const source = files.read(fileId)
  try {
    for await (const line of createInterface({ input: source, crlfDelay: Infinity })) if (line.trim() !== '') yield line
  } finally {
    source.destroy()
  }
}

/** Passes every value to `run`, some at the same time. The first error ends it. */
async function inParallel<T>(values: AsyncGenerator<T>, run: (value: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = []
  const work = async () => {
    try {
      while (failures.length === 0) {
        const next = await values.next()
        if (next.done === true) return
        await run(next.value)
      }
    } catch (error) {
      failures.push(error)
    }
  }
  await Promise.all(Array.from({ length: maxParallel }, work))
  await values.return(undefined)
  if (failures.length > 0) throw failures[0]
}

interface ResultLine {
  ok: boolean
  text: string
}

async function answer(parts: BatchParts, request: BatchRequest, job: RunningJob): Promise<ResultLine> {
  const { gateway, now, newRequestId } = parts
  const requestId = newRequestId()
  const call = { requestId, keyId: job.askedBy, signal: job.signal, receivedAt: now(), priority: 'low' } as const
  try {
    const body = await answerBatchRequest(gateway, call, request, now)
    return { ok: true, text: resultLine(request, { status_code: 200, request_id: requestId, body }) }
  } catch (error) {
    // Cancelled or shutting down: the request is not answered.
    job.signal.throwIfAborted()
    const { status, body } = writeOpenAiError(asGatewayError(error))
    return { ok: false, text: resultLine(request, { status_code: status, request_id: requestId, body }) }
  }
}

function expiredLine(request: BatchRequest): ResultLine {
  const error = { code: 'batch_expired', message: 'The batch expired before this request was sent.' }
  return { ok: false, text: resultLine(request, null, error) }
}

function resultLine({ custom_id }: BatchRequest, response: object | null, error: object | null = null): string {
  return JSON.stringify({ id: `batch_req_${custom_id}`, custom_id, response, error })
}
