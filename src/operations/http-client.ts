import { EventSourceParserStream } from 'eventsource-parser/stream'
import { GatewayError } from '../errors.ts'
import type { Client } from './client.ts'
import { readErrorEnvelope } from './error-envelope.ts'
import type { Progress } from './operation.ts'

export interface HttpClientOptions {
  /** Base URL of the instance, for example `http://127.0.0.1:3001`. */
  url: string
  /** Sent as a bearer token. */
  token?: string
}

/**
 * The cause of a `GatewayError` about the instance rather than the operation: it could not be reached, or stopped
 * meanwhile.
 */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
  /** Whether the instance may have started the work. */
  readonly begun: boolean

  constructor(begun: boolean, cause: unknown) {
    super(begun ? 'The connection was lost before the response arrived.' : 'The connection failed.', { cause })
    this.begun = begun
  }
}

/** Calls the operations of a running instance through `POST /admin/<name>`. */
export function httpClient({ url, token }: HttpClientOptions): Client {
  return {
    async call(name, input = {}, { signal = new AbortController().signal, progress } = {}) {
      const lost = (begun: boolean, cause: unknown) => {
        if (signal.aborted) return new GatewayError('client_closed', `${name} was cancelled by its caller.`)
        return new GatewayError('upstream_unavailable', `Cannot reach the Signalbox instance at ${url}.`, {
          cause: new ConnectionLost(begun, cause),
        })
      }
      let response: Response
      try {
        response = await fetch(`${url.replace(/\/$/, '')}/admin/${encodeURIComponent(name)}`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: 'text/event-stream',
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
          },
          body: JSON.stringify(input),
          signal,
        })
      } catch (error) {
        throw lost(!isRefused(error), error)
      }
      if (response.headers.get('content-type')?.includes('text/event-stream') !== true) {
        throw readErrorEnvelope(await response.json().catch(() => undefined), response.status)
      }
      try {
        for await (const event of readEvents(response)) {
          if (event.result !== undefined) return event.result
          if (event.error !== undefined) throw readErrorEnvelope(event, response.status)
          if (event.progress !== undefined) progress?.(event.progress)
        }
      } catch (error) {
        throw error instanceof GatewayError ? error : lost(true, error)
      }
      throw lost(true, undefined)
    },
  }
}

interface AnswerEvent {
  progress?: Progress
  result?: Record<string, unknown>
  error?: unknown
}

async function* readEvents({ body }: Response): AsyncGenerator<AnswerEvent> {
  if (body === null) return
  const events = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
  for await (const { data } of events) yield JSON.parse(data) as AnswerEvent
}

/** The request certainly never arrived, so even work that costs money may be sent to another instance. */
function isRefused(error: unknown): boolean {
  const cause = (error as { cause?: { code?: unknown } }).cause
  return cause?.code === 'ECONNREFUSED' || cause?.code === 'UND_ERR_CONNECT_TIMEOUT'
}
