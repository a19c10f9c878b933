import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { messagesDialect } from '../helpers/messages-dialect.ts'
import type { Dialect } from '../helpers/dialects/dialect.ts'
import { dialects, type UpstreamKind } from '../helpers/dialects/index.ts'
import type { ScriptedModel } from '../helpers/upstream-script.ts'
import type { Fault } from './faults.ts'
import { nonChatAnswer, type WholeAnswer } from './non-chat-answers.ts'

/** A server that lists its models in order and answers every request for inference with the fault that is set. */
export interface FaultyServer {
  kind: UpstreamKind
  url: string
  fault: Fault
  random: () => number
  /** Connections on which a request for inference is being answered now. */
  open: () => number
  close: () => Promise<void>
}

export async function startFaultyServer(
  kind: UpstreamKind,
  models: readonly ScriptedModel[],
  fault: Fault,
): Promise<FaultyServer> {
  const dialect: Dialect = dialects[kind]
  const answering = new Set<Socket>()
  const server = createServer((request, response) => {
    void (async () => {
      const body = await bodyOf(request)
      const { pathname } = new URL(request.url ?? '/', 'http://server')
      const writing = pathname.endsWith('/messages') ? { ...dialect, ...messagesDialect } : dialect
      const answer = answerTo(pathname, body, writing)
      if (answer === undefined) {
        const listed = dialect.describe(pathname, body, models)
        response.writeHead(listed === undefined ? 404 : 200, { 'content-type': 'application/json' })
        response.end(JSON.stringify(listed ?? {}))
        return
      }
      const { socket } = request
      answering.add(socket)
      socket.once('close', () => answering.delete(socket))
      socket.on('error', () => socket.destroy())
      await faulty.fault.play({
        socket,
        random: faulty.random,
        ...answer,
        refusal: (status, message) => JSON.stringify(writing.errorBody({ status, message })),
      })
    })().catch(() => request.socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const faulty: FaultyServer = {
    kind,
    url: `http://127.0.0.1:${port}`,
    fault,
    random: () => 0,
    open: () => answering.size,
    async close() {
      const done = once(server, 'close')
      server.close()
      server.closeAllConnections()
      for (const socket of answering) socket.destroy()
      await done
    },
  }
  return faulty
}

/** The answer in order to a request for inference; undefined for every other request. */
function answerTo(pathname: string, body: Record<string, unknown>, dialect: Dialect): WholeAnswer | undefined {
  const [model, streams] = [String(body['model']), body['stream'] === true]
  if (pathname !== dialect.chatPath && !pathname.endsWith('/messages')) return nonChatAnswer(pathname, model, streams)
  const answer = { text: ['Once ', 'upon ', 'a ', 'time.'] }
  if (!streams) return { contentType: 'application/json', parts: [JSON.stringify(dialect.complete(model, answer))] }
  const { opening, pieces, closing } = dialect.stream(model, answer)
  return { contentType: dialect.streamType, parts: [...opening, ...pieces.flat(), ...closing] }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>)
}
