import { z } from 'zod'
import type { Core } from '../core.ts'
import { GatewayError } from '../errors.ts'
import { TaskOutcome } from '../tasks/model-task.ts'
import { operation } from './operation.ts'

export const rateResult = operation({
  name: 'rate_result',
  summary:
    'Tells how good the result of a task or request was, from 0 (useless) to 1 (right). A second rating replaces the first.',
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
  run: async (
    { tasks, ledger, learner, inventory, now }: Core,
    { task_id, request_id, score, comment },
    { principal },
  ) => {
    const requestId = request_id ?? requestOf(task_id === undefined ? undefined : tasks.view(task_id).task.outcome)
    const record = await ledger.request(requestId)
    const model = record?.request.model
    if (model == null) {
      throw new GatewayError('not_found', `There is no answered request ${requestId}.`, { param: 'request_id' })
    }
    const judged = inventory.models().find(({ id }) => id === model)
    const decision = JudgedDecision.safeParse(record?.decision)
    if (judged !== undefined && decision.success) {
      learner.judged(judged, decision.data.measured.categories, 'feedback', score)
    }
    // Only the first rating of an answer tells how good its checks were; the same word twice proves nothing.
    if (decision.success && !ledger.notes.isRated(requestId)) {
      for (const { verifier, accepted } of verdictsOn(model, decision.data.verification)) {
        learner.compared(verifier, accepted === score >= goodFrom)
      }
    }
    ledger.notes.rate({ requestId, score, comment, ratedAt: now(), ratedBy: principal.name })
    return { request_id: requestId, model, score }
  },
})

/** Scores from here on agree with a check that accepted. */
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

/** What of a stored decision tells what kind of task it was, and what checks said of its answer. */
const JudgedDecision = z.looseObject({
  measured: z.looseObject({ categories: z.record(z.string(), z.number()) }),
  verification: StoredVerification.optional(),
})

/** What the checks said of the answer that was handed over. */
function verdictsOn(model: string, verification: z.output<typeof StoredVerification> | undefined) {
  const answer = verification?.answers.findLast(each => each.model === model)
  return (answer?.verdicts ?? []).flatMap(({ verifier, verdict }) =>
    verdict === undefined ? [] : [{ verifier, accepted: verdict.accepted }],
  )
}

function requestOf(outcome: unknown): string {
  const parsed = TaskOutcome.safeParse(outcome)
  if (parsed.success) return parsed.data.request_id
  throw new GatewayError('invalid_request', 'Give request_id, or the task_id of a task that is completed.', {
    param: 'task_id',
  })
}
