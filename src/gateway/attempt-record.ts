import { costOf } from '../accounting/pricing.ts'
import { GatewayError, asGatewayError, asUpstreamError } from '../errors.ts'
import type { AttemptRecord, RequestOutcome } from '../ledger/record.ts'
import type { Model } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import { readUsage, writeUsage, type ChatCompletion } from '../wire/chat/schema.ts'
import { framesIn, partFromChunks, type StreamPart } from '../wire/stream-part.ts'
import { noUsage, promptTokens, type Usage } from '../wire/usage.ts'
import type { Learner } from './learner.ts'

/** The fields of a complete answer, of a chat or another endpoint, that its usage is read from. */
export interface Answered {
  usage?: unknown
  choices?: readonly { text?: unknown; message?: ChatCompletion['choices'][number]['message'] }[]
}

/** The record of one attempt. Every attempt ends by `failed`, `completed`, `watch` or `hold`. */
export interface AttemptRecorder {
  slotGranted(): void
  /** The first token, or the complete answer, has arrived; returns the milliseconds since the slot was granted. */
  answered(): number
  /** Nothing of this attempt reaches the caller; the usage so far stays on record. */
  failed(error: GatewayError): void
  /** The complete answer has arrived and is held back for now. */
  completed(answer: Answered): void
  /** An answer that was completed or held goes to the caller. `reason`: why this model, if the decision does not say. */
  delivered(reason?: string): void
  /**
   * The same parts, watched for usage; if the upstream reports none, a last part carries our estimate. `onEnd` runs once,
   * with the error if there was one. A client may disconnect before reading anything, so `signal` ends an unread stream too.
   */
  watch(
    parts: AsyncIterable<StreamPart>,
    signal: AbortSignal,
    onEnd: (error?: GatewayError) => void,
  ): AsyncGenerator<StreamPart, void, void>
  /** Like `watch`, for a stream that is held back for now. */
  hold(parts: AsyncIterable<StreamPart>): AsyncGenerator<StreamPart, void, void>
}

/** The end of the attempt whose answer or failure became the result of the request. */
export interface AttemptEnd {
  model: Model
  /** Milliseconds since the epoch. */
  firstTokenAt: number | undefined
  error: GatewayError | undefined
  reason?: string | undefined
}

export interface AttemptRecorderParts {
  model: Model
  /** The decision that serves the request. */
  decision: Decision
  stream: boolean
  learner: Pick<Learner, 'attempted'>
  /** Milliseconds since the epoch. */
  now: () => number
  /** Called with the milliseconds that the attempt waited for its slot. */
  onSlot: (waitedMs: number) => void
  /** Called when the result of the attempt goes to the caller. */
  settle: (end: AttemptEnd) => void
}

/** Opens the record of one attempt. `entry` is its row, filled in as the attempt proceeds. */
export function openAttemptRecorder(parts: AttemptRecorderParts): { entry: AttemptRecord; recorder: AttemptRecorder } {
  const { model, decision, stream, learner, now, onSlot, settle } = parts
  const startedAt = now()
  let slotAt = startedAt
  let firstTokenAt: number | undefined
  let end: AttemptEnd | undefined
  const entry: AttemptRecord = {
    provider: model.provider,
    model: model.id,
    startedAt,
    outcome: 'cancelled',
    usage: noUsage,
    durationMs: 0,
  }

  function close(reported: Usage, error?: GatewayError): AttemptEnd {
    // Embeddings and rerank take many texts at once, each as long as the context.
    const believed = decision.measured.nonChat !== undefined || isPlausible(reported, model)
    const usage = believed ? reported : estimate(Math.min(reported.outputTokens, maxGuessedTokens))
    entry.outcome = 'ok'
    entry.usage = usage
    entry.costUsd = usage === noUsage ? 0 : costOf(model.price, usage)
    entry.durationMs = now() - startedAt
    entry.ttftMs = firstTokenAt === undefined ? undefined : firstTokenAt - slotAt
    if (error !== undefined) markFailed(entry, error)
    const durationMs = now() - slotAt
    learner.attempted({ model, decision, stream, usage, firstTokenMs: entry.ttftMs, durationMs, error })
    return (end = { model, firstTokenAt, error })
  }

  /** Usage of a partial or unreported answer: the prompt was read, and servers send about one token per frame. */
  const estimate = (outputTokens: number): Usage => ({
    ...noUsage,
    inputTokens: decision.measured.promptTokens,
    outputTokens,
    estimated: true,
  })

  const recorder: AttemptRecorder = {
    slotGranted() {
      slotAt = now()
      onSlot(slotAt - startedAt)
    },
    answered() {
      firstTokenAt = now()
      return firstTokenAt - slotAt
    },
    failed(error) {
      if (end === undefined) close(noUsage, error)
      else markFailed(entry, error)
    },
    completed: answer => void close(readUsage(answer.usage) ?? estimate(estimateTokens(answer))),
    delivered(reason) {
      if (end === undefined) throw new Error(`${model.id} has not answered yet`)
      settle({ ...end, firstTokenAt: now(), reason })
    },
    watch(source, signal, onEnd) {
      const finish = (usage: Usage, error?: GatewayError) => {
        signal.removeEventListener('abort', onAbort)
        settle(close(usage, error))
        onEnd(error)
      }
      const onAbort = () => finish(estimate(1), asGatewayError(signal.reason))
      signal.addEventListener('abort', onAbort, { once: true })
      const begin = () => {
        if (signal.aborted) throw asGatewayError(signal.reason)
        // From now on the abort reaches the generator through the upstream, which knows the usage better.
        signal.removeEventListener('abort', onAbort)
      }
      return metered(source, { who: model.id, begin, estimate, end: finish })
    },
    hold: source => metered(source, { who: model.id, begin: () => undefined, estimate, end: close }),
  }
  return { entry, recorder }
}

