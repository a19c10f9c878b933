import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { messagesDialect } from './messages-dialect.ts'
import type { Dialect } from './dialects/dialect.ts'
import { dialects, type UpstreamKind } from './dialects/index.ts'
import type { Answer, ScriptedError, ScriptedModel } from './upstream-script.ts'

export { type UpstreamKind, upstreamKinds } from './dialects/index.ts'
export type { Answer, ScriptedModel } from './upstream-script.ts'

export interface SeenRequest {
  method: string
  path: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  /** The JSON body; empty when there was none. */
  body: Readonly<Record<string, unknown>>
}

export interface Script {
  models?: readonly (string | ScriptedModel)[]
  /** One per chat request in order, the last for all that follow; or a function of the request and its number. */
  answer?: Answer | readonly Answer[] | ((request: SeenRequest, index: number) => Answer)
  /** Everything except chats waits for the promise. */
  holdLists?: Promise<unknown>
  /** Checked before everything else, chat or not; what it returns is sent. */
  route?: (
    request: SeenRequest,
  ) =>
    | { status?: number; headers?: Record<string, string>; json?: unknown; text?: string; until?: Promise<unknown> }
    | undefined
}

export interface ScriptedUpstream {
  kind: UpstreamKind
  url: string
  port: number
  /** May be changed between requests. */
  script: Script
  /** All requests, in order. */
  requests: SeenRequest[]
  /** Only the chat requests. */
  chats: SeenRequest[]
  /** Chats whose client disconnected before the answer was complete. */
  hangUps: number
  /** Resolves when this many requests of any kind have arrived in total. */
  untilRequests(count: number): Promise<void>
  /** Resolves when this many chats have arrived in total. */
  untilChats(count: number): Promise<void>
  /** Resolves when this many clients have disconnected early in total. */
  untilHangUps(count: number): Promise<void>
  /** Closes the port and all sockets; `start` opens the same port again. */
  stop(): Promise<void>
  start(): Promise<void>
}

/**
 * A real HTTP server on a free port that behaves like `kind` and answers as `script` says; it is closed with the test.
 * The first model is called `scripted` unless the script lists others.
 */
export async function scriptedUpstream(
  t: { teardown(undo: () => Promise<void>): void },
  kind: UpstreamKind,
  script: Script = {},
): Promise<ScriptedUpstream> {
  const dialect: Dialect = dialects[kind]
  const waiting = new Set<() => void>()
  const changed = () => {
    for (const check of waiting) check()
  }
  const until = (condition: () => boolean) =>
    new Promise<void>(resolve => {
      const check = () => {
        if (!condition()) return
        waiting.delete(check)
        resolve()
      }
      waiting.add(check)
      check()
    })

  const server = createServer((request, response) => {
    void respond(request, response).catch(() => response.destroy())
  })
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  const stop = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
    // The other ends of the sockets are in this process too; let them notice before anything else is sent.
    await setTimeout(10)
  }
  await listen(0)
  const { port } = server.address() as AddressInfo
  t.teardown(stop)

  const upstream: ScriptedUpstream = {
    kind,
    url: `http://127.0.0.1:${port}`,
    port,
    script,
    requests: [],
    chats: [],
    hangUps: 0,
    untilRequests: count => until(() => upstream.requests.length >= count),
    untilChats: count => until(() => upstream.chats.length >= count),
    untilHangUps: count => until(() => upstream.hangUps >= count),
    stop,
    start: () => listen(port),
  }
  return upstream

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = await readRequest(request)
    upstream.requests.push(seen)
    changed()
    const routed = upstream.script.route?.(seen)
    if (routed !== undefined) {
      await routed.until
      const text = routed.text ?? JSON.stringify(routed.json)
      response.writeHead(routed.status ?? 200, { 'content-type': 'application/json', ...routed.headers }).end(text)
      return
    }
    if (seen.path !== dialect.chatPath && !seen.path.endsWith('/messages')) {
      await upstream.script.holdLists
      const models = (upstream.script.models ?? ['scripted']).map(model =>
        typeof model === 'string' ? { name: model } : model,
      )
      const answer = dialect.describe(seen.path, seen.body, models)
      const status = answer === undefined ? 404 : 200
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer ?? dialect.errorBody({ status, message: `no ${seen.path} here` })))
      return
    }
    response.once('close', () => {
      if (response.writableFinished || response.errored !== null) return
      upstream.hangUps += 1
      changed()
    })
    const answer = answerFor(upstream.script, seen, upstream.chats.length)
    upstream.chats.push(seen)
    changed()
    const activeDialect = seen.path.endsWith('/messages') ? { ...dialect, ...messagesDialect } : dialect
    await play(activeDialect, seen, answer, response)
  }
}

