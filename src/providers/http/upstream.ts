import type { Endpoint } from '../../config/config.ts'
import { asUpstreamError, type FailureCode, GatewayError } from '../../errors.ts'
import { asString, parseJson } from '../../json.ts'
import type { CallProgress, Credential, ProviderKind } from '../provider.ts'
import type { ReplyBody, TransportReply, TransportRequest } from './exchange.ts'
import type { Transport } from './transport.ts'
import { type ErrorSource, reportedFailure, upstreamFailure } from './upstream-failure.ts'

/** What an endpoint's files need to call it. Everything thrown is a `GatewayError` that names this endpoint. */
export interface Upstream {
  /** Display name, with the endpoint's name where there are several of a kind. */
  label: string
  /** The response to a successful request; an error response is thrown. `model` is the model that the error is about. */
  send(path: string, request: UpstreamRequest): Promise<TransportReply>
  /** The same, read completely and parsed as JSON. */
  json(path: string, request: UpstreamRequest): Promise<unknown>
  /** The same for a route that not every version has: undefined where the server rejects it; throws where it fails. */
  jsonIfKnown(path: string, request: UpstreamRequest): Promise<unknown>
  /** The result of `read`, which parses an answer of `model`; anything it throws becomes an error of this server. */
  understand<T>(model: string, read: () => T): T
  /** The error for an error body under status 200. */
  failure(error: unknown, model: string | undefined): GatewayError
}

export interface UpstreamRequest {
  method?: TransportRequest['method']
  json?: unknown
  content?: TransportRequest['content']
  /** In addition to those of every request. */
  headers?: Readonly<Record<string, string>>
  signal: AbortSignal
  model?: string
  progress?: CallProgress | undefined
  /** Used instead of the endpoint's key. */
  credential?: Credential | undefined
}

export interface UpstreamParts {
  endpoint: Endpoint
  transport: Transport
  now: () => number
  /** Display name of the kind. */
  label: string
  /** Without a trailing slash; paths are appended to it. */
  baseUrl: string
  headers?: Record<string, string>
  /** What to do when the connection fails. */
  remedy: string
  /** Anthropic's API accepts keys in its own header only. */
  keyHeader?: 'authorization' | 'x-api-key'
}

/** An endpoint's display name: its kind, and its name where that adds information. */
export function labelOf({ kind, label }: Pick<ProviderKind, 'kind' | 'label'>, { name }: Endpoint): string {
  return name === kind ? label : `${label} ${name}`
}

const rejections: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'model_not_found',
  'upstream_rejected',
  'upstream_unauthorized',
  'unsupported',
])
const maxErrorBytes = 64 * 1024
const maxAnswerBytes = 64 * 1024 * 1024

export function createUpstream(parts: UpstreamParts): Upstream {
  const { endpoint, transport, now, label, baseUrl, headers, remedy, keyHeader = 'authorization' } = parts
  const { apiKey, apiKeyVariable } = endpoint
  const source = (model: string | undefined, own?: Credential): ErrorSource => ({
    label,
    apiKey: own?.apiKey ?? apiKey,
    apiKeyVariable: own?.variable ?? apiKeyVariable,
    model,
    now: now(),
  })
  const headersFor = (key: string | undefined): Record<string, string> =>
    key === undefined
      ? { ...headers }
      : { ...headers, [keyHeader]: keyHeader === 'authorization' ? `Bearer ${key}` : key }
  const endpointHeaders = headersFor(apiKey)

  const upstream: Upstream = {
    label,
    async send(path, { method, json, content, headers, signal, model, progress, credential }) {
      const reply = await transport.send({
        method: method ?? (json === undefined ? 'GET' : 'POST'),
        url: baseUrl + path,
        headers: {
          ...(credential === undefined ? endpointHeaders : headersFor(credential.apiKey)),
          ...headers,
          ...traceHeaders(progress),
        },
        json,
        content,
        signal,
        remedy,
        onSent: progress?.sent,
      })
      const { status, body } = reply
      const generationId = asString(reply.headers['x-generation-id'])
      progress?.responded({ status, generationId })
      if (status >= 200 && status < 300) return reply
      const text = await readStart(body)
      throw upstreamFailure({ status, headers: reply.headers, text }, source(model, credential))
    },
    async json(path, request) {
      const { body } = await upstream.send(path, request)
      const value = parseJson(await readWhole(body, label))
      if (value !== undefined) return value
      throw new GatewayError('upstream_error', `${label} returned invalid JSON; check its address.`)
    },
    async jsonIfKnown(path, request) {
      try {
        return await upstream.json(path, request)
      } catch (error) {
        if (error instanceof GatewayError && rejections.has(error.code)) return undefined
        throw error
      }
    },
    understand(model, read) {
      try {
        return read()
      } catch (error) {
        throw asUpstreamError(error, `${label} (${model})`)
      }
    },
    failure: (error, model) => reportedFailure(error, source(model)),
  }
  return upstream
}

function traceHeaders(progress: CallProgress | undefined): Record<string, string> {
  return progress?.traceParent === undefined ? {} : { traceparent: progress.traceParent }
}

/** The error for a stream that ends without saying that the answer is complete. */
export function endedEarly({ label }: Pick<Upstream, 'label'>, model: string): GatewayError {
  return new GatewayError(
    'upstream_error',
    `${label} (${model}) ended its stream before the answer was complete; see its log.`,
  )
}

/** The complete body as text; `first` was read already. Throws `upstream_error` beyond 64 MB. */
export async function readWhole(body: ReplyBody, label: string, first?: Buffer): Promise<string> {
  const { bytes, complete } = await read(body, maxAnswerBytes, first)
  if (complete) return bytes.toString('utf8')
  throw new GatewayError('upstream_error', `${label} returned more than 64 MB; request less.`)
}

/** Maximum number of bytes read of an error response. */
async function readStart(body: ReplyBody): Promise<string> {
  const { bytes } = await read(body, maxErrorBytes)
  return bytes.toString('utf8')
}

async function read(body: ReplyBody, maxBytes: number, first: Buffer = Buffer.alloc(0)) {
  const parts = [first]
  let size = first.length
  for await (const part of body) {
    size += part.length
    parts.push(part)
    if (size > maxBytes) return { bytes: Buffer.concat(parts).subarray(0, maxBytes), complete: false }
  }
  return { bytes: Buffer.concat(parts), complete: true }
}
