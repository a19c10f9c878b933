import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { asGatewayError, GatewayError } from '../errors.ts'
import { asObject, type JsonObject } from '../json.ts'
import { commentFrame } from '../wire/protocol.ts'
import type { Client } from './client.ts'
import { takeOver } from './take-over.ts'
import { errorEnvelope } from './error-envelope.ts'
import { disconnectSignal } from './disconnect-signal.ts'
import type { Operation, Principal } from './operation.ts'

export interface OperationRoutes {
  operations: readonly Operation<never>[]
  client: Client
  /** The caller's name and access; throws `unauthorized` or `forbidden` for one without. */
  authorize: (request: FastifyRequest) => Principal | Promise<Principal>
}

const keepAliveMs = 10_000

/**
 * `POST /admin/<name>` for every operation, and the dedicated path of those that have one. A caller that accepts
 * `text/event-stream` gets `{progress}` as it happens and then one `{result}` or `{error}`. The app parses bodies and
 * writes errors.
 */
export function registerOperations(app: FastifyInstance, { operations, client, authorize }: OperationRoutes): void {
  const answer = async (name: string, input: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const principal = await authorize(request)
    const signal = disconnectSignal(reply)
    if (request.headers.accept?.includes('text/event-stream') === true) {
      await stream(reply, progress => client.call(name, input, { principal, signal, progress }))
      return reply
    }
    return await client.call(name, input, { principal, signal })
  }

  app.post<{ Params: { name: string } }>('/admin/:name', (request, reply) =>
    answer(request.params.name, request.body ?? {}, request, reply),
  )
  for (const { name, http, input } of operations) {
    if (http === undefined) continue
    const coerce = queryReader(input)
    app.route({
      method: http.method,
      url: http.path,
      handler: (request, reply) =>
        answer(name, { ...bodyOf(request), ...coerce(request.query), ...coerce(request.params) }, request, reply),
    })
  }
}

function bodyOf({ body }: FastifyRequest): JsonObject {
  if (body === undefined || body === null) return {}
  const fields = asObject(body)
  if (fields === undefined) throw new GatewayError('invalid_request', 'The request body must be a JSON object.')
  return fields
}

/**
 * Converts strings of a query or path to the schema's types; a string that does not fit stays as it is, for the schema
 * to reject.
 */
function queryReader(input: z.ZodObject): (values: unknown) => Record<string, unknown> {
  const schema = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' })
  const typeOf = (key: string) => {
    const property = schema.properties?.[key]
    return typeof property === 'object' ? property.type : undefined
  }
  const coerce = (key: string, value: unknown): unknown => {
    const type = typeOf(key)
    if (type === 'array') return Array.isArray(value) ? value : [value]
    if (typeof value !== 'string' || value === '') return value
    if (type === 'number' || type === 'integer') return Number.isNaN(Number(value)) ? value : Number(value)
    if (type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value
    return value
  }
  return values =>
    Object.fromEntries(Object.entries(asObject(values) ?? {}).map(([key, value]) => [key, coerce(key, value)]))
}

async function stream(
  reply: FastifyReply,
  call: (progress: (progress: unknown) => void) => Promise<Record<string, unknown>>,
): Promise<void> {
  const raw = takeOver(reply)
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' })
  const send = (data: unknown) => {
    raw.write(`data: ${JSON.stringify(data)}\n\n`)
  }
  raw.flushHeaders()
  const keepAlive = setInterval(() => raw.write(commentFrame), keepAliveMs)
  try {
    const result = await call(progress => {
      // A slow reader misses progress steps instead of making us buffer them.
      if (!raw.writableNeedDrain) send({ progress })
    })
    send({ result })
  } catch (error) {
    send(errorEnvelope(asGatewayError(error)))
  } finally {
    clearInterval(keepAlive)
    raw.end()
  }
}