/** A promise and the function that settles it, to delay an answer for as long as a test needs. */
export function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: () => resolve() }
}

function answerFor(script: Script, request: SeenRequest, index: number): Answer {
  const { answer = {} } = script
  if (typeof answer === 'function') return answer(request, index)
  if (Array.isArray(answer)) return (answer as readonly Answer[])[Math.min(index, answer.length - 1)] ?? {}
  return answer as Answer
}

async function play(dialect: Dialect, request: SeenRequest, answer: Answer, response: ServerResponse): Promise<void> {
  if (answer.hold?.before === 'headers') await answer.hold.until
  if (answer.breakBefore === 'headers') return cut(response)
  const head = (status: number, type: string) =>
    response.writeHead(status, { 'content-type': type, ...answer.headers }).flushHeaders()

  if (answer.raw !== undefined) {
    response.writeHead(answer.raw.status ?? 200, { ...answer.raw.headers, ...answer.headers })
    for (const bytes of typeof answer.raw.body === 'string' ? [answer.raw.body] : answer.raw.body) {
      await write(response, bytes, answer.writeBytes)
    }
    response.end()
    return
  }
  if (answer.error !== undefined) {
    const { type, body } = errorAnswer(dialect, answer.error)
    head(answer.error.status ?? 500, type)
    response.end(body)
    return
  }
  const model = String(request.body.model)
  // Ollama streams by default; all others do not.
  const asked =
    dialect.streamType === 'application/x-ndjson' ? request.body.stream !== false : request.body.stream === true
  if (answer.registerRoute === 'json' || (answer.registerRoute === undefined && !asked)) {
    const body = JSON.stringify(dialect.complete(model, answer))
    if (answer.hold !== undefined || answer.breakBefore !== undefined) {
      head(200, 'application/json')
      await write(response, body.slice(0, 10), answer.writeBytes)
      await answer.hold?.until
      if (answer.breakBefore !== undefined) return cut(response)
      await write(response, body.slice(10), answer.writeBytes)
      response.end()
      return
    }
    head(200, 'application/json')
    await write(response, body, answer.writeBytes)
    response.end()
    return
  }

  head(200, dialect.streamType)
  const { opening, pieces, closing } = dialect.stream(model, answer)
  const send = async (events: readonly string[]) => {
    for (const event of events) await write(response, event, answer.writeBytes)
  }
  await send(opening)
  for (let index = 0; ; index++) {
    if (answer.hold?.before === index) await answer.hold.until
    if (answer.breakBefore === index) return cut(response)
    if (answer.errorBefore?.piece === index) {
      await send([dialect.streamError(answer.errorBefore, answer)])
      response.end()
      return
    }
    const piece = answer.endless === true ? pieces[index % pieces.length] : pieces[index]
    if (piece === undefined || response.closed) break
    await send(piece)
  }
  await send(closing)
  response.end()
}

function errorAnswer(dialect: Dialect, error: ScriptedError): { type: string; body: string } {
  const json = (value: unknown) => ({ type: 'application/json', body: JSON.stringify(value) })
  switch (error.shape) {
    case 'html':
      return {
        type: 'text/html',
        body: `<html><head><title>${error.message}</title></head><body><h1>${error.message}</h1></body></html>`,
      }
    case 'text':
      return json({ error: error.message })
    case 'detail':
      return json({ detail: error.message })
    case 'message':
      return json({ message: error.message })
    case 'openai':
      return json({ error: { message: error.message, type: 'error', code: error.code ?? null, ...error.fields } })
    default:
      return json(dialect.errorBody(error))
  }
}

/** Waits until the bytes are handed to the network, and lets the reader run between two writes. */
async function write(response: ServerResponse, data: string | Buffer, writeBytes: number | undefined): Promise<void> {
  const bytes = Buffer.from(data)
  const step = writeBytes ?? bytes.length
  for (let index = 0; index < bytes.length && !response.closed; index += step) {
    await new Promise<void>(resolve => {
      response.once('close', resolve)
      response.write(bytes.subarray(index, index + step), () => {
        response.off('close', resolve)
        resolve()
      })
    })
    await setImmediate()
  }
}

function cut(response: ServerResponse): void {
  response.destroy(new Error('the script cuts the line here'))
}

async function readRequest(request: IncomingMessage): Promise<SeenRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString('utf8')
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://upstream')
  return {
    method: request.method ?? 'GET',
    path: pathname,
    query: searchParams,
    headers: request.headers,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  }
}
