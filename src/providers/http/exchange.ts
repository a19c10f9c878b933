import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { GatewayError } from '../../errors.ts'
import { type Circumstances, networkFailure } from './network-failure.ts'

/** An upstream's answer, before anything is known about what it means. */
export interface TransportReply {
  status: number
  headers: IncomingHttpHeaders
  /** Ends with an error when the socket breaks before the body is complete. */
  body: ReplyBody
}

export interface TransportRequest {
  method: 'GET' | 'POST' | 'DELETE'
  url: string
  headers?: Record<string, string>
  /** Sent as JSON. */
  json?: unknown
  signal: AbortSignal
  /** What its operator can do when nothing answers there; ends the sentence of the failure. */
  remedy?: string
}

/** Read by one reader, once. Stopping to iterate closes the socket; `settle` is the polite way to stop early. */
export interface ReplyBody extends AsyncIterable<Buffer> {
  /**
   * The rest is of no interest but expected to be over at once: the connection is kept if it is, and closed otherwise. To be
   * called when the answer has said that it is complete.
   */
  settle(): void
}

/** Bytes that may wait for a slow reader before the socket is paused. */
const highWaterBytes = 256 * 1024
/** What a server may still send, and for how long, after it said that its answer is complete. */
const settleBytes = 64 * 1024
const settleMs = 250

/**
 * One request and its answer. Undici's handler is used directly: its stream classes cost more than all the rest of a
 * relayed stream together, and here an abort reaches the socket in the same turn.
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
      close: () => stop(new GatewayError('client_closed', 'The answer was not read to its end.')),
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
        body: request.json === undefined ? null : JSON.stringify(request.json),
      },
      {
        onRequestStart(started) {
          controller = started
          // The caller may have hung up while this waited for a connection.
          if (signal.aborted) started.abort(abortReason(signal))
        },
        onResponseStart(_controller, status, headers: IncomingHttpHeaders) {
          // 1xx are no answers.
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
          body.fail(failure, 'after what has arrived')
          if (!answered) reject(failure)
        },
      },
    )
  })
}

function headersOf({ headers, json }: TransportRequest): Record<string, string> {
  return {
    accept: '*/*',
    'user-agent': 'signalbox',
    ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  }
}

function abortReason(signal: AbortSignal): GatewayError {
  if (signal.reason instanceof GatewayError) return signal.reason
  return new GatewayError('client_closed', 'The caller hung up before the answer was complete.', {
    cause: signal.reason,
  })
}

interface Socket {
  pause(): void
  resume(): void
  close(): void
  /** Nothing more will happen: forget the caller's signal. */
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

  /** All that is there as one piece: what a socket gave in one read is parsed, judged and sent on together. */
  const takeArrived = (): IteratorResult<Buffer> => {
    const value = arrived.length === 1 ? arrived[0]! : Buffer.concat(arrived)
    forget()
    if (paused) {
      paused = false
      socket.resume()
    }
    return { done: false, value }
  }
  /** Waits for the end of the read under way, all of whose pieces are pushed in the same turn. */
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
      // From here on the caller's hanging up changes nothing: he has the whole answer.
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
    /** A break is told after the bytes that came before it; an abort at once. */
    fail(reason: GatewayError, when: 'now' | 'after what has arrived') {
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
