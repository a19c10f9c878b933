import { sumUsd } from '../accounting/money.ts'
import type { EnergyRates } from '../accounting/pricing.ts'
import type { GatewayError } from '../errors.ts'
import type { AttemptRecord, RequestRecord } from '../ledger/record.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Model } from '../providers/provider.ts'
import type { Verification } from '../router/cascade.ts'
import { reasonFor, type Decision } from '../router/decide.ts'
import { recordOf } from '../router/record.ts'
import type { ChatMessage } from '../wire/chat/schema.ts'
import { sumUsage } from '../wire/usage.ts'
import { openAttemptRecorder, outcomeOf, type AttemptEnd, type AttemptRecorder } from './attempt-record.ts'
import { spenderOf, type Call } from './call.ts'
import type { Corrections } from './corrections.ts'
import type { Learner } from './learner.ts'
import { referenceCostOf, type ReferenceModel } from './reference-cost.ts'
import type { StartTrace } from './trace.ts'

/** What is recorded about the request itself. */
export interface RequestFacts {
  model: string
  stream?: boolean | null | undefined
  /** Those of a chat. */
  messages?: readonly ChatMessage[] | undefined
}

/** The record of one request: exactly one row, written at its end, its failure or the client's disconnect, whichever is first. */
export interface RequestRecorder {
  readonly call: Call
  /** `routeMs`: time taken to decide. */
  decided(decision: Decision, routeMs: number): void
  /** Opens the record of one attempt, not before the decision. `promptTokens`: expected, in the model's own tokens. */
  attemptStarted(model: Model, promptTokens: number): AttemptRecorder
  attempts(): number
  /** USD, total of all finished attempts; undefined where the cost of one is unknown. */
  spentUsd(): number | undefined
  /** Milliseconds of choosing and of waiting for slots, all attempts together. */
  waited(): { routeMs: number; queueMs: number }
  /** Records the outcome of the checks. */
  verified(verification: Verification): void
  failed(error: GatewayError): void
  /** Resolves when the row is passed to the ledger. */
  readonly settled: Promise<void>
}

export interface RequestRecorderParts {
  call: Call
  request: RequestFacts
  record: Ledger['record']
  /** Absent where nothing is traced. */
  startTrace?: StartTrace | undefined
  learner: Pick<Learner, 'attempted'>
  energy: () => EnergyRates
  /** The model that the operator compares costs with. */
  reference: () => ReferenceModel | undefined
  corrections: Pick<Corrections, 'add' | 'canCorrect'>
  /** Milliseconds since the epoch. */
  now: () => number
}

export function openRequestRecorder(parts: RequestRecorderParts): RequestRecorder {
  const { call, request, record, startTrace, learner, energy, reference, corrections, now } = parts
  const { promise: settled, resolve } = Promise.withResolvers<void>()
  const trace = startTrace?.(call, request.model)
  const entries: AttemptRecord[] = []
  let last: Model | undefined
  let decision: Decision | undefined
  let routeMs = 0
  let queueMs = 0
  let verification: Verification | undefined
  let written = false

  function settle({ model, firstTokenAt, error, usage, reason }: Partial<AttemptEnd>): void {
    if (written) return
    written = true
    const consumed = entries.length === 1 ? entries[0]!.usage : sumUsage(entries.map(each => each.usage))
    call.onSettled?.(consumed)
    const row: RequestRecord = {
      id: call.requestId,
      callerRequestId: call.callerRequestId,
      createdAt: call.receivedAt,
      endpoint: call.endpoint,
      keyId: call.keyId,
      session: call.options?.session,
      tags: call.options?.tags,
      task: spenderOf(call).task,
      requestedModel: request.model,
      provider: model?.provider,
      model: model?.id,
      upstreamModel: model?.name,
      tier: model?.tier,
      outcome: outcomeOf(error),
      failureCode: error?.code,
      status: error?.failure.status ?? 200,
      stream: request.stream === true,
      usage: consumed,
      costUsd: totalUsd(entries),
      energyUsd: sumUsd(entries.map(({ energyUsd = 0 }) => energyUsd)),
      byokCostUsd: sumUsd(entries.map(({ byokCostUsd = 0 }) => byokCostUsd)),
      reference: referenceCostOf({ endpoint: call.endpoint, decision, answer: usage, named: reference() }),
      ttftMs: firstTokenAt === undefined ? undefined : firstTokenAt - call.receivedAt,
      durationMs: now() - call.receivedAt,
      queueMs,
      routeMs,
      reason: reason ?? (decision === undefined || model === undefined ? 'none' : reasonFor(decision, model)),
      decision:
        decision === undefined
          ? undefined
          : { ...recordOf(decision), ...(verification === undefined ? {} : { verification }) },
      attempts: entries,
    }
    record(row)
    trace?.end(row)
    corrections.add(call, entries)
    resolve()
  }

  return {
    call,
    decided(made, ms) {
      decision = made
      routeMs = ms
    },
    attemptStarted(model, promptTokens) {
      if (decision === undefined) throw new Error(`${model.id} is called before anything was decided`)
      const { entry, recorder } = openAttemptRecorder({
        model,
        promptTokens,
        decision,
        stream: request.stream === true,
        asked: { keyId: call.keyId, messages: request.messages },
        learner,
        energy: energy(),
        trace: trace?.attempt(model),
        canCorrect: corrections.canCorrect,
        now,
        onSlot(waitedMs) {
          queueMs += waitedMs
          call.onSlot?.(model)
        },
        settle,
      })
      entries.push(entry)
      last = model
      return recorder
    },
    attempts: () => entries.length,
    spentUsd: () => totalUsd(entries),
    waited: () => ({ routeMs, queueMs }),
    verified(outcome) {
      verification = outcome
    },
    failed: error => settle({ error, model: wasAnswering(entries.at(-1)) ? last : undefined }),
    settled,
  }
}

/** Whether the caller left, or had to go, while a model was working for them. */
function wasAnswering(entry: AttemptRecord | undefined): boolean {
  const isLeft = entry?.failureCode === 'client_closed' || entry?.failureCode === 'shutting_down'
  return isLeft && entry?.usage.partial === true
}

/** Undefined if the cost of any attempt is unknown: nothing is guessed. */
function totalUsd(entries: readonly AttemptRecord[]): number | undefined {
  const costs = entries.flatMap(({ costUsd }) => costUsd ?? [])
  return costs.length === entries.length ? sumUsd(costs) : undefined
}
