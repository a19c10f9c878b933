import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { wordCount, wordOf } from './words.ts'

/** What this process answers to `state`. */
export interface UpstreamState {
  /** Streams that are being answered, and the most there were at the same time. */
  open: number
  mostOpen: number
}

/**
 * A child process: an OpenAI-compatible server that streams words which name their request. No stream ends between the parent's
 * `hold` and `finish`.
 */
const everyMs = 100
const usage = { prompt_tokens: 12, completion_tokens: wordCount, total_tokens: 12 + wordCount }
const models = JSON.stringify({ object: 'list', data: [{ id: 'scripted', object: 'model', created: 1 }] })
const open = new Set<ServerResponse>()
let mostOpen = 0
let mayFinish = false

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(request.url === '/v1/models' ? 200 : 404, { 'content-type': 'application/json' }).end(models)
    return
  }
  const pieces: Buffer[] = []
  request.on('data', (piece: Buffer) => pieces.push(piece))
  request.on('end', () => {
    const { messages } = JSON.parse(Buffer.concat(pieces).toString()) as { messages: { content: string }[] }
    answer(response, messages.at(-1)!.content)
  })
})
// A thousand connections arrive at once.
server.listen({ port: 0, host: '127.0.0.1', backlog: 2_000 }, () =>
  process.send?.({ port: (server.address() as AddressInfo).port }),
)
process.on('message', message => {
  if (message === 'state') process.send?.({ open: open.size, mostOpen } satisfies UpstreamState)
  else mayFinish = message === 'finish'
})
process.on('disconnect', () => process.exit())

function answer(response: ServerResponse, name: string): void {
  open.add(response)
  mostOpen = Math.max(mostOpen, open.size)
  const frame = (fields: object) =>
    response.write(
      `data: ${JSON.stringify({ id: name, object: 'chat.completion.chunk', created: 1, model: 'scripted', ...fields })}\n\n`,
    )
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  let sent = 0
  const timer = setInterval(() => {
    if (sent < wordCount) {
      frame({ choices: [{ index: 0, delta: { content: wordOf(name, sent++) }, finish_reason: null }] })
      return
    }
    if (!mayFinish) return
    frame({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
    frame({ choices: [], usage })
    response.end('data: [DONE]\n\n')
  }, everyMs)
  response.on('close', () => {
    clearInterval(timer)
    open.delete(response)
  })
}
