import type { Model } from '../providers/provider.ts'
import type { Ability } from './abilities.ts'
import { steadiness } from './beliefs.ts'
import type { DecisionContext } from './context.ts'
import { changesSince, type Evidence, type Speed } from './evidence.ts'
import { estimateAt, predictQuality, qualityOf } from './predict.ts'
import { expectedOutput } from './price.ts'

/**
 * What is expected of the models of one list in one decision, each by its place in the list. Numbers lie side by side: one object
 * for each of five hundred candidates would take longer to make than all of them to rank.
 */
export interface Expectations {
  abilities: readonly Ability[]
  qualities: Float64Array
  /** Half of the 95 % interval of each quality. */
  plusMinus: Float64Array
  /** Observations behind each quality. */
  counts: Float64Array
  /** What was seen of the model's speed at its endpoint. */
  speeds: readonly (Speed | undefined)[]
  /** Of one answer. */
  outputTokens: Float64Array
}

type ExpectationContext = Pick<
  DecisionContext,
  | 'measured'
  | 'kinds'
  | 'likeliest'
  | 'typicalOutput'
  | 'referenceAbility'
  | 'evidence'
  | 'priorTrust'
  | 'policy'
  | 'now'
>

/** Expectations of a few models, with nothing kept: a list that a caller named is gone with the decision. */
export function expectationsOfFew(
  models: readonly Model[],
  abilityOf: (model: Model) => Ability,
  context: ExpectationContext,
): Expectations {
  const abilities = models.map(model => abilityOf(model))
  const predictions = abilities.map(ability => predictQuality(context, ability))
  const most = context.measured.outputTokens ?? Infinity
  return {
    abilities,
    qualities: Float64Array.from(predictions, ({ quality }) => quality),
    plusMinus: Float64Array.from(predictions, ({ plusMinus }) => plusMinus),
    counts: Float64Array.from(predictions, ({ count }) => count),
    speeds: models.map(({ id }) => context.evidence.speeds.get(id)),
    outputTokens: Float64Array.from(abilities, ability => Math.min(expectedOutput(context, ability), most)),
  }
}

/** What is believed about every model of a list at one kind of task. */
interface Column {
  means: Float64Array
  plusMinus: Float64Array
  counts: Float64Array
  /** What it was computed from, beside the evidence. */
  priorTrust: number
  reliable: number
  /** Milliseconds since the epoch between which the evidence fades no further. */
  from: number
  until: number
  /** Changes of the evidence that are in it. */
  changes: number
}

/** Output tokens expected of every model of a list at one kind of task. */
interface Lengths {
  tokens: Float64Array
  typical: number | undefined
  changes: number
}

/**
 * Keeps what decisions on `models` need that does not depend on the prompt, and brings it up to date with what was learned since.
 * What it returns is overwritten by the next decision.
 */
export function createExpectations(
  models: readonly Model[],
  abilityOf: (model: Model) => Ability,
  evidence: Evidence,
): (context: ExpectationContext) => Expectations {
  const abilities = models.map(model => abilityOf(model))
  const places = placesOf(models, abilities)
  const columns = new Map<string, Column>()
  const lengths = new Map<string, Lengths>()
  const speeds = models.map(({ id }) => evidence.speeds.get(id))
  let speedChanges = evidence.changes.count
  const size = models.length
  const qualities = new Float64Array(size)
  const plusMinus = new Float64Array(size)
  const counts = new Float64Array(size)
  const outputTokens = new Float64Array(size)

  /** The places of models about which something was learned; all where nobody remembers which. */
  const changedSince = (count: number): Iterable<number> =>
    changesSince(evidence, count)?.flatMap(subject => places.get(subject) ?? []) ?? models.keys()

  function columnOf(category: string, context: ExpectationContext): Column {
    const { priorTrust, policy, now } = context
    const { reliableBenchmarkCount: reliable } = policy
    const kept = columns.get(category)
    const holds = kept?.priorTrust === priorTrust && kept.reliable === reliable && now >= kept.from && now < kept.until
    if (holds && kept.changes === evidence.changes.count) return kept
    const column = holds ? kept : { ...(kept ?? emptyColumn(size)), ...always, priorTrust, reliable, changes: 0 }
    for (const place of holds ? changedSince(column.changes) : models.keys()) fill(column, place, category, context)
    column.changes = evidence.changes.count
    columns.set(category, column)
    return column
  }

  function fill(column: Column, place: number, category: string, context: ExpectationContext): void {
    const ability = abilities[place]!
    const { mean, plusMinus: half, count } = estimateAt(context, ability, category)
    column.means[place] = mean
    column.plusMinus[place] = half
    column.counts[place] = count
    const belief = evidence.beliefs.get(ability.key)?.get(category)
    if (belief === undefined) return
    const { from, until } = steadiness(belief, context.now)
    column.from = Math.max(column.from, from)
    column.until = Math.min(column.until, until)
  }

  function mix(context: ExpectationContext): void {
    qualities.fill(0)
    plusMinus.fill(0)
    counts.fill(0)
    for (const { category, share } of context.kinds) {
      const column = columnOf(category, context)
      for (let place = 0; place < size; place++) {
        qualities[place]! += share * column.means[place]!
        plusMinus[place]! += share * column.plusMinus[place]!
        counts[place]! += share * column.counts[place]!
      }
    }
    for (let place = 0; place < size; place++) {
      qualities[place] = qualityOf(context, abilities[place]!, qualities[place]!)
      if (plusMinus[place]! > 0.5) plusMinus[place] = 0.5
    }
  }

  function measureAnswers(context: ExpectationContext): void {
    const { likeliest, typicalOutput } = context
    const kept = lengths.get(likeliest)
    const holds = kept !== undefined && kept.typical === typicalOutput
    const tokens = kept?.tokens ?? new Float64Array(size)
    for (const place of holds ? changedSince(kept.changes) : models.keys()) {
      tokens[place] = expectedOutput(context, abilities[place]!)
    }
    lengths.set(likeliest, { tokens, typical: typicalOutput, changes: evidence.changes.count })
    const most = context.measured.outputTokens ?? Infinity
    for (let place = 0; place < size; place++) outputTokens[place] = Math.min(tokens[place]!, most)
  }

  return context => {
    for (const place of changedSince(speedChanges)) speeds[place] = evidence.speeds.get(models[place]!.id)
    speedChanges = evidence.changes.count
    mix(context)
    measureAnswers(context)
    return { abilities, qualities, plusMinus, counts, speeds, outputTokens }
  }
}

/** Where the models are that a change of the evidence may be about. */
function placesOf(models: readonly Model[], abilities: readonly Ability[]): Map<string, number[]> {
  const places = new Map<string, number[]>()
  for (const [place, { id }] of models.entries()) {
    for (const subject of [abilities[place]!.key, id]) places.set(subject, [...(places.get(subject) ?? []), place])
  }
  return places
}

const always = { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY }

function emptyColumn(size: number): Pick<Column, 'means' | 'plusMinus' | 'counts'> {
  return { means: new Float64Array(size), plusMinus: new Float64Array(size), counts: new Float64Array(size) }
}
