import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from 'node:http'

/** How much of a refused body is read, and for how long, before its connection is cut. */
const maxDrainBytes = 128 * 1024 * 1024
const maxDrainMs = 10_000

/** Whether a request has a body of which some has not arrived yet. */
export function hasUnreadBody({ headers, complete, destroyed }: IncomingMessage): boolean {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
  return hasBody && !complete && !destroyed
}

export interface EarlyReply {
  status: number
  headers: Readonly<Record<string, OutgoingHttpHeader | undefined>>
  body: object
}

/**
 * Answers a request whose body is still arriving, and closes the connection. Many clients read nothing before they have
 * written everything, and a socket that is closed with unread data in it is reset, which discards the answer: so the answer
 * is sent at once and the connection is closed only when the body has ended or the limits above are reached.
 */
export async function sendWhileReading(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: EarlyReply,
): Promise<void> {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    connection: 'close',
  })
  response.write(text)
  await drained(request)
  response.end()
}

function drained(request: IncomingMessage): Promise<void> {
  return new Promise(resolve => {
    let bytes = 0
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(done, maxDrainMs)
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > maxDrainBytes) done()
    })
    request.unpipe()
    request.once('end', done).once('close', done).once('error', done)
    request.resume()
  })
}
