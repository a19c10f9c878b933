import { roundUsd } from '../accounting/money.ts'
import { costOf, energyCostOf, freePrice, type EnergyRates } from '../accounting/pricing.ts'
import { GatewayError, asGatewayError, asUpstreamError } from '../errors.ts'
import type { AttemptRecord, CostSource, RequestOutcome } from '../ledger/record.ts'
import type { CallProgress, Model } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import { writeUsage } from '../wire/chat/schema.ts'
import { partFromChunks, type StreamPart } from '../wire/stream-part.ts'
import { noUsage, type Usage } from '../wire/usage.ts'
import { createConsumption, type Answered } from './consumption.ts'
import type { Corrections } from './corrections.ts'
import type { AskedBy, Learner } from './learner.ts'
import type { BudgetReservation } from './spending.ts'
import type { AttemptTrace } from './trace.ts'

/** The record of one attempt. Every attempt ends by `failed`, `completed`, `watch` or `hold`. */
export interface AttemptRecorder {
  slotGranted(): void
  /** Money is held for the attempt until its end. */
  reserved(reservation: BudgetReservation | undefined): void
  /** Given to the call, which tells how far it got. */
  readonly progress: CallProgress
  /** A part of the answer has arrived from the upstream, whether or not any of it reaches the caller. */
  received: (part: StreamPart) => void
  /** The first token, or the complete answer, has arrived; returns the milliseconds since the slot was granted. */
  answered(): number
  /** Nothing of this attempt reaches the caller; the usage so far stays on record. */
  failed(error: GatewayError): void
  /** The complete answer has arrived and is held back for now. */
  completed(answer: Answered): void
  /** An answer that was completed or held goes to the caller. `reason`: why this model, if the decision does not say. */
  delivered(reason?: string): void
  /**
   * The same parts; if the upstream reports no usage, a last part carries our estimate. `onEnd` runs once, with the error if
   * there was one. A client may disconnect before reading anything, so `signal` ends an unread stream too.
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
  usage: Usage
  reason?: string | undefined
}

export interface AttemptRecorderParts {
  model: Model
  /** Expected size of the prompt in the model's own tokens. */
  promptTokens: number
  /** The decision that serves the request. */
  decision: Decision
  stream: boolean
  asked: AskedBy
  learner: Pick<Learner, 'attempted'>
  energy: EnergyRates
  canCorrect: Corrections['canCorrect']
  /** Absent where nothing is traced. */
  trace: AttemptTrace | undefined
  /** Milliseconds since the epoch. */
  now: () => number
  /** Called with the milliseconds that the attempt waited for its slot. */
  onSlot: (waitedMs: number) => void
  /** Called when the result of the attempt goes to the caller. */
  settle: (end: AttemptEnd) => void
}

/** Opens the record of one attempt. `entry` is its row, filled in as the attempt proceeds. */
export function openAttemptRecorder(parts: AttemptRecorderParts): { entry: AttemptRecord; recorder: AttemptRecorder } {
  const { model, promptTokens, decision, stream, asked, learner, energy, canCorrect, trace, now, onSlot, settle } =
    parts
  const startedAt = now()
  const consumption = createConsumption(model, decision, promptTokens)
  let slotAt = startedAt
  let firstTokenAt: number | undefined
  let end: AttemptEnd | undefined
  let reservation: BudgetReservation | undefined
  const entry: AttemptRecord = {
    provider: model.provider,
    model: model.id,
    startedAt,
    outcome: 'cancelled',
    usage: noUsage,
    durationMs: 0,
  }

  function close(usage: Usage, error?: GatewayError): AttemptEnd {
    const durationMs = now() - slotAt
    const charge = usage === noUsage ? 0 : costOf(model.price, usage, startedAt)
    entry.outcome = 'ok'
    entry.usage = usage
    entry.energyUsd = consumption.isSent() ? energyCostOf(model.tier, durationMs / 1000, energy) : 0
    entry.byokCostUsd = usage.byokCostUsd
    entry.costUsd = charge === undefined ? undefined : roundUsd(charge + entry.energyUsd)
    entry.generationId = consumption.generationId()
    entry.costSource = charge === undefined ? undefined : sourceOf(model, usage)
    // What runs here for nothing has no price worth a row.
    if (model.price !== freePrice) entry.price = model.price
    entry.priceOrigin = model.priceOrigin
    entry.durationMs = now() - startedAt
    entry.ttftMs = firstTokenAt === undefined ? undefined : firstTokenAt - slotAt
    if (error !== undefined) markFailed(entry, error)
    reservation?.settle(charge, canCorrect(entry))
    learner.attempted({ model, decision, stream, usage, firstTokenMs: entry.ttftMs, durationMs, error, asked })
    trace?.end(entry)
    return (end = { model, firstTokenAt, error, usage })
  }
  const closeStream = (error?: GatewayError) =>
    close(error === undefined ? consumption.ofStream() : consumption.until(error), error)
  const meter: Meter = { who: model.id, unreported: consumption.unreported, end: closeStream }

  const recorder: AttemptRecorder = {
    progress: { ...consumption.progress, traceParent: trace?.traceParent },
    received: consumption.received,
    slotGranted() {
      slotAt = now()
      onSlot(slotAt - startedAt)
    },
    reserved(held) {
      reservation = held
    },
    answered() {
      firstTokenAt = now()
      return firstTokenAt - slotAt
    },
    failed(error) {
      if (end === undefined) closeStream(error)
      else markFailed(entry, error)
    },
    completed: answer => void close(consumption.of(answer)),
    delivered(reason) {
      if (end === undefined) throw new Error(`${model.id} has not answered yet`)
      settle({ ...end, firstTokenAt: now(), reason })
    },
    watch(source, signal, onEnd) {
      const finish = (error?: GatewayError) => {
        signal.removeEventListener('abort', onAbort)
        settle(closeStream(error))
        onEnd(error)
      }
      const onAbort = () => finish(asGatewayError(signal.reason))
      signal.addEventListener('abort', onAbort, { once: true })
      const begin = () => {
        if (signal.aborted) throw asGatewayError(signal.reason)
        // From now on the abort reaches the generator through the upstream.
        signal.removeEventListener('abort', onAbort)
      }
      return metered(source, { ...meter, begin, end: finish })
    },
    hold: source => metered(source, meter),
  }
  return { entry, recorder }
}

function sourceOf({ tier, priceOrigin }: Model, { reportedCostUsd }: Usage): CostSource | undefined {
  return reportedCostUsd === undefined ? (priceOrigin?.source ?? (tier === 'local' ? 'local' : undefined)) : 'reported'
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
  begin?: () => void
  /** Our estimate of the usage of a complete stream whose upstream reported none. */
  unreported: () => Usage | undefined
  /** Called once, when the stream has ended, failed or was abandoned. */
  end: (error?: GatewayError) => void
}

/** The same parts, and a last one with the usage where the upstream reported none. */
async function* metered(
  source: AsyncIterable<StreamPart>,
  { who, begin, unreported, end }: Meter,
): AsyncGenerator<StreamPart, void, void> {
  begin?.()
  let ending: 'left' | 'complete' | GatewayError = 'left'
  try {
    yield* source
    const usage = unreported()
    if (usage !== undefined) {
      yield partFromChunks([{ object: 'chat.completion.chunk', choices: [], usage: writeUsage(usage) }])
    }
    ending = 'complete'
  } catch (error) {
    ending = asUpstreamError(error, who)
    throw ending
  } finally {
    const left = () => new GatewayError('client_closed', 'The caller stopped reading.')
    end(ending === 'complete' ? undefined : ending === 'left' ? left() : ending)
  }
}
