import type { Model } from '../providers/provider.ts'
import { createAbilities, type Ability } from './abilities.ts'
import { loadAbilityTable } from './ability-table.ts'
import type { DecisionContext } from './context.ts'
import type { Evidence } from './evidence.ts'
import { createExpectations, expectationsOfFew, type Expectations } from './expectations.ts'
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
  /** What is expected of `models` in the decision of `context`; good until the next one is asked about the same models. */
  expectationsOf: (models: readonly Model[], context: DecisionContext) => Expectations
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

/** Lists up to this length are not worth keeping anything for. */
const few = 8

/** Without weights every prompt is of the unknown kind and models are judged by size and price. */
export function createKnowledge(
  weights: Weights | undefined,
  evidence: Evidence,
  policy: Policy,
  ratioOf: Knowledge['ratioOf'],
  publicAbilities: PublicAbilities = createPublicAbilities(loadAbilityTable()),
): Knowledge {
  const abilityOf = createAbilities(weights, publicAbilities)
  const kept = new WeakMap<readonly Model[], ReturnType<typeof createExpectations>>()
  return {
    policy,
    evidence,
    ratioOf,
    abilityOf,
    expectationsOf(models, context) {
      if (models.length <= few || context.evidence !== evidence) return expectationsOfFew(models, abilityOf, context)
      let expectations = kept.get(models)
      if (expectations === undefined) kept.set(models, (expectations = createExpectations(models, abilityOf, evidence)))
      return expectations(context)
    },
    judge: weights === undefined ? judgeByLength : createTextJudge(weights.text),
    kindFacts: category => kindFactsOf(weights, category),
  }
}
