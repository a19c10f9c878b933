import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A simulated server: it answers every chat with the same sentence, at a fixed pace. */
export interface SimulatedServer {
  url: string
  /** While false every chat is answered with 500. */
  setWorking(working: boolean): void
  close(): Promise<void>
}

export interface SimulatedServerParts {
  /** Part of every answer, so that it is not mistaken for a model's. */
  label: string
  /** Response bodies of `GET`, by path. */
  described: Readonly<Record<string, unknown>>
  tokensPerSecond: number
}

/** Starts one on a free loopback port. */
export async function simulatedServer({
  label,
  described,
  tokensPerSecond,
}: SimulatedServerParts): Promise<SimulatedServer> {
  let working = true
  const words = `This is ${label}, a simulated model; no real one was called.`.split(/(?<= )/)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') {
      const body = described[request.url ?? '']
      send(response, body === undefined ? 404 : 200, body ?? { error: { message: 'not found' } })
      return
    }
    const asked = JSON.parse(await textOf(request)) as { model: string; stream?: boolean; messages: unknown }
    if (!working) {
      send(response, 500, { error: { message: 'simulated outage' } })
      return
    }
    const prompt_tokens = Math.ceil(JSON.stringify(asked.messages).length / 4)
    const usage = { prompt_tokens, completion_tokens: words.length, total_tokens: prompt_tokens + words.length }
    const head = { id: 'simulated', created: 0, model: asked.model }
    if (asked.stream !== true) {
      await sleep((words.length / tokensPerSecond) * 1000)
      const message = { role: 'assistant', content: words.join('') }
      send(response, 200, {
        ...head,
        object: 'chat.completion',
        choices: [{ index: 0, message, finish_reason: 'stop' }],
        usage,
      })
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const chunk = (fields: object) =>
      response.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...fields })}\n\n`)
    for (const content of words) {
      await sleep(1000 / tokensPerSecond)
      if (response.destroyed) return
      chunk({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })
    }
    chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
    chunk({ choices: [], usage })
    response.end('data: [DONE]\n\n')
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setWorking(value) {
      working = value
    },
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** A llama-server with one model. */
export function simulatedLlamaServer(): Promise<SimulatedServer> {
  return simulatedServer({
    label: 'a local llama-server',
    tokensPerSecond: 60,
    described: {
      '/v1/models': { object: 'list', data: [{ id: 'qwen3-coder-30b', object: 'model', owned_by: 'llamacpp' }] },
      '/props': { default_generation_settings: { n_ctx: 8192 }, total_slots: 1, modalities: { vision: false } },
    },
  })
}

async function textOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString('utf8')
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
