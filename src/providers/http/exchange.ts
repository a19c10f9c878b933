import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { GatewayError } from '../../errors.ts'
import { type Circumstances, networkFailure } from './network-failure.ts'

/** An upstream's raw response, not yet interpreted. */
export interface TransportReply {
  status: number
  headers: IncomingHttpHeaders
  /** Fails when the socket breaks before the body is complete. */
  body: ReplyBody
}

export interface TransportRequest {
  method: 'GET' | 'POST' | 'DELETE'
  url: string
  headers?: Record<string, string>
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it is, with its content type. */
  content?: { pieces: readonly Buffer[]; type: string } | undefined
  signal: AbortSignal
  /** Called when the request goes out on a connection. */
  onSent?: (() => void) | undefined
  /** What the operator can do when the connection fails; appended to the error message. */
  remedy?: string
}

/** Can be read once. Stopping the iteration closes the socket; use `settle` to stop early and keep the connection. */
export interface ReplyBody extends AsyncIterable<Buffer> {
  /**
   * Discards the rest, which should arrive at once: the connection is kept if it does, and closed otherwise. Call it
   * when the answer has signalled its end.
   */
  settle(): void
}

/** Bytes buffered for a slow reader before the socket is paused. */
const highWaterBytes = 256 * 1024
/** How much a server may still send, and for how long, after it signalled the end of its answer. */
const settleBytes = 64 * 1024
const settleMs = 250

/**
 * One request and its response. Undici's handler is used directly: its stream classes cost more than all other work on
 * a passed-through stream, and here an abort reaches the socket in the same turn.
 */
export function exchange(
  dispatcher: Dispatcher,
  url: URL,
  request: TransportRequest,
  circumstances: Circumstances,
): Promise<TransportReply> {
  const { signal } = request
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(abortReason(signal))
      return
    }
    let controller: Dispatcher.DispatchController | undefined
    let answered = false
    const body = createBody({
      pause: () => controller?.pause(),
      resume: () => controller?.resume(),
      close: () => stop(new GatewayError('client_closed', 'The response was not read to its end.')),
      release: () => signal.removeEventListener('abort', onAbort),
    })
    const stop = (reason: GatewayError) => {
      body.fail(reason, 'now')
      if (!answered) reject(reason)
      controller?.abort(reason)
    }
    const onAbort = () => stop(abortReason(signal))
    signal.addEventListener('abort', onAbort, { once: true })

    dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method,
        headers: headersOf(request),
        body: bodyOf(request),
      },
      {
        onRequestStart(started) {
          controller = started
          // The caller may have disconnected while this waited for a connection.
          if (signal.aborted) started.abort(abortReason(signal))
          else request.onSent?.()
        },
        onResponseStart(_controller, status, headers: IncomingHttpHeaders) {
          // 1xx are informational, not the response.
          if (status < 200) return
          answered = true
          resolve({ status, headers, body: body.reader })
        },
        onResponseData(_controller, bytes) {
          body.push(bytes)
        },
        onResponseEnd() {
          body.end()
        },
        onResponseError(_controller, error) {
          const failure = networkFailure(error, url, request.remedy, { ...circumstances, answered })
          body.fail(failure, 'after buffered data')
          if (!answered) reject(failure)
        },
      },
    )
  })
}

function headersOf({ headers, json, content }: TransportRequest): Record<string, string> {
  return {
    accept: '*/*',
    'user-agent': 'signalbox',
    ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    ...(content === undefined ? {} : { 'content-type': content.type, 'content-length': lengthOf(content.pieces) }),
    ...headers,
  }
}

function bodyOf({ json, content }: TransportRequest): string | Readable | null {
  if (json !== undefined) return JSON.stringify(json)
  return content === undefined ? null : Readable.from(content.pieces)
}

function lengthOf(pieces: readonly Buffer[]): string {
  return String(pieces.reduce((sum, { length }) => sum + length, 0))
}

function abortReason(signal: AbortSignal): GatewayError {
  if (signal.reason instanceof GatewayError) return signal.reason
  return new GatewayError('client_closed', 'The caller disconnected before the answer was complete.', {
    cause: signal.reason,
  })
}

interface Socket {
  pause(): void
  resume(): void
  close(): void
  /** The exchange is over: stop listening to the caller's signal. */
  release(): void
}

function createBody(socket: Socket) {
  const arrived: Buffer[] = []
  let arrivedBytes = 0
  let paused = false
  let over = false
  let failure: GatewayError | undefined
  let settling: NodeJS.Timeout | undefined
  let wanted: { resolve: (next: IteratorResult<Buffer>) => void; reject: (reason: GatewayError) => void } | undefined

  const finish = () => {
    over = true
    clearTimeout(settling)
    socket.release()
  }
  const forget = () => {
    arrived.length = 0
    arrivedBytes = 0
  }

  /** All buffered bytes as one piece: what one socket read delivered is parsed and forwarded together. */
  const takeArrived = (): IteratorResult<Buffer> => {
    const value = arrived.length === 1 ? arrived[0]! : Buffer.concat(arrived)
    forget()
    if (paused) {
      paused = false
      socket.resume()
    }
    return { done: false, value }
  }
  /** Waits for the current read to end; all of its pieces are pushed in the same turn. */
  const handOver = () => {
    if (arrived.length === 0) return
    wanted?.resolve(takeArrived())
    wanted = undefined
  }

  const iterator: AsyncIterator<Buffer> = {
    next() {
      if (arrived.length > 0) return Promise.resolve(takeArrived())
      if (failure !== undefined) return Promise.reject(failure)
      if (over || settling !== undefined) return Promise.resolve({ done: true, value: undefined })
      return new Promise((resolve, reject) => {
        wanted = { resolve, reject }
      })
    },
    return() {
      if (!over && settling === undefined) socket.close()
      return Promise.resolve({ done: true, value: undefined })
    },
  }
  const reader: ReplyBody = {
    [Symbol.asyncIterator]: () => iterator,
    settle() {
      forget()
      if (over || settling !== undefined) return
      settling = setTimeout(() => socket.close(), settleMs).unref()
      // From here on a disconnect changes nothing: the caller has the complete answer.
      socket.release()
      if (paused) socket.resume()
    },
  }

  return {
    reader,
    push(bytes: Buffer) {
      if (over) return
      arrivedBytes += bytes.length
      if (settling !== undefined) {
        if (arrivedBytes > settleBytes) socket.close()
        return
      }
      arrived.push(bytes)
      if (wanted !== undefined) {
        if (arrived.length === 1) queueMicrotask(handOver)
      } else if (arrivedBytes > highWaterBytes && !paused) {
        paused = true
        socket.pause()
      }
    },
    end() {
      if (over) return
      finish()
      if (arrived.length > 0) return
      wanted?.resolve({ done: true, value: undefined })
      wanted = undefined
    },
    /** A broken connection is reported after the bytes that preceded it; an abort at once. */
    fail(reason: GatewayError, when: 'now' | 'after buffered data') {
      if (over) return
      finish()
      if (when === 'now') forget()
      failure = reason
      if (arrived.length > 0) return
      wanted?.reject(reason)
      wanted = undefined
    },
  }
}
