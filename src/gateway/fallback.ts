import type { CoreValues } from '../config/core-settings.ts'
import { GatewayError, asGatewayError, asUpstreamError, type FailureScope } from '../errors.ts'
import type { Credential, Model, Provider } from '../providers/provider.ts'
import { callBounds } from '../router/call-bounds.ts'
import { reasonFor, type Decision } from '../router/decide.ts'
import { promptTokensFor, type Knowledge } from '../router/knowledge.ts'
import type { Answer, Served } from './answer.ts'
import { attempt, type AttemptTimeouts, type Primed } from './attempt.ts'
import type { AttemptRecorder } from './attempt-record.ts'
import type { Breakers } from './breakers.ts'
import { spenderOf } from './call.ts'
import type { Cascade } from './cascade-run.ts'
import type { Answered } from './consumption.ts'
import type { Inventory } from './inventory.ts'
import type { Job } from './job.ts'
import type { CredentialOf } from './credentials.ts'
import { nextCandidate, type AttemptFailure } from './next-candidate.ts'
import type { RequestRecorder } from './request-record.ts'
import type { Slots } from './slots.ts'
import type { Spending } from './spending.ts'

/** Maximum candidates tried for one request: by then the caller has waited long enough for an answer, even an error. */
const maxAttempts = 5

/** Failures that concern an account at a provider. */
const ownFaults: ReadonlySet<FailureScope> = new Set<FailureScope>(['key', 'free models'])

/** One request with its decision, ready to be answered. */
export interface DecidedRequest<Body> {
  job: Job<Body>
  decision: Decision
  recorder: RequestRecorder
  cascade: Cascade<Body> | undefined
  signal: AbortSignal
}

/** An answer that has begun, as the caller would get it, with what closes its attempt. */
export interface OpenAnswer<Body> extends Answer<Body> {
  entry: AttemptRecorder
  /** Releases its slot; a judge may need it. */
  release: () => void
}

/** Calls the candidates of a decision in order until one answers. Throws `GatewayError`. */
export type CallCandidates = <Body extends Answered>(request: DecidedRequest<Body>) => Promise<Answer<Body>>

export type AttemptSettings = Pick<
  CoreValues,
  'PROVIDER_TIMEOUT_MS' | 'PROVIDER_IDLE_TIMEOUT_MS' | 'PROVIDER_TOTAL_TIMEOUT_MS'
>

export interface FallbackParts {
  inventory: Pick<Inventory, 'providerOf' | 'suspect'>
  breakers: Breakers
  slotsOf: (provider: string) => Slots
  spending: Pick<Spending, 'reserve'>
  credentialOf: CredentialOf
  /** The settings in force; read for every attempt. */
  settings: () => AttemptSettings
  knowledge: () => Knowledge
  /** Milliseconds since the epoch. */
  now: () => number
}

/** What one attempt may take. */
interface AttemptLimits {
  leftMs: number
  /** The failure of the attempt that this one repeats. */
  retries: GatewayError | undefined
}

