import type { IncomingHttpHeaders } from 'node:http'

/** An upstream's answer, before anything is known about what it means. */
export interface TransportReply {
  status: number
  headers: IncomingHttpHeaders
  /** Ends with an error when the socket breaks before the body is complete. */
  body: AsyncIterable<Buffer>
}

export interface TransportRequest {
  method: 'GET' | 'POST' | 'DELETE'
  url: string
  headers?: Record<string, string>
  /** Sent as JSON. */
  json?: unknown
  signal: AbortSignal
}

/** The connections to all upstreams. It throws only `GatewayError` and follows no redirects. */
export interface Transport {
  send(request: TransportRequest): Promise<TransportReply>
  close(): Promise<void>
}
