import type { Readable, Writable } from 'node:stream'
import type { McpServerFactory } from '@modelcontextprotocol/server'
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { holdUntilReady } from './hold-until-ready.ts'

export interface StdioOptions {
  factory: McpServerFactory
  stdin: Readable
  /** Carries only JSON-RPC. */
  stdout: Writable
  signal: AbortSignal
  /** Settles once requests can be served; until then only the handshake is answered and everything else waits. */
  ready?: Promise<unknown>
  onError?: (error: Error) => void
}

const maxMessageBytes = 32 * 1024 * 1024

/** Serves one MCP client of any revision until it closes stdin, stops reading stdout, or `signal` aborts. */
export async function serveMcpStdio({ factory, stdin, stdout, signal, ready, onError }: StdioOptions): Promise<void> {
  const wire = new StdioServerTransport(stdin, stdout, { maxBufferSize: maxMessageBytes })
  const transport = ready === undefined ? wire : holdUntilReady(wire, { ready, stdin })
  const ended = Promise.withResolvers<void>()
  for (const [stream, event] of [
    [stdin, 'end'],
    [stdin, 'close'],
    [stdout, 'error'],
    [stdout, 'close'],
  ] as const) {
    stream.once(event, () => {
      ended.resolve()
    })
  }
  signal.addEventListener('abort', () => {
    ended.resolve()
  })
  const connection = serveStdio(factory, { transport, ...(onError !== undefined && { onerror: onError }) })
  await ended.promise
  await connection.close()
}
