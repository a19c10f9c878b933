import type { IncomingHttpHeaders } from 'node:http'
import { writeOpenAiError } from '../wire/chat/error.ts'
import { messages } from '../wire/messages/protocol.ts'
import type { Protocol } from '../wire/protocol.ts'
import { protocols } from '../wire/protocols.ts'

/**
 * How errors are written for a request: in the format of the protocol whose path it has or is below, and elsewhere in
 * OpenAI's, unless an Anthropic client shows by its version header what it expects.
 */
export function errorFormatOf(url: string, headers: IncomingHttpHeaders = {}): Protocol['writeError'] {
  const path = withoutPrefix(url)
  const found = protocols.find(protocol =>
    [protocol.path, ...(protocol.relatedPaths ?? [])].some(each => path === each || path.startsWith(`${each}/`)),
  )
  const protocol = found ?? (headers['anthropic-version'] === undefined ? undefined : messages)
  return protocol === undefined ? writeOpenAiError : (error, requestId) => protocol.writeError(error, requestId)
}

/** The path without query, doubled slashes and the `/v1` that base URLs end with. */
function withoutPrefix(url: string): string {
  const [path = ''] = url.replace(/^https?:\/\/[^/]*/, '').split(/[?#]/, 1)
  return path.replaceAll(/\/{2,}/g, '/').replace(/^(?:\/v1)+(?=\/)/, '')
}