export function createFallback(parts: FallbackParts): CallCandidates {
  const { inventory, breakers, slotsOf, spending, credentialOf, settings, knowledge, now } = parts

  /**
   * The only loop that retries and falls back: the error table says which failures lead to the next candidate. All attempts
   * together are bounded in number, in time and, if the caller set a budget, in money.
   */
  async function callInOrder<Body extends Answered>(request: DecidedRequest<Body>): Promise<Answer<Body>> {
    const { cascade } = request
    const startedAt = now()
    let remaining = [...request.decision.ranked]
    const failures: AttemptFailure[] = []
    const retried = new Map<Model, GatewayError>()
    let again: Model | undefined
    while (failures.length < maxAttempts) {
      const model = again ?? nextCandidate(remaining, failures, maxAttempts - failures.length)
      const leftMs = settings().PROVIDER_TOTAL_TIMEOUT_MS - (now() - startedAt)
      if (model === undefined || leftMs <= 0) break
      again = undefined
      remaining = remaining.filter(other => other !== model)
      if (!isAffordable(model, request) || !breakers.tryEnter(model)) continue
      try {
        return await callOne(model, request, { leftMs, retries: retried.get(model) })
      } catch (thrown) {
        const error = asGatewayError(thrown)
        failures.push({ model, error })
        if (!error.failure.fallback) throw error
        if (error.failure.retry && !retried.has(model)) {
          retried.set(model, error)
          again = model
        }
        if (cascade !== undefined) remaining = cascade.left(remaining)
      }
    }
    const unproven = cascade?.giveUp()
    if (unproven !== undefined) return unproven
    throw allFailed(failures)
  }

  async function callOne<Body extends Answered>(
    model: Model,
    request: DecidedRequest<Body>,
    { leftMs, retries }: AttemptLimits,
  ): Promise<Answer<Body>> {
    const { job, decision, recorder, cascade, signal } = request
    const promptTokens = promptTokensFor(model, decision.measured, knowledge())
    const entry = recorder.attemptStarted(model, promptTokens)
    let release: (() => void) | undefined
    let credential: Credential | undefined
    try {
      release = await slotsOf(model.provider).acquire(signal, { priority: recorder.call.priority, model: model.id })
      entry.slotGranted()
      // Looked up only now: while the request waited for its slot, its provider may have got another key or been removed.
      const provider = inventory.providerOf(model)
      credential = credentialOf(recorder.call.keyId, provider.name)
      const reservation = await spending.reserve({
        requestId: recorder.call.requestId,
        ordinal: recorder.attempts() - 1,
        spender: spenderOf(recorder.call),
        model,
        bounds: callBounds(model, decision.measured, promptTokens),
      })
      entry.reserved(reservation)
      const { call, notes, inOnePiece } = job.prepare({
        model,
        provider,
        promptTokens,
        maxOutputTokens: reservation?.maxOutputTokens,
        credential,
      })
      const bounds = timeoutsOf(provider, settings(), leftMs)
      const timeouts = inOnePiece ? inOnePieceTimeouts(bounds, expectedMs(model, decision)) : bounds
      const reply = await attempt({
        model,
        ask: aborted => call(aborted, entry.progress),
        onPart: entry.received,
        assemble: job.assemble,
        timeouts,
        signal,
      })
      breakers.succeeded(model)
      const served: Served = {
        model,
        reason: reasonFor(decision, model),
        attempts: recorder.attempts(),
        promptTokens,
        timings: { upstreamMs: entry.answered(), ...recorder.waited() },
        notes: [...decision.notes, ...notes],
        budgetWarnings: reservation?.warnings ?? [],
      }
      const finished = understood(model, () => job.finish(reply, model))
      if (cascade !== undefined) return await cascade.check({ served, reply: finished, entry, release }, signal)
      job.served?.(model, decision)
      return { served, reply: recorded({ served, reply: finished, entry, release }, signal) }
    } catch (thrown) {
      release?.()
      const error = asGatewayError(thrown)
      // What is going to be retried is often one of many connections that the server closed while they were idle. It counts only
      // if the retry fails too: otherwise requests at the same time would open the breaker and lock out each other's retries.
      if (retries === undefined && error.failure.retry) breakers.left(model)
      else for (const each of [retries ?? [], error].flat()) blame(model, each, credential)
      entry.failed(error)
      throw error
    }
  }

  /** The reply; its attempt is recorded and its slot released when it ends, fails or is abandoned. */
  function recorded<Body extends Answered>(
    { served, reply, entry, release }: OpenAnswer<Body>,
    signal: AbortSignal,
  ): Primed<Body> {
    if (reply.kind === 'complete') {
      release()
      understood(served.model, () => entry.completed(reply.completion))
      entry.delivered()
      return reply
    }
    const parts = entry.watch(reply.parts, signal, error => {
      release()
      if (error !== undefined) blame(served.model, error)
    })
    return { kind: 'stream', parts }
  }

  function blame(model: Model, error: GatewayError, credential?: Credential): void {
    // What becomes of a caller's own account says nothing about the operator's.
    const isTheirs = credential !== undefined && ownFaults.has(error.failure.scope)
    if (isTheirs || error.code === 'client_closed' || error.code === 'shutting_down') breakers.left(model)
    else breakers.failed(model, error)
    if (error.code === 'upstream_unavailable') inventory.suspect(model)
  }

  return callInOrder
}

/** The result of `read`, which parses an answer; anything it throws becomes an upstream error, with fallback. */
function understood<T>({ id }: Model, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw asUpstreamError(error, id)
  }
}

/** Whether the caller's budget, less the cost so far, covers another attempt. */
function isAffordable<Body>(model: Model, { decision, recorder }: DecidedRequest<Body>): boolean {
  const { maxCostUsd } = decision.options
  const spent = recorder.spentUsd()
  if (maxCostUsd === undefined || spent === 0) return true
  const costUsd = decision.candidates[decision.ranked.indexOf(model)]?.costUsd ?? Infinity
  return (spent ?? Infinity) + costUsd <= maxCostUsd
}

function timeoutsOf({ firstTokenTimeoutMs }: Provider, settings: AttemptSettings, leftMs: number): AttemptTimeouts {
  return {
    firstTokenMs: firstTokenTimeoutMs ?? settings.PROVIDER_TIMEOUT_MS,
    idleMs: settings.PROVIDER_IDLE_TIMEOUT_MS,
    totalMs: leftMs,
  }
}

/** An answer in one piece shows no progress, so it is allowed three times its expected duration on top. */
function inOnePieceTimeouts(timeouts: AttemptTimeouts, expectedMs: number): AttemptTimeouts {
  const { firstTokenMs, idleMs, totalMs } = timeouts
  return { ...timeouts, firstTokenMs: Math.min(totalMs, firstTokenMs + idleMs + 3 * expectedMs) }
}

function expectedMs(model: Model, { ranked, candidates }: Decision): number {
  return 1000 * (candidates[ranked.indexOf(model)]?.seconds ?? 0)
}

/** One error for several failures: their common code if there is one, and every reason. */
function allFailed(errors: readonly AttemptFailure[]): GatewayError {
  const [first] = errors
  if (first === undefined) {
    return new GatewayError(
      'no_backend',
      'Every model that could serve this request is being tested by another request; try again.',
    )
  }
  if (errors.length === 1) return first.error
  const same = errors.every(({ error }) => error.code === first.error.code)
  const waits = errors.flatMap(({ error }) => error.retryAfterSeconds ?? [])
  const reasons = errors.map(({ model, error }) => `${model.id}: ${error.message}`).join(' | ')
  return new GatewayError(
    same ? first.error.code : 'upstream_error',
    `All ${errors.length} attempts failed. ${reasons}`,
    {
      cause: new AggregateError(errors.map(({ error }) => error)),
      ...(waits.length > 0 ? { retryAfterSeconds: Math.min(...waits) } : {}),
    },
  )
}
