import type { CallToolResult } from '@modelcontextprotocol/server'

/** What an operation returned: structured, and as text for clients that read nothing else. */
export function toolResult(output: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(output) }], structuredContent: output }
}

/** A failed call: only text, since structured content would have to match the output schema, which an error never does. */
export function failedResult(error: { code: string; message: string; retryAfterSeconds?: number }): CallToolResult {
  const { code, message, retryAfterSeconds } = error
  const retry = retryAfterSeconds === undefined ? '' : ` Try again in ${String(Math.ceil(retryAfterSeconds))} s.`
  return { isError: true, content: [{ type: 'text', text: `${code}: ${message}${retry}` }] }
}
