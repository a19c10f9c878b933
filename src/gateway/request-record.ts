import { GatewayError, asGatewayError } from '../errors.ts'
import type { AttemptRecord, Outcome } from '../ledger/record.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Model } from '../providers/provider.ts'
import type { Verification } from '../router/cascade.ts'
import { reasonFor, type Decision } from '../router/decide.ts'
import type { RequestOptions } from '../router/options.ts'
import { recordOf } from '../router/record.ts'
import { readUsage, writeUsage, type ChatCompletion, type ChatRequest } from '../wire/chat/schema.ts'
import { framesIn, partFromChunks, type StreamPart } from '../wire/stream-part.ts'
import { costUsd, noUsage, sumUsage, type Usage } from '../wire/usage.ts'
import type { Learner } from './learner.ts'

/** What a caller wants of the router beyond what his request shows. */
export interface RouteQuery {
  options?: RequestOptions
  /** At least so many prompt tokens, where he knows of more than the request holds. */
  contextTokens?: number
}

/** A Messages request before any translation. */
export interface NativeRequest {
  body: Readonly<Record<string, unknown>>
  headers: Readonly<Record<string, string>>
  /** What its translation leaves out. */
  translationNotes: readonly string[]
}

/** Who asks, and how. */
export interface Call extends RouteQuery {
  requestId: string
  /** Which of our endpoints he asked: `chat`, `messages`, `responses`. */
  endpoint: string
  /** Which key he showed, by name; never the key. */
  keyId: string
  /** Aborted when he hangs up. */
  signal: AbortSignal
  /** Milliseconds since the epoch. */
  receivedAt: number
  /** The request as one model should get it, where models want to be addressed in different ways. */
  shape?: (model: Model, request: ChatRequest) => ChatRequest
  /** The request as he wrote it, for servers that speak his protocol. */
  native?: NativeRequest | undefined
  /** Told each time a model gets a slot to work on it. */
  onSlot?: (model: Model) => void
}

/** Milliseconds: choosing, waiting for slots (all attempts together), and the winning attempt up to its first token. */
export interface Timings {
  routeMs: number
  queueMs: number
  upstreamMs: number
}

/** What the books keep of a request. */
export interface Asked {
  model: string
  stream?: boolean | null | undefined
}

/** What the books read of a whole answer, a chat's or another's. */
export interface Answered {
  usage?: unknown
  choices?: readonly { text?: unknown; message?: ChatCompletion['choices'][number]['message'] }[]
}

/** The books of one attempt. Every attempt ends by `failed`, `completed`, `watch` or `hold`. */
export interface AttemptRecorder {
  slotGranted(): void
  /** The first token, or the whole answer, is there. */
  answered(): Timings
  /** Nothing of this attempt reaches the caller; what it used up so far stays in the books. */
  failed(error: GatewayError): void
  /** The whole answer is there, and so far kept back. */
  completed(answer: Answered): void
  /** An answer that was completed or held goes to the caller. `reason`: why this model, where the decision does not say it. */
  delivered(reason?: string): void
  /**
   * The same parts, watched for usage; where the upstream gives none, a last part carries our estimate. `onEnd` runs once,
   * with the error if it was one. A caller may hang up before he reads at all, so `signal` ends an unread stream too.
   */
  watch(
    parts: AsyncIterable<StreamPart>,
    signal: AbortSignal,
    onEnd: (error?: GatewayError) => void,
  ): AsyncGenerator<StreamPart, void, void>
  /** Like `watch`, for a stream that is kept back for now. */
  hold(parts: AsyncIterable<StreamPart>): AsyncGenerator<StreamPart, void, void>
}

/** The books of one request: exactly one row, whichever comes first: the end, a failure, or the caller hanging up. */
export interface RequestRecorder {
  readonly call: Call
  /** `routeMs`: how long it took to decide. */
  decided(decision: Decision, routeMs: number): void
  attemptStarted(model: Model): AttemptRecorder
  attempts(): number
  /** What checking the answers came to. */
  verified(verification: Verification): void
  failed(error: GatewayError): void
  /** Resolves when the row is handed to the ledger. */
  readonly settled: Promise<void>
}

export interface RequestRecorderParts {
  call: Call
  request: Asked
  ledger: Ledger
  learner: Learner
  /** Milliseconds since the epoch. */
  now: () => number
}

interface End {
  model?: Model
  firstTokenAt?: number | undefined
  error?: GatewayError | undefined
  reason?: string | undefined
}

