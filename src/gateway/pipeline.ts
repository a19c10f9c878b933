import type { EnergyRates } from '../accounting/pricing.ts'
import { GatewayError, asGatewayError } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Answer } from './answer.ts'
import type { Answered } from './consumption.ts'
import type { Call } from './call.ts'
import type { Decider } from './decider.ts'
import type { Corrections } from './corrections.ts'
import type { CallCandidates } from './fallback.ts'
import type { Job } from './job.ts'
import type { Learner } from './learner.ts'
import type { ReferenceModel } from './reference-cost.ts'
import { openRequestRecorder } from './request-record.ts'
import type { StartTrace } from './trace.ts'

/** The single path of every model request: decide → call → fall back → record. */
export interface Pipeline {
  /** Throws `GatewayError`; in any case the ledger gets one row for the request and one for each attempt. */
  run: <Body extends Answered>(call: Call, job: Job<Body>) => Promise<Answer<Body>>
  /** Requests in progress. */
  active: () => number
  /** Resolves when the requests now in progress have ended. */
  idle: () => Promise<void>
  /** Refuses new requests, gives those in progress `graceMs` to finish, then aborts them. */
  close: (graceMs: number) => Promise<void>
}

export interface PipelineParts {
  record: Ledger['record']
  startTrace?: StartTrace | undefined
  learner: Pick<Learner, 'attempted'>
  energy: () => EnergyRates
  reference: () => ReferenceModel | undefined
  corrections: Corrections
  insist: Decider['insist']
  callCandidates: CallCandidates
  /** Milliseconds since the epoch. */
  now: () => number
}

export function createPipeline(parts: PipelineParts): Pipeline {
  const { insist, callCandidates, now } = parts
  const underWay = new Map<Promise<void>, AbortController>()
  let closed = false

  async function run<Body extends Answered>(call: Call, job: Job<Body>): Promise<Answer<Body>> {
    if (closed) throw shuttingDown()
    const controller = linkedController(call.signal)
    const { signal } = controller
    const recorder = openRequestRecorder({ ...parts, call, request: job.asked })
    const done = recorder.settled.finally(() => underWay.delete(done))
    underWay.set(done, controller)
    try {
      const startedAt = now()
      const decision = await insist(job.decide, job.asked.model, signal)
      recorder.decided(decision, now() - startedAt)
      return await callCandidates({ job, decision, recorder, cascade: job.cascade?.(decision, recorder), signal })
    } catch (error) {
      const failure = asGatewayError(error)
      recorder.failed(failure)
      throw failure
    }
  }

  async function idle(): Promise<void> {
    await Promise.all(underWay.keys())
  }

  return {
    run,
    active: () => underWay.size,
    idle,
    async close(graceMs) {
      closed = true
      let timer: NodeJS.Timeout | undefined
      const grace = new Promise<void>(resolve => {
        timer = setTimeout(resolve, graceMs)
      })
      await Promise.race([idle(), grace])
      clearTimeout(timer)
      for (const controller of underWay.values()) controller.abort(shuttingDown())
      await idle()
    },
  }
}

function shuttingDown(): GatewayError {
  return new GatewayError('shutting_down', 'Signalbox is shutting down; send the request again in a moment.')
}

/** Aborts with `signal`, or when called directly. `AbortSignal.any` would do the same at many times the cost per request. */
function linkedController(signal: AbortSignal): AbortController {
  const controller = new AbortController()
  if (signal.aborted) controller.abort(signal.reason)
  else signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true })
  return controller
}
