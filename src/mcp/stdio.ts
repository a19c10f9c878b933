import type { Readable, Writable } from 'node:stream'
import type { McpServerFactory } from '@modelcontextprotocol/server'
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio'

export interface StdioOptions {
  factory: McpServerFactory
  stdin: Readable
  /** Carries only JSON-RPC. */
  stdout: Writable
  signal: AbortSignal
  onError?: (error: Error) => void
}

const maxMessageBytes = 32 * 1024 * 1024

/** Serves one MCP client of any revision until it closes stdin, stops reading stdout, or `signal` aborts. */
export async function serveMcpStdio({ factory, stdin, stdout, signal, onError }: StdioOptions): Promise<void> {
  const transport = new StdioServerTransport(stdin, stdout, { maxBufferSize: maxMessageBytes })
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
