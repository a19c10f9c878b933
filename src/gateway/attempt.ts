import { GatewayError, asGatewayError, asUpstreamError } from '../errors.ts'
import type { Model, Reply } from '../providers/provider.ts'
import type { StreamPart } from '../wire/stream-part.ts'

export interface AttemptTimeouts {
  /** Until the first token, a cold model's loading included, or until the end of an answer that arrives in one piece. */
  firstTokenMs: number
  /** Between two parts of a stream. */
  idleMs: number
  totalMs: number
}

export interface AttemptParts<Body> {
  model: Model
  /** Calls the model's server; the signal combines the caller's with the timeouts. */
  ask: (signal: AbortSignal) => Promise<Reply<Body>>
  /** Called for every part that arrives. */
  onPart: (part: StreamPart) => void
  /** Assembles a streamed answer for a caller who requested a buffered one. */
  assemble?: ((parts: AsyncGenerator<StreamPart, void, void>) => Promise<Body>) | undefined
  timeouts: AttemptTimeouts
  /** Aborted when the client disconnects, which may happen at any time. */
  signal: AbortSignal
}

/** An answer that is known not to be empty. */
export type Primed<Body> =
  | { kind: 'complete'; completion: Body; native?: object | undefined }
  /** The first of `parts` carries the first token; the rest follow as the upstream sends them. */
  | { kind: 'stream'; parts: AsyncGenerator<StreamPart, void, void>; native?: true | undefined }

/**
 * One call of one model, bounded in time. A stream is returned only when its first token has arrived, so that the gateway
 * can still fall back to another model until then. Throws only `GatewayError`; the upstream socket is closed when it does,
 * when the client disconnects, and when the returned generator is left early.
 */
export async function attempt<Body>(call: AttemptParts<Body>): Promise<Primed<Body>> {
  const { model, ask, onPart, assemble, timeouts, signal } = call
  const guard = createGuard(model, timeouts, signal)
  let parts: AsyncGenerator<StreamPart, void, void>
  try {
    const reply = await ask(guard.signal)
    if (reply.kind === 'complete') {
      guard.end()
      return reply
    }
    const primed = await prime(partsReader(reply.parts, model, onPart), guard, model)
    if (assemble === undefined) return { ...primed, native: reply.native }
    parts = primed.parts
  } catch (error) {
    guard.end()
    throw guard.reason() ?? asGatewayError(error)
  }
  try {
    return { kind: 'complete', completion: await assemble(parts) }
  } catch (error) {
    // Leaving the stream aborted the call, so the error itself says why, not the signal.
    throw asUpstreamError(error, model.id)
  }
}

async function prime(
  reader: PartsReader,
  guard: Guard,
  model: Model,
): Promise<Extract<Primed<never>, { kind: 'stream' }>> {
  const held: StreamPart[] = []
  for (;;) {
    const next = await reader.next()
    if (next.done === true) {
      throw new GatewayError('upstream_error', `${model.id} ended its stream without an answer.`)
    }
    held.push(next.value)
    if (carriesToken(next.value)) break
  }
  guard.committed()
  return { kind: 'stream', parts: continueStream(held, reader, guard) }
}

/** Reads the parts of an upstream's answer one by one. Throws only `GatewayError`. */
interface PartsReader {
  next(): Promise<IteratorResult<StreamPart>>
  leave(): Promise<void>
}

function partsReader(
  source: AsyncIterable<StreamPart>,
  { id }: Model,
  onPart: (part: StreamPart) => void,
): PartsReader {
  const iterator = source[Symbol.asyncIterator]()
  return {
    async next() {
      try {
        const next = await iterator.next()
        if (next.done !== true) onPart(next.value)
        return next
      } catch (error) {
        throw asUpstreamError(error, id)
      }
    },
    async leave() {
      await iterator.return?.().catch(() => undefined)
    },
  }
}

async function* continueStream(
  held: readonly StreamPart[],
  reader: PartsReader,
  guard: Guard,
): AsyncGenerator<StreamPart, void, void> {
  let finished = false
  try {
    yield* held
    for (;;) {
      guard.waiting(true)
      const next = await reader.next()
      guard.waiting(false)
      if (next.done === true) break
      yield next.value
    }
    finished = true
  } catch (error) {
    finished = true
    throw guard.reason() ?? asGatewayError(error)
  } finally {
    guard.end()
    if (!finished) {
      guard.abort(new GatewayError('client_closed', 'The caller stopped reading.'))
      await reader.leave()
    }
  }
}

/** Text, reasoning, a tool call, or the end of a choice: from here on the answer must not be restarted. */
function carriesToken({ chunks, opaque }: StreamPart): boolean {
  if (opaque !== undefined) return true
  return chunks.some(({ choices }) =>
    choices?.some(({ delta, finish_reason, text }) => {
      if (finish_reason !== undefined && finish_reason !== null) return true
      const { content, reasoning_content, reasoning, tool_calls, refusal } = delta ?? {}
      return (
        [text, content, reasoning_content, reasoning, refusal].some(
          value => typeof value === 'string' && value !== '',
        ) || (tool_calls?.length ?? 0) > 0
      )
    }),
  )
}

interface Guard {
  signal: AbortSignal
  /** Why the attempt was aborted; undefined if it was not. */
  reason(): GatewayError | undefined
  committed(): void
  /** Only time spent waiting for the upstream counts as idle; a caller that reads slowly does not. */
  waiting(forUpstream: boolean): void
  abort(reason: GatewayError): void
  end(): void
}

/** The timeouts of one attempt, and the signal that they and the caller share. */
function createGuard(model: Model, timeouts: AttemptTimeouts, caller: AbortSignal): Guard {
  const controller = new AbortController()
  const abort = (reason: GatewayError) => controller.abort(reason)
  const timedOut = (what: string, ms: number) => () =>
    abort(new GatewayError('upstream_timeout', `${model.id} ${what} within ${ms} ms.`))
  const onDisconnect = () => abort(asGatewayError(caller.reason))
  const total = setTimeout(timedOut('did not finish', timeouts.totalMs), timeouts.totalMs)
  const first = setTimeout(timedOut('sent no token', timeouts.firstTokenMs), timeouts.firstTokenMs)
  let idle: NodeJS.Timeout | undefined
  let waiting = false
  const idled = () => {
    if (waiting) timedOut('stopped sending', timeouts.idleMs)()
  }
  caller.addEventListener('abort', onDisconnect, { once: true })
  if (caller.aborted) onDisconnect()

  return {
    signal: controller.signal,
    reason: () => (controller.signal.aborted ? asGatewayError(controller.signal.reason) : undefined),
    committed() {
      clearTimeout(first)
      idle = setTimeout(idled, timeouts.idleMs)
    },
    waiting(forUpstream) {
      waiting = forUpstream
      if (forUpstream) idle?.refresh()
    },
    abort,
    end() {
      clearTimeout(total)
      clearTimeout(first)
      clearTimeout(idle)
      caller.removeEventListener('abort', onDisconnect)
    },
  }
}
