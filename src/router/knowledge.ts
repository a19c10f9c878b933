import type { Model } from '../providers/provider.ts'
import { createAbilities, type Ability } from './abilities.ts'
import type { Evidence } from './evidence.ts'
import type { Policy } from './policy.ts'
import { createTextJudge, unknownCategory, type TextJudgement } from './text/judge.ts'
import type { Weights } from './weights.ts'

/** What decisions rest on: the shipped priors, what was learned here, and the operator's policy. */
export interface Knowledge {
  policy: Policy
  evidence: Evidence
  abilityOf: (model: Model) => Ability
  judge: (text: string) => TextJudgement
  /** Output tokens usual for a kind of task; undefined where nobody measured it. */
  usualOutput: (category: string) => number | undefined
}

/** Without weights every prompt is of the unknown kind and models are judged by size and price. */
export function createKnowledge(weights: Weights | undefined, evidence: Evidence, policy: Policy): Knowledge {
  return {
    policy,
    evidence,
    abilityOf: createAbilities(weights),
    judge:
      weights === undefined ? () => ({ categories: { [unknownCategory]: 1 }, ease: 0 }) : createTextJudge(weights.text),
    usualOutput: category => weights?.base[category]?.outputTokens,
  }
}
