import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { asGatewayError, GatewayError } from '../errors.ts'
import type { Client } from './client.ts'
import { errorEnvelope } from './error-envelope.ts'
import type { Operation, Principal } from './operation.ts'

export interface OperationRoutes {
  operations: readonly Operation<never>[]
  client: Client
  /** Who sent the request; throws `unauthorized` or `forbidden` for one that may not. */
  authorize: (request: FastifyRequest) => Principal | Promise<Principal>
}

const bodyLimitBytes = 32 * 1024 * 1024
const keepAliveMs = 10_000

/**
 * `POST /admin/<name>` for every operation, and the path of its own that some have. A caller that accepts
 * `text/event-stream` gets `{progress}` as it happens and then one `{result}` or `{error}`.
 */
export function registerOperations(app: FastifyInstance, { operations, client, authorize }: OperationRoutes): void {
  const answer = async (name: string, input: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const principal = await authorize(request)
    const signal = hangUpSignal(reply)
    if (request.headers.accept?.includes('text/event-stream') === true) {
      await stream(reply, progress => client.call(name, input, { principal, signal, progress }))
      return reply
    }
    return await client.call(name, input, { principal, signal })
  }

  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: bodyLimitBytes }, readJson)
    scope.setErrorHandler((error, _request, reply) => sendFailure(reply, error))
    scope.post<{ Params: { name: string } }>('/admin/:name', { bodyLimit: bodyLimitBytes }, (request, reply) =>
      answer(request.params.name, request.body ?? {}, request, reply),
    )
    for (const { name, http, input } of operations) {
      if (http === undefined) continue
      const coerce = queryReader(input)
      scope.route({
        method: http.method,
        url: http.path,
        bodyLimit: bodyLimitBytes,
        handler: (request, reply) =>
          answer(
            name,
            { ...asObject(request.body), ...coerce(request.query), ...coerce(request.params) },
            request,
            reply,
          ),
      })
    }
    done()
  })
}

function readJson(
  _request: FastifyRequest,
  body: string | Buffer,
  done: (error: Error | null, body?: unknown) => void,
) {
  if (body.length === 0) {
    done(null)
    return
  }
  try {
    done(null, JSON.parse(body.toString()))
  } catch (cause) {
    done(new GatewayError('invalid_json', 'The request body is not JSON.', { cause }))
  }
}

/** Strings of a query or path as what the schema wants; what does not look like it stays a string for the schema to refuse. */
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
  return values => Object.fromEntries(Object.entries(asObject(values)).map(([key, value]) => [key, coerce(key, value)]))
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** Aborts when the caller hangs up before it has its answer. */
function hangUpSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort()
  })
  return controller.signal
}

async function stream(
  reply: FastifyReply,
  call: (progress: (progress: unknown) => void) => Promise<Record<string, unknown>>,
): Promise<void> {
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' })
  const send = (data: unknown) => {
    raw.write(`data: ${JSON.stringify(data)}\n\n`)
  }
  raw.flushHeaders()
  const keepAlive = setInterval(() => raw.write(': waiting\n\n'), keepAliveMs)
  try {
    const result = await call(progress => {
      // A reader that lags misses steps instead of making us hold them.
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

function sendFailure(reply: FastifyReply, thrown: unknown): void {
  const error = fromFastify(thrown)
  if (error.retryAfterSeconds !== undefined) void reply.header('retry-after', Math.ceil(error.retryAfterSeconds))
  void reply.code(error.failure.status).send(errorEnvelope(error))
}

/** Fastify's own refusals come without a code of ours and would otherwise read as our fault. */
function fromFastify(thrown: unknown): GatewayError {
  const status = (thrown as { statusCode?: unknown }).statusCode
  if (thrown instanceof GatewayError || typeof status !== 'number') return asGatewayError(thrown)
  const message = (thrown as Error).message
  if (status === 413) return new GatewayError('request_too_large', 'The request body is over 32 MB.', { cause: thrown })
  if (status === 415)
    return new GatewayError('unsupported_media_type', 'Send the body as application/json.', { cause: thrown })
  return status < 500 ? new GatewayError('invalid_request', message, { cause: thrown }) : asGatewayError(thrown)
}