export function openRequestRecorder({ call, request, ledger, learner, now }: RequestRecorderParts): RequestRecorder {
  const { promise: settled, resolve } = Promise.withResolvers<void>()
  const entries: AttemptRecord[] = []
  let decision: Decision | undefined
  let routeMs = 0
  let queueMs = 0
  let verification: Verification | undefined
  let written = false

  function settle({ model, firstTokenAt, error, reason }: End): void {
    if (written) return
    written = true
    const at = now()
    ledger.record({
      id: call.requestId,
      createdAt: call.receivedAt,
      endpoint: call.endpoint,
      keyId: call.keyId,
      session: call.options?.session,
      requestedModel: request.model,
      provider: model?.provider,
      model: model?.id,
      upstreamModel: model?.name,
      tier: model?.tier,
      outcome: outcomeOf(error),
      failureCode: error?.code,
      status: error?.failure.status ?? 200,
      stream: request.stream === true,
      usage: entries.length === 1 ? entries[0]!.usage : sumUsage(entries.map(({ usage }) => usage)),
      costUsd: totalUsd(entries),
      ttftMs: firstTokenAt === undefined ? undefined : firstTokenAt - call.receivedAt,
      durationMs: at - call.receivedAt,
      queueMs,
      routeMs,
      reason: reason ?? (decision === undefined || model === undefined ? 'none' : reasonFor(decision, model)),
      decision:
        decision === undefined
          ? undefined
          : { ...recordOf(decision), ...(verification === undefined ? {} : { verification }) },
      attempts: entries,
    })
    resolve()
  }

  function attemptStarted(model: Model): AttemptRecorder {
    const startedAt = now()
    let slotAt = startedAt
    let firstTokenAt: number | undefined
    const entry: AttemptRecord = {
      provider: model.provider,
      model: model.id,
      startedAt,
      outcome: 'cancelled',
      usage: noUsage,
      durationMs: 0,
    }
    entries.push(entry)
    let end: End | undefined

    function mark(error: GatewayError): void {
      entry.outcome = outcomeOf(error)
      entry.failureCode = error.code
      entry.status = error.failure.status
      entry.message = error.message
    }

    function close(usage: Usage, error?: GatewayError): End {
      entry.outcome = 'ok'
      entry.usage = usage
      entry.costUsd = usage === noUsage ? 0 : costUsd(usage, model.price)
      entry.durationMs = now() - startedAt
      entry.ttftMs = firstTokenAt === undefined ? undefined : firstTokenAt - slotAt
      if (error !== undefined) mark(error)
      if (decision !== undefined) {
        learner.attempted({
          model,
          decision,
          stream: request.stream === true,
          usage,
          firstTokenMs: entry.ttftMs,
          durationMs: now() - slotAt,
          error,
        })
      }
      return (end = { model, firstTokenAt, error })
    }

    /** What a partial or unreported answer consumed: the prompt was read, and servers send about one token a frame. */
    function estimate(outputTokens: number): Usage {
      return { ...noUsage, inputTokens: decision?.measured.promptTokens ?? 0, outputTokens, estimated: true }
    }

    async function* hold(
      parts: AsyncIterable<StreamPart>,
      finish: (usage: Usage, error?: GatewayError) => void = close,
      begin: () => void = () => undefined,
    ): AsyncGenerator<StreamPart, void, void> {
      begin()
      let usage: Usage | undefined
      let frames = 0
      let failure: GatewayError | undefined
      let ended = false
      try {
        for await (const part of parts) {
          usage = part.usage ?? usage
          frames += framesIn(part)
          yield part
        }
        if (usage === undefined) {
          usage = estimate(frames)
          yield partFromChunks([{ object: 'chat.completion.chunk', choices: [], usage: writeUsage(usage) }])
        }
        ended = true
      } catch (error) {
        failure = asGatewayError(error)
        ended = true
        throw failure
      } finally {
        if (!ended) failure = new GatewayError('client_closed', 'The caller stopped reading.')
        finish(usage ?? estimate(frames), failure)
      }
    }

    function watch(
      parts: AsyncIterable<StreamPart>,
      signal: AbortSignal,
      onEnd: (error?: GatewayError) => void,
    ): AsyncGenerator<StreamPart, void, void> {
      let read = false
      const finish = (usage: Usage, error?: GatewayError) => {
        signal.removeEventListener('abort', onAbort)
        settle(close(usage, error))
        onEnd(error)
      }
      // Once the generator runs, the abort reaches it through the upstream, and it knows better what was used.
      const onAbort = () => {
        if (!read) finish(estimate(1), asGatewayError(signal.reason))
      }
      signal.addEventListener('abort', onAbort, { once: true })

      return hold(parts, finish, () => {
        if (signal.aborted) throw asGatewayError(signal.reason)
        read = true
      })
    }

    return {
      slotGranted() {
        slotAt = now()
        queueMs += slotAt - startedAt
        call.onSlot?.(model)
      },
      answered() {
        firstTokenAt = now()
        return { routeMs, queueMs, upstreamMs: firstTokenAt - slotAt }
      },
      failed(error) {
        if (end === undefined) close(noUsage, error)
        else mark(error)
      },
      completed: answer => void close(readUsage(answer.usage) ?? estimate(estimateTokens(answer))),
      delivered(reason) {
        if (end === undefined) throw new Error(`${model.id} has not answered yet`)
        settle({ ...end, firstTokenAt: now(), reason })
      },
      watch,
      hold: parts => hold(parts),
    }
  }

  return {
    call,
    decided(made, ms) {
      decision = made
      routeMs = ms
    },
    attemptStarted,
    attempts: () => entries.length,
    verified(outcome) {
      verification = outcome
    },
    failed: error => settle({ error }),
    settled,
  }
}

/** Undefined where the cost of one is not known: books do not guess. */
function totalUsd(entries: readonly AttemptRecord[]): number | undefined {
  let total = 0
  for (const { costUsd: cost } of entries) {
    if (cost === undefined) return undefined
    total += cost
  }
  return total
}

function outcomeOf(error: GatewayError | undefined): Outcome {
  if (error === undefined) return 'ok'
  return error.code === 'client_closed' ? 'cancelled' : 'error'
}

/** About four letters are a token; used only where the upstream reports no usage at all. */
function estimateTokens({ choices = [] }: Answered): number {
  const letters = choices.reduce((sum, { message, text }) => {
    const calls = message?.tool_calls?.map(call => call.function.arguments).join('') ?? ''
    const said = `${message?.content ?? ''}${message?.reasoning_content ?? ''}${typeof text === 'string' ? text : ''}`
    return sum + said.length + calls.length
  }, 0)
  return Math.ceil(letters / 4)
}
