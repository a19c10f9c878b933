import { z } from 'zod'
import type { Core } from '../core.ts'
import { GatewayError } from '../errors.ts'
import { TaskOutcome } from '../tasks/model-task.ts'
import { mayReach } from './access.ts'
import { operation } from './operation.ts'
import { requireTask } from './own-task.ts'

export const rateResult = operation({
  name: 'rate_result',
  summary:
    'Rates the result of a task or request from 0 (useless) to 1 (right). A second rating replaces the first, in the records and in what the router learned from it.',
  effect: 'write',
  http: { method: 'POST', path: '/v1/feedback' },
  core: true,
  input: z.strictObject({
    task_id: z.string().optional(),
    request_id: z.string().optional().describe('Instead of task_id: the x-signalbox-request-id of an answer.'),
    score: z.number().min(0).max(1),
    comment: z.string().max(2000).optional(),
  }),
  output: z.object({ request_id: z.string(), model: z.string(), score: z.number() }),
  run: async (core: Core, { task_id, request_id, score, comment }, { principal }) => {
    const { ledger, learner, inventory, now } = core
    const requestId =
      request_id ?? requestOf(task_id === undefined ? undefined : requireTask(core, task_id, principal).task.outcome)
    const record = await ledger.request(requestId)
    const model = record?.request.model
    if (model == null || !mayReach(principal, record!.request.key_id)) {
      throw new GatewayError('not_found', `No answered request found with id ${requestId}.`, { param: 'request_id' })
    }
    const judged = inventory.models().find(({ id }) => id === model)
    const decision = JudgedDecision.safeParse(record?.decision)
    if (decision.success) {
      const { measured, verification } = decision.data
      const before = ledger.notes.ratingOf(requestId)
      if (judged !== undefined && before === undefined) learner.judged(judged, measured.categories, 'feedback', score)
      else if (judged !== undefined && before!.score !== score) {
        learner.corrected(judged, measured.categories, score, { score: before!.score, madeAt: before!.ratedAt })
      }
      for (const { verifier, accepted } of verdictsOn(model, verification)) {
        const agrees = accepted === score >= goodFrom
        if (before === undefined) learner.compared(verifier, agrees)
        else if (score >= goodFrom !== before.score >= goodFrom) learner.reversed(verifier, agrees)
      }
    }
    ledger.notes.rate({ requestId, score, comment, ratedAt: now(), ratedBy: principal.name })
    return { request_id: requestId, model, score }
  },
})

/** From this score on a rating agrees with a check that accepted the answer. */
const goodFrom = 0.5

const StoredVerification = z.looseObject({
  answers: z.array(
    z.looseObject({
      model: z.string(),
      verdicts: z.array(
        z.looseObject({ verifier: z.string(), verdict: z.looseObject({ accepted: z.boolean() }).optional() }),
      ),
    }),
  ),
})

/** The parts of a stored decision that give the kind of task and the verdicts on its answer. */
const JudgedDecision = z.looseObject({
  measured: z.looseObject({ categories: z.record(z.string(), z.number()) }),
  verification: StoredVerification.optional(),
})

/** The verdicts on the answer that was returned. */
function verdictsOn(model: string, verification: z.output<typeof StoredVerification> | undefined) {
  const answer = verification?.answers.findLast(each => each.model === model)
  return (answer?.verdicts ?? []).flatMap(({ verifier, verdict }) =>
    verdict === undefined ? [] : [{ verifier, accepted: verdict.accepted }],
  )
}

function requestOf(outcome: unknown): string {
  const parsed = TaskOutcome.safeParse(outcome)
  if (parsed.success) return parsed.data.request_id
  throw new GatewayError('invalid_request', 'Set request_id, or the task_id of a completed task.', {
    param: 'task_id',
  })
}
