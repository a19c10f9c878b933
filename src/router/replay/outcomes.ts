import { z } from 'zod'
import type { Outcome } from './replay.ts'

/** What of a stored decision tells how its answers fared when they were checked. */
const CheckedDecision = z.looseObject({
  verification: z.looseObject({
    answers: z.array(
      z.looseObject({
        model: z.string(),
        verdicts: z.array(
          z.looseObject({
            /** False for a check that was only listened to. */
            counts: z.boolean().default(true),
            /** Absent where the check had nothing to say. */
            verdict: z.looseObject({ accepted: z.boolean() }).optional(),
          }),
        ),
      }),
    ),
  }),
})

/**
 * What is known of each model's answer to one stored request. An answer that passed its checks counts 1 and one that failed
 * them 0; the caller's rating (0..1) of the answer he got, which is `answered`'s, goes before that.
 */
export function outcomesOf(
  decision: unknown,
  answered: string | null,
  rating: number | null,
): Readonly<Record<string, Outcome>> {
  const outcomes: Record<string, Outcome> = {}
  const parsed = CheckedDecision.safeParse(decision)
  for (const { model, verdicts } of parsed.data?.verification.answers ?? []) {
    const said = verdicts.flatMap(({ counts, verdict }) => (counts && verdict !== undefined ? verdict : []))
    if (said.length === 0) continue
    outcomes[model] = { score: said.every(({ accepted }) => accepted) ? 1 : 0, by: 'checks' }
  }
  if (answered !== null && rating !== null) outcomes[answered] = { score: rating, by: 'rating' }
  return outcomes
}
