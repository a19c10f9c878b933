import type { Model } from '../providers/provider.ts'
import { createAbilities, type Ability } from './abilities.ts'
import { loadAbilityTable } from './ability-table.ts'
import type { Evidence } from './evidence.ts'
import { kindFactsOf } from './judged-kinds.ts'
import type { Policy } from './policy.ts'
import type { Measured } from './measure.ts'
import { createPublicAbilities, type PublicAbilities } from './public-ability.ts'
import { createTextJudge, judgeByLength, type TextJudgement } from './text/judge.ts'
import type { KindFacts, Weights } from './weights.ts'

/** What decisions rest on: the shipped priors, what was learned here, and the operator's policy. */
export interface Knowledge {
  policy: Policy
  evidence: Evidence
  abilityOf: (model: Model) => Ability
  judge: (text: string) => TextJudgement
  /** Tokens that `model` takes for a token of ours. */
  ratioOf: (model: Model) => number
  /** What is typical of a kind of task; undefined where it was not measured. */
  kindFacts: (category: string) => KindFacts | undefined
}

/** What the prompt takes in the tokens of `model`: as its server counted them, else ours times what was learned of it. */
export function promptTokensFor(model: Model, measured: Measured, { ratioOf }: Pick<Knowledge, 'ratioOf'>): number {
  return measured.serverCounts?.[model.id] ?? Math.ceil(measured.promptTokens * ratioOf(model))
}

/** Without weights every prompt is of the unknown kind and models are judged by size and price. */
export function createKnowledge(
  weights: Weights | undefined,
  evidence: Evidence,
  policy: Policy,
  ratioOf: Knowledge['ratioOf'],
  publicAbilities: PublicAbilities = createPublicAbilities(loadAbilityTable()),
): Knowledge {
  return {
    policy,
    evidence,
    ratioOf,
    abilityOf: createAbilities(weights, publicAbilities),
    judge: weights === undefined ? judgeByLength : createTextJudge(weights.text),
    kindFacts: category => kindFactsOf(weights, category),
  }
}
