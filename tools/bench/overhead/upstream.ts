import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A child process: an OpenAI-compatible server that answers at once, so that only the overhead is measured. */
const chunkCount = 50
const usage = { prompt_tokens: 60, completion_tokens: chunkCount, total_tokens: 60 + chunkCount }
const head = { id: 'chatcmpl-bench', created: 1, model: 'instant' }
const frame = (fields: object) =>
  Buffer.from(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...fields })}\n\n`)
const word = frame({ choices: [{ index: 0, delta: { content: 'word ' }, finish_reason: null }] })
const last = frame({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
const usageFrame = frame({ choices: [], usage })
const done = Buffer.from('data: [DONE]\n\n')
const message = { role: 'assistant', content: 'word '.repeat(chunkCount) }
const whole = JSON.stringify({
  ...head,
  object: 'chat.completion',
  choices: [{ index: 0, message, finish_reason: 'stop' }],
  usage,
})
const described: Readonly<Record<string, string>> = {
  '/v1/models': JSON.stringify({ object: 'list', data: [{ id: 'instant', object: 'model', created: 1 }] }),
}

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    const body = described[request.url ?? '']
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(body ?? '{}')
    return
  }
  const pieces: Buffer[] = []
  request.on('data', (piece: Buffer) => pieces.push(piece))
  request.on('end', () => {
    if (Buffer.concat(pieces).indexOf('"stream":true') < 0) {
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(whole) })
        .end(whole)
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (let chunk = 0; chunk < chunkCount; chunk++) response.write(word)
    response.write(last)
    response.write(usageFrame)
    response.end(done)
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
