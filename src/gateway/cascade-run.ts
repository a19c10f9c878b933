import { GatewayError } from '../errors.ts'
import type { Model } from '../providers/provider.ts'
import {
  complaintOf,
  isBetter,
  fewestObjections,
  lowestAcceptRate,
  nextStep,
  scoreOfPass,
  type Checked,
  type Verification,
} from '../router/cascade.ts'
import type { Decision } from '../router/decide.ts'
import { likeliest } from '../router/measure.ts'
import type { Candidate } from '../router/rank.ts'
import type { ChatCompletion } from '../wire/chat/schema.ts'
import type { Answer } from './answer.ts'
import { checkAll, learnFrom, type CheckParts, type CheckRequest } from './check-answer.ts'
import { bufferResponse, type BufferedResponse } from './buffered-response.ts'
import type { Learner } from './learner.ts'
import type { OpenAnswer } from './fallback.ts'
import type { RequestRecorder } from './request-record.ts'

/**
 * The checks of one request. The loop of the pipeline remains the only one: to it, an answer that fails its checks is a
 * failed attempt, and this decides which candidates may follow.
 */
export interface Cascade<Body> {
  /** The answer, once it has passed. Throws `answer_rejected` for a rejected one and keeps the best of those. */
  check(answer: OpenAnswer<Body>, signal: AbortSignal): Promise<Answer<Body>>
  /** The candidates that may still be called: all untried ones until an answer was rejected, then only better ones. */
  left(line: readonly Model[]): Model[]
  /** The best rejected answer; undefined if there is none. */
  giveUp(): Answer<Body> | undefined
}

export interface CascadeRequest extends CheckRequest {
  recorder: RequestRecorder
  /** Called with the model whose answer goes to the caller. */
  served: (model: Model, decision: Decision) => void
}

export interface CascadeParts extends CheckParts {
  learner: Learner
  /** Milliseconds since the epoch. */
  now: () => number
}

/** Returns a function that starts the checks of a request. */
export function createCascades(parts: CascadeParts): (request: CascadeRequest) => Cascade<ChatCompletion> {
  return request => createCascade(request, parts)
}

interface CheckedAnswer {
  answer: OpenAnswer<ChatCompletion>
  held: BufferedResponse
  checked: Checked
  quality: number
}

function createCascade(request: CascadeRequest, parts: CascadeParts): Cascade<ChatCompletion> {
  const { decision, recorder } = request
  const { checks, retryBudget } = request.plan
  const { categories } = decision.measured
  const { learner } = parts
  const answers: Checked[] = []
  let rejected: { model: Model; checked: Checked; learned: boolean } | undefined
  let rejections = 0
  let best: CheckedAnswer | undefined

  const candidateOf = (model: Model): Candidate => decision.candidates[decision.ranked.indexOf(model)]!

  function note(passed: boolean, why?: string): Verification {
    const verification = { checks, passed, answers: [...answers], ...(why === undefined ? {} : { why }) }
    recorder.verified(verification)
    return verification
  }

  function handOver({ answer, held, checked }: CheckedAnswer, verification: Verification, reason?: string): Answer {
    const { served, entry } = answer
    entry.delivered(reason)
    request.served(served.model, decision)
    const { why } = verification
    return {
      served: {
        ...served,
        reason: reason ?? served.reason,
        attempts: recorder.attempts(),
        notes: [...served.notes, ...(why === undefined ? [] : [why]), ...problemsOf(checked)],
        verification,
      },
      reply: held.reply,
    }
  }

  /** Keeps the reason for a rejection and throws it, so that the loop continues as after any other failure. */
  function reject(model: Model, checked: Checked, learned: boolean): never {
    rejected = { model, checked, learned }
    rejections++
    const { verifier, why } = complaintOf(checked)!
    note(false, why)
    throw new GatewayError('answer_rejected', `Rejected by ${verifier}: ${why}.`)
  }

  /** Reads the answer to its end; one that is too long is rejected without being kept. */
  async function whole({ served, reply, entry }: OpenAnswer<ChatCompletion>): Promise<BufferedResponse> {
    try {
      return await bufferResponse(reply, entry)
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'answer_rejected') throw error
      const verdict = { accepted: false, why: error.message } as const
      const checked = { model: served.model.id, verdicts: [{ verifier: 'length', verdict, binding: true }] }
      answers.push(checked)
      return reject(served.model, checked, false)
    }
  }

  function learnPass(model: Model, checked: Checked): void {
    const decisive = checked.verdicts.filter(({ verdict, binding }) => binding && verdict !== undefined)
    if (decisive.length === 0) return
    const { quality, key } = candidateOf(model)
    const { evidence } = parts.knowledge()
    const place = { key, category: likeliest(categories), checks: decisive.map(({ verifier }) => verifier) }
    const passes = lowestAcceptRate(evidence, place, parts.now())?.acceptRate ?? 1
    learner.judged(model, categories, 'verified', scoreOfPass(quality, passes))
  }

  return {
    async check(answer, signal) {
      const { model } = answer.served
      const held = await whole(answer)
      answer.release()
      const checked = await checkAll(
        { request, model, completion: held.completion, ordinal: answers.length + 1, signal },
        parts,
      )
      answers.push(checked)
      // The same request again proves nothing more about the model, nor about its checks.
      const asked = { keyId: request.call.keyId, messages: request.request.messages }
      const learned = learner.isRepeated(asked, model, 'checks') || learnFrom(checked, model, decision, learner)
      const candidate = { answer, held, checked, quality: candidateOf(model).quality }
      if (complaintOf(checked) !== undefined) {
        best = fewestObjections(best === undefined ? [candidate] : [best, candidate])
        return reject(model, checked, learned)
      }
      if (!learned) learnPass(model, checked)
      return handOver(candidate, note(true), rejections === 0 ? undefined : 'escalated')
    },
    left(line) {
      if (rejected === undefined) return [...line]
      const { model, checked, learned } = rejected
      const better = line.filter(other => isBetter(candidateOf(other), candidateOf(model)))
      const { step } = nextStep(checked, { attempts: rejections, retryBudget, candidatesLeft: better.length })
      if (!learned) learner.judged(model, categories, step === 'escalate' ? 'escalated' : 'verified', 0)
      rejected.learned = true
      return step === 'escalate' ? better : []
    },
    giveUp() {
      if (best === undefined || rejected === undefined) return undefined
      const end = nextStep(rejected.checked, { attempts: rejections, retryBudget, candidatesLeft: 0 })
      return handOver(best, note(false, end.step === 'accept' ? undefined : end.why), 'unverified')
    },
  }
}

/** A check that could not run is reported: the answer must not look checked. */
function problemsOf({ verdicts }: Checked): string[] {
  return verdicts.flatMap(({ verifier, problem }) =>
    problem === undefined ? [] : [`${verifier} could not run: ${problem}`],
  )
}