/** Output tokens assumed where the reported usage is impossible. */
const maxGuessedTokens = 4_096
/** Larger than the context of any model. */
const largestContext = 10_000_000

/** Usage of several times the context counts something other than tokens; our own estimate is closer. */
function isPlausible(usage: Usage, { contextTokens = largestContext }: Model): boolean {
  return promptTokens(usage) + usage.outputTokens <= 4 * contextTokens
}

/** The outcome that is recorded for a request or an attempt. */
export function outcomeOf(error: GatewayError | undefined): RequestOutcome {
  if (error === undefined) return 'ok'
  return error.code === 'client_closed' ? 'cancelled' : 'error'
}

function markFailed(entry: AttemptRecord, error: GatewayError): void {
  entry.outcome = outcomeOf(error)
  entry.failureCode = error.code
  entry.status = error.failure.status
  entry.message = error.message
}

interface Meter {
  /** The answering model, for error messages. */
  who: string
  /** Called when the first part is requested; its error reaches the reader. */
  begin: () => void
  estimate: (outputTokens: number) => Usage
  /** Called once, when the stream has ended, failed or was abandoned. */
  end: (usage: Usage, error?: GatewayError) => void
}

/** The same parts; `end` gets the usage they report, or an estimate, which is then sent as a last part. */
async function* metered(
  source: AsyncIterable<StreamPart>,
  { who, begin, estimate, end }: Meter,
): AsyncGenerator<StreamPart, void, void> {
  begin()
  let usage: Usage | undefined
  let frames = 0
  let ending: 'left' | 'complete' | GatewayError = 'left'
  try {
    for await (const part of source) {
      usage = part.usage ?? usage
      frames += framesIn(part)
      yield part
    }
    if (usage === undefined) {
      usage = estimate(frames)
      yield partFromChunks([{ object: 'chat.completion.chunk', choices: [], usage: writeUsage(usage) }])
    }
    ending = 'complete'
  } catch (error) {
    ending = asUpstreamError(error, who)
    throw ending
  } finally {
    const left = () => new GatewayError('client_closed', 'The caller stopped reading.')
    end(usage ?? estimate(frames), ending === 'complete' ? undefined : ending === 'left' ? left() : ending)
  }
}

/** About four characters per token; used only if the upstream reports no usage at all. */
function estimateTokens({ choices = [] }: Answered): number {
  const letters = choices.reduce((sum, { message, text }) => {
    const calls = message?.tool_calls?.map(call => call.function.arguments).join('') ?? ''
    const output = `${message?.content ?? ''}${message?.reasoning_content ?? ''}${typeof text === 'string' ? text : ''}`
    return sum + output.length + calls.length
  }, 0)
  return Math.ceil(letters / 4)
}
