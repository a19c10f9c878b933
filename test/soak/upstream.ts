import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

const words = Array.from({ length: 20 }, (_, index) => `word${index} `)

/** An OpenAI-compatible server that answers at once, streamed if asked to, and takes embeddings too. */
export async function startUpstream(): Promise<{ url: string; close: () => void }> {
  const server: Server = createServer((request, response) => {
    void (async () => {
      if (request.method === 'GET') {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ object: 'list', data: [{ id: 'scripted', context_length: 100_000 }] }))
        return
      }
      const body = (await json(request)) as { stream?: boolean }
      if (request.url?.endsWith('/embeddings') === true) {
        response.setHeader('content-type', 'application/json')
        const data = [{ object: 'embedding', index: 0, embedding: [0.1, 0.2] }]
        response.end(JSON.stringify({ object: 'list', data, usage: { prompt_tokens: 2, total_tokens: 2 } }))
      } else if (body.stream === true) {
        response.setHeader('content-type', 'text/event-stream')
        response.end(frames)
      } else {
        response.setHeader('content-type', 'application/json')
        response.end(whole)
      }
    })().catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

const usage = { prompt_tokens: 20, completion_tokens: words.length, total_tokens: 20 + words.length }
const chunk = (delta: object, finishReason: string | null) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'scripted',
  choices: [{ index: 0, delta, finish_reason: finishReason }],
})
const frames = [
  chunk({ role: 'assistant', content: '' }, null),
  ...words.map(content => chunk({ content }, null)),
  chunk({}, 'stop'),
  { ...chunk({}, null), choices: [], usage },
]
  .map(each => `data: ${JSON.stringify(each)}\n\n`)
  .concat('data: [DONE]\n\n')
  .join('')
const message = { role: 'assistant', content: words.join('') }
const whole = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'scripted',
  choices: [{ index: 0, message, finish_reason: 'stop' }],
  usage,
})
