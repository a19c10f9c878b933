import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Core } from '../core.ts'
import { GatewayError } from '../errors.ts'
import { mayReach, ownerShownTo } from '../operations/access.ts'
import type { Principal } from '../operations/operation.ts'
import { BatchOutcome, BatchSpec, batchKind, type BatchCounts, batchWindowMs, queueOfBatches } from '../tasks/batch.ts'
import { batchEndpoints } from '../tasks/batch-request.ts'
import type { FileStore } from '../tasks/file-store.ts'
import type { TaskView } from '../tasks/task-views.ts'
import { readBody } from '../wire/read-body.ts'
import { newFile, requireFile } from './files.ts'
import { pageOf } from './list-page.ts'

const maxMetadata = 16
const defaultBatches = 20
const maxListed = 1_000

export const BatchCreate = z.looseObject({
  input_file_id: z.string(),
  endpoint: z.string(),
  completion_window: z.literal('24h'),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .refine(value => Object.keys(value).length <= maxMetadata, `has more than ${maxMetadata} entries`)
    .nullish(),
})

type ById = { Params: { id: string } }
export type BatchRouteParts = Pick<Core, 'files' | 'tasks' | 'ledger' | 'now' | 'newId' | 'config'>

/** `/v1/batches`: many requests in one file, as a background task that yields to all other requests. */
export function registerBatchRoutes(app: FastifyInstance, core: BatchRouteParts): void {
  const { files, tasks, ledger, now, newId, config } = core

  app.post('/batches', async ({ body, principal }) => {
    const { input_file_id, endpoint, metadata = null } = readBody(BatchCreate, body)
    if (!batchEndpoints.includes(endpoint)) {
      const message = `A batch can ask ${batchEndpoints.join(', ')}; '${endpoint.slice(0, 100)}' is not one of them.`
      throw new GatewayError('unsupported', message, { param: 'endpoint' })
    }
    const { owner } = requireFile(files, input_file_id, principal)
    const results = ['output', 'error'].map(kind =>
      newFile(
        { id: newId('file'), owner, filename: `${input_file_id}_${kind}.jsonl`, purpose: 'batch_output' },
        now(),
        config(),
      ),
    )
    for (const file of results) await files.add(file, Buffer.alloc(0))
    const [output, error] = results
    const view = tasks.submit({
      kind: batchKind,
      spec: {
        input_file_id,
        endpoint,
        output_file_id: output!.id,
        error_file_id: error!.id,
        expires_at: now() + batchWindowMs,
        metadata,
      } satisfies BatchSpec,
      askedBy: principal.name,
      provider: queueOfBatches(principal.name),
      model: endpoint,
    })
    return batchObject(view, core)
  })
  app.get('/batches', async ({ principal, query }) => {
    const filter = { kind: batchKind, askedBy: ownerShownTo(principal) }
    const found = ledger.tasks.tasks(filter, { limit: maxListed, offset: 0 }).tasks
    const page = pageOf(
      found.toReversed().map(({ id }) => ({ id: batchIdOf(id) })),
      query,
      defaultBatches,
    )
    const data = await Promise.all(page.data.map(({ id }) => batchObject(requireBatch(core, id, principal), core)))
    return { ...page, data }
  })
  app.get<ById>('/batches/:id', ({ params, principal }) => batchObject(requireBatch(core, params.id, principal), core))
  app.post<ById>('/batches/:id/cancel', ({ params, principal }) => {
    const { task } = requireBatch(core, params.id, principal)
    tasks.cancel(task.id)
    return batchObject(tasks.view(task.id), core)
  })
}

/** Throws `not_found` for an unknown batch and for one of another API key alike. */
function requireBatch({ ledger, tasks }: BatchRouteParts, id: string, principal: Principal): TaskView {
  const task = ledger.tasks.task(id.replace(/^batch_/, 'task_'))
  if (task?.kind === batchKind && mayReach(principal, task.askedBy)) return tasks.view(task.id)
  throw new GatewayError('not_found', `Batch '${id.slice(0, 100)}' not found.`)
}

const statusOf = {
  queued: 'validating',
  in_progress: 'in_progress',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
} as const

function batchIdOf(taskId: string): string {
  return taskId.replace(/^task_/, 'batch_')
}

async function batchObject({ task, job, progress }: TaskView, { files }: Pick<Core, 'files'>) {
  const spec = BatchSpec.parse(task.spec)
  const outcome = BatchOutcome.safeParse(task.outcome).data
  const status = outcome?.expired === true ? 'expired' : statusOf[task.state]
  const endedAt = (state: string) => (status === state ? secondsOf(task.finishedAt) : null)
  const filled = (id: string) => (files.bytes(id) > 0 ? id : null)
  const failure = { code: job.failureCode, message: job.message, line: null, param: null }
  return {
    id: batchIdOf(task.id),
    object: 'batch',
    endpoint: spec.endpoint,
    errors: task.state === 'failed' ? { object: 'list', data: [failure] } : null,
    input_file_id: spec.input_file_id,
    completion_window: '24h',
    status,
    output_file_id: filled(spec.output_file_id),
    error_file_id: filled(spec.error_file_id),
    created_at: secondsOf(task.createdAt),
    in_progress_at: secondsOf(job.startedAt),
    expires_at: secondsOf(spec.expires_at),
    finalizing_at: null,
    completed_at: endedAt('completed'),
    failed_at: endedAt('failed'),
    expired_at: endedAt('expired'),
    cancelling_at: endedAt('cancelled'),
    cancelled_at: endedAt('cancelled'),
    request_counts: outcome?.requests ?? progress?.requests ?? (await countsOf(spec, files)),
    metadata: spec.metadata,
  }
}

/** The requests of a batch that ended early, as its files show them. */
async function countsOf({ output_file_id, error_file_id }: BatchSpec, files: FileStore): Promise<BatchCounts> {
  const [completed, failed] = [await files.lines(output_file_id), await files.lines(error_file_id)]
  return { total: completed + failed, completed, failed }
}

function secondsOf(ms: number | null): number | null {
  return ms === null ? null : Math.floor(ms / 1000)
}
