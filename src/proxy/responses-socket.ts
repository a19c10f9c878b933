import type { WebSocket } from '@fastify/websocket'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { NewId } from '../core.ts'
import { asGatewayError, GatewayError } from '../errors.ts'
import { factsBefore } from '../gateway/reply-facts.ts'
import { maxBodyBytes } from '../operations/http-failure.ts'
import { closeSocket, type SocketService, type SocketRoute } from '../operations/web-sockets.ts'
import { responses } from '../wire/responses/protocol.ts'
import { readClientEvent, socketError, steerRefusal, type ClientAsk } from '../wire/responses/socket.ts'
import { admitMessage } from './admit.ts'
import { bytesWhileRead, readJson } from './body.ts'
import { openChat, streamChat, type RouteParts } from './chat-routes.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { ResponseStore } from './response-store.ts'
import { socketTarget } from './socket-stream.ts'

/** Connections at a time, in all and of one API key; further clients are told to send requests by POST. */
const maxConnections = 256
const maxConnectionsPerKey = 64
/** Requests of one connection that are in progress or wait for an earlier one. */
const maxOutstanding = 16
/** How long a connection may stay without a request. OpenAI ends its own after an hour. */
const idleMs = 60 * 60_000
const normalClosure = 1000

export interface ResponsesSocketParts extends Pick<RouteParts, 'gateway' | 'accounting' | 'keepAliveMs' | 'now'> {
  store: ResponseStore
  memory: MemoryBudget
  newId: NewId
  /** Answers a request without an upgrade, and refuses one that is too many. */
  refuse: (request: FastifyRequest, reply: FastifyReply) => never
}

/** When a message arrived, and its size. */
interface Arrival {
  receivedAt: number
  bytes: number
}

type Create = Extract<ClientAsk, { kind: 'create' }>

/**
 * Responses over a WebSocket, as Codex and OpenAI's SDKs send them: many requests on one connection, the answers of which can be
 * continued by sending the new input alone. Requests go the same way as those by POST. Those of one stream are answered in
 * their order, those of different streams at the same time.
 */
export function createResponsesSockets(parts: ResponsesSocketParts): (path: string) => SocketRoute {
  const connectionsOf = new Map<string, number>()
  let connections = 0

  function count(name: string, change: 1 | -1): void {
    connections += change
    const own = (connectionsOf.get(name) ?? 0) + change
    if (own === 0) connectionsOf.delete(name)
    else connectionsOf.set(name, own)
  }

  return path => ({
    path,
    maxMessageBytes: maxBodyBytes,
    refuse: parts.refuse,
    admit(request, reply) {
      const own = connectionsOf.get(request.principal.name) ?? 0
      if (connections >= maxConnections || own >= maxConnectionsPerKey) parts.refuse(request, reply)
    },
    serve(socket, request) {
      const { name } = request.principal
      count(name, 1)
      const connection = serveConnection(parts, socket, request)
      return {
        ...connection,
        closed() {
          count(name, -1)
          connection.closed()
        },
      }
    },
  })
}

function serveConnection(parts: ResponsesSocketParts, socket: WebSocket, upgrade: FastifyRequest): SocketService {
  const { store, memory, gateway, keepAliveMs, now, newId } = parts
  const { principal, headers } = upgrade
  const kept = store.connect(principal)
  const protocol = kept.remembering(responses)
  const arriving = memory.open()
  const running = new Set<AbortController>()
  /** The last request of each stream. */
  const streams = new Map<string | undefined, Promise<void>>()
  let reading: Promise<void> = Promise.resolve()
  let outstanding = 0
  let finishing = false
  const idle = setTimeout(() => closeSocket(socket, normalClosure, 'No request for an hour.'), idleMs)

  const fail = (error: unknown, streamId?: string) => {
    const failure = asGatewayError(error)
    if (failure.code === 'internal') upgrade.log.error({ err: error }, 'unexpected error on a WebSocket')
    socket.send(socketError(failure, streamId))
  }

  async function answer({ generate, body, streamId }: Create, { receivedAt, bytes }: Arrival): Promise<void> {
    const controller = new AbortController()
    let leave: (() => void) | undefined
    running.add(controller)
    try {
      if (socket.readyState !== socket.OPEN) return
      const incoming = { id: newId('req'), headers, principal, receivedAt, body }
      const opened = openChat(protocol, incoming, controller.signal, now)
      const { ended: left, ...settling } = admitMessage(principal, bytes, parts)
      leave = left
      const chat = { ...opened, call: { ...opened.call, ...settling } }
      const target = socketTarget(socket, streamId)
      if (generate) return await streamChat(gateway, chat, target, keepAliveMs)
      const { call, parsed } = chat
      target.open({})
      target.end(parsed.createStreamWriter(factsBefore(call, parsed.request.model, now)).end())
    } catch (error) {
      fail(error, streamId)
    } finally {
      leave?.()
      running.delete(controller)
    }
  }

  /** Answers when the requests of the same stream before it have been answered. */
  async function answerInTurn(asked: Create, arrival: Arrival): Promise<void> {
    const before = streams.get(asked.streamId)
    const turn = (async () => {
      await before
      await answer(asked, arrival)
    })()
    streams.set(asked.streamId, turn)
    await turn
    if (streams.get(asked.streamId) === turn) streams.delete(asked.streamId)
  }

  async function take(message: Buffer): Promise<void> {
    const receivedAt = now()
    const reservation = memory.open()
    const end = () => {
      reservation.release()
      ended()
    }
    try {
      reservation.hold(bytesWhileRead(message.length))
      const asked = readClientEvent(await readJson(message, reservation))
      if (asked.kind === 'create') return void answerInTurn(asked, { receivedAt, bytes: message.length }).finally(end)
      if (asked.kind === 'steer') socket.send(steerRefusal(asked.event))
      if (asked.kind === 'unknown') throw unknownEvent(asked.type)
    } catch (error) {
      fail(error)
    }
    end()
  }

  function ended(): void {
    outstanding -= 1
    if (outstanding > 0) return
    idle.refresh()
    if (finishing) closeSocket(socket, normalClosure, 'Signalbox is shutting down.')
  }

  socket.on('message', (message: Buffer, isBinary: boolean) => {
    arriving.release()
    if (isBinary) return fail(new GatewayError('invalid_request', 'Send events as text messages, each a JSON object.'))
    if (outstanding >= maxOutstanding) return fail(tooMany())
    outstanding += 1
    reading = reading.then(() => take(message))
  })
  return {
    receiving: bytes => arriving.hold(bytesWhileRead(bytes)),
    finish() {
      finishing = true
      if (outstanding === 0) closeSocket(socket, normalClosure, 'Signalbox is shutting down.')
    },
    closed() {
      clearTimeout(idle)
      arriving.release()
      kept.close()
      for (const controller of running) controller.abort(new GatewayError('client_closed', 'The caller disconnected.'))
    },
  }
}

function unknownEvent(type: string): GatewayError {
  return new GatewayError(
    'invalid_request',
    `The event type '${type.slice(0, 100)}' is not known here; send response.create.`,
    { param: 'type' },
  )
}

function tooMany(): GatewayError {
  return new GatewayError(
    'queue_full',
    `This connection has ${maxOutstanding} requests in progress; wait for an answer, or open another connection.`,
  )
}
