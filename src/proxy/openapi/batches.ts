import { z } from 'zod'
import { BatchCreate } from '../batches.ts'
import { ListQuery } from '../list-page.ts'
import { OpenAiErrorResponse } from './responses.ts'
import type { RouteDescription } from './route-description.ts'

const id = z.object({ id: z.string() })
const described = { tag: 'Batches', error: OpenAiErrorResponse } as const

const FileResponse = z
  .object({
    id: z.string(),
    object: z.literal('file'),
    bytes: z.int(),
    created_at: z.int(),
    expires_at: z.int(),
    filename: z.string(),
    purpose: z.string(),
    status: z.string(),
  })
  .meta({ id: 'FileResponse' })

const seconds = z.int().nullable()
const BatchResponse = z
  .looseObject({
    id: z.string(),
    object: z.literal('batch'),
    endpoint: z.string(),
    status: z.enum(['validating', 'in_progress', 'completed', 'expired', 'failed', 'cancelled']),
    input_file_id: z.string(),
    output_file_id: z.string().nullable(),
    error_file_id: z.string().nullable(),
    created_at: seconds,
    completed_at: seconds,
    expires_at: seconds,
    request_counts: z.object({ total: z.int(), completed: z.int(), failed: z.int() }),
  })
  .meta({ id: 'BatchResponse' })

const listOf = (item: z.ZodType) =>
  z.object({
    object: z.literal('list'),
    data: z.array(item),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  })

/** Files and batches in OpenAI's form. */
export const batchRoutes: readonly RouteDescription[] = [
  {
    ...described,
    method: 'post',
    path: '/v1/files',
    operationId: 'create_file',
    summary: 'Stores the input of a batch: one request per line.',
    body: z.object({ file: z.string().meta({ format: 'binary' }), purpose: z.literal('batch') }),
    bodyTypes: ['multipart/form-data'],
    response: FileResponse,
  },
  {
    ...described,
    method: 'get',
    path: '/v1/files',
    operationId: 'list_files',
    summary: 'The caller’s files.',
    query: ListQuery,
    response: listOf(FileResponse),
  },
  {
    ...described,
    method: 'get',
    path: '/v1/files/{id}',
    operationId: 'get_file',
    summary: 'What is known of a file.',
    params: id,
    response: FileResponse,
  },
  {
    ...described,
    method: 'get',
    path: '/v1/files/{id}/content',
    operationId: 'get_file_content',
    summary: 'The lines of a file.',
    params: id,
    also: ['application/jsonl'],
  },
  {
    ...described,
    method: 'post',
    path: '/v1/batches',
    operationId: 'create_batch',
    summary: 'Answers the requests of a file in the background, behind all other requests.',
    body: BatchCreate,
    response: BatchResponse,
  },
  {
    ...described,
    method: 'get',
    path: '/v1/batches',
    operationId: 'list_batches',
    summary: 'The caller’s batches.',
    query: ListQuery,
    response: listOf(BatchResponse),
  },
  {
    ...described,
    method: 'get',
    path: '/v1/batches/{id}',
    operationId: 'get_batch',
    summary: 'State and results of a batch.',
    params: id,
    response: BatchResponse,
  },
  {
    ...described,
    method: 'post',
    path: '/v1/batches/{id}/cancel',
    operationId: 'cancel_batch',
    summary: 'Ends a batch; what was answered stays.',
    params: id,
    response: BatchResponse,
  },
  {
    ...described,
    method: 'delete',
    path: '/v1/files/{id}',
    operationId: 'delete_file',
    summary: 'Deletes a file.',
    params: id,
    response: z.object({ id: z.string(), object: z.literal('file'), deleted: z.literal(true) }),
  },
]
