import { z } from 'zod'
import { testsOf } from '../verify.ts'
import type { ReplayOutcome } from './replay.ts'

/** What of a stored decision tells how its answers fared when they were checked. */
const CheckedDecision = z.looseObject({
  verification: z.looseObject({
    answers: z.array(
      z.looseObject({
        model: z.string(),
        verdicts: z.array(
          z.looseObject({
            verifier: z.string(),
            /** False for a check that was only listened to. */
            binding: z.boolean(),
            /** Absent where the check had nothing to say. */
            verdict: z.looseObject({ accepted: z.boolean() }).optional(),
          }),
        ),
      }),
    ),
  }),
})

/**
 * What is known of each model's answer to one stored request. An answer that failed a check counts 0, one that passed the
 * caller's own tests 1; passing other checks proves too little to count. The caller's rating (0..1) of the answer received,
 * which is `answered`'s, takes precedence.
 */
export function outcomesOf(
  decision: unknown,
  answered: string | null,
  rating: number | null,
): Readonly<Record<string, ReplayOutcome>> {
  const outcomes: Record<string, ReplayOutcome> = {}
  const parsed = CheckedDecision.safeParse(decision)
  for (const { model, verdicts } of parsed.data?.verification.answers ?? []) {
    const said = verdicts.filter(({ binding, verdict }) => binding && verdict !== undefined)
    const failed = said.some(({ verdict }) => !verdict!.accepted)
    const tested = said.some(({ verifier }) => testsOf(verifier) !== undefined)
    if (failed || tested) outcomes[model] = { score: failed ? 0 : 1, by: 'checks' }
  }
  if (answered !== null && rating !== null) outcomes[answered] = { score: rating, by: 'rating' }
  return outcomes
}
