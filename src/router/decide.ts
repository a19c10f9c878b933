import { budgetError } from '../accounting/budget-error.ts'
import { GatewayError } from '../errors.ts'
import type { Model } from '../providers/provider.ts'
import { unaffordable, type Allowance } from './allowance.ts'
import { beginAt, type CascadePlan, type Skipped } from './cascade.ts'
import { contextOf, type Asked, type Conversation, type DecisionContext } from './context.ts'
import type { Expectations } from './expectations.ts'
import { exclusionOf, reserveTokens, type Condition, type Exclusion } from './filter.ts'
import { promptTokensFor, type Knowledge } from './knowledge.ts'
import type { Measured } from './measure.ts'
import type { RequestOptions } from './options.ts'
import type { Policy } from './policy.ts'
import { cachedTokens, expectedCharge, waitSeconds, workSeconds, type Load } from './price.ts'
import { rank, type Ranking, type Candidate, type RankingCriteria } from './rank.ts'
import type { Group, Preset, Priority } from './select.ts'
import { checksNamed } from './verify.ts'

/** Who could answer, and what can be known of them at one moment without asking anybody. */
export interface CandidatePool {
  /** In the caller's order: a group is exhausted before the next is looked at. */
  groups: readonly Group[]
  condition: (model: Model) => Condition
  load: (model: Model) => Load
  /** What the budgets leave; absent where none applies. */
  allowance?: Allowance | undefined
}

export interface Decision {
  asked: readonly string[]
  /** What names were taken for that are neither a model's nor a preset's. */
  notes: readonly string[]
  measured: Measured
  options: RequestOptions
  /** The conversation that the request continues. */
  conversation: Conversation | undefined
  /** Best first; the rest are the fallback order. */
  ranked: readonly Model[]
  excluded: readonly { model: Model; exclusion: Exclusion }[]
  /** One short phrase: why the first of `ranked` is first. */
  reason: string
  /** What each of `ranked` was expected to do, in the same order. */
  candidates: readonly Candidate[]
  /** By what the group of the first was ranked; absent without any candidate. */
  criteria: RankingCriteria | undefined
  /** The quality that was required in the end. */
  floor: number
  rule: Ranking['rule']
  /** The probability with which the first of `ranked` was to be first. */
  propensity: number
  /** How the answers are to be checked; absent where they are not to be checked. */
  cascade: CascadePlan | undefined
  /** Milliseconds since the epoch, and the number in [0, 1) that stood for chance. */
  at: number
  chance: number
}

/**
 * Which model on which server should answer, and which after it: filter → predict → price → rank. Pure: no I/O, no clock, no
 * randomness; the same arguments give the same decision. Without any candidate `ranked` is empty; `refusal` then says why.
 */
export function decide(
  request: Asked,
  pool: CandidatePool,
  knowledge: Knowledge,
  now: number,
  chance: number,
): Decision {
  const ranked: Model[] = []
  const candidates: Candidate[] = []
  const excluded = new Map<Model, Exclusion>()
  const taken = new Set<string>()
  const context = contextOf(request, knowledge, now)
  const checks = checksOf(request, knowledge.policy)
  let skipped: readonly Skipped[] = []
  let first: { group: Group; criteria: RankingCriteria; ranking: Ranking } | undefined
  for (const group of pool.groups) {
    const able: Model[] = []
    const found: Candidate[] = []
    const expectations = knowledge.expectationsOf(group.models, context)
    for (let place = 0; place < group.models.length; place++) {
      const model = group.models[place]!
      if (taken.has(model.id)) continue
      const promptTokens = promptTokensFor(model, request.measured, knowledge)
      const exclusion = exclusionOf(context, model, promptTokens, pool.condition(model), group.preset)
      const candidate =
        exclusion === undefined
          ? candidateFor(context, { model, promptTokens, load: pool.load(model) }, expectations, place)
          : undefined
      const problem =
        exclusion ??
        overBudget(request.options, candidate!) ??
        unaffordable(pool.allowance, model, request.measured, promptTokens)
      if (problem === undefined) {
        able.push(model)
        found.push(candidate!)
      } else excluded.set(model, problem)
    }
    const criteria = criteriaOf(request, group.preset, knowledge)
    let ranking = rank(found, criteria, knowledge.policy, chance)
    if (checks.length > 0 && first === undefined && group.preset !== undefined) {
      ;({ ranking, skipped } = beginAt(found, ranking, { checks, criteria }, context, chance))
    }
    for (const place of ranking.order) {
      ranked.push(able[place]!)
      candidates.push(found[place]!)
      if (pool.groups.length > 1) taken.add(able[place]!.id)
    }
    if (first === undefined && found.length > 0) first = { group, criteria, ranking }
  }
  return {
    asked: pool.groups.map(group => group.asked),
    notes: pool.groups.flatMap(({ asked, resolvedTo }) =>
      resolvedTo === undefined ? [] : [`${asked} is taken for ${resolvedTo}`],
    ),
    measured: request.measured,
    options: request.options,
    conversation: request.conversation,
    ranked,
    excluded: [...excluded]
      .filter(([model]) => !taken.has(model.id))
      .map(([model, exclusion]) => ({ model, exclusion })),
    reason:
      first === undefined
        ? 'none'
        : reasonForFirst(ranked[0]!, first.group, first.criteria, first.ranking, skipped.length > 0),
    candidates,
    criteria: first?.criteria,
    floor: first?.ranking.floor ?? 0,
    rule: first?.ranking.rule ?? 'best',
    propensity: first?.ranking.propensity ?? 1,
    cascade: checks.length === 0 ? undefined : { checks, retryBudget: knowledge.policy.retryBudget, skipped },
    at: now,
    chance,
  }
}

const unchecked: readonly string[] = []

/** Only chats are checked. The caller's word wins over the operator's. */
function checksOf({ measured, options }: Asked, { verify }: Policy): readonly string[] {
  const names = options.verify ?? verify
  return names.length === 0 || measured.nonChat !== undefined ? unchecked : checksNamed(names)
}

/** The caller's own limit. An unknown price exceeds every limit. */
function overBudget({ maxCostUsd }: RequestOptions, { costUsd }: Candidate): Exclusion | undefined {
  if (maxCostUsd === undefined || (costUsd ?? Infinity) <= maxCostUsd) return undefined
  const expected = costUsd === null ? 'has no known price' : `would cost about $${costUsd.toPrecision(2)}`
  return { code: 'budget', reason: `${expected}, the limit is $${maxCostUsd}` }
}

function candidateFor(
  context: DecisionContext,
  { model, promptTokens, load }: { model: Model; promptTokens: number; load: Load },
  expectations: Expectations,
  place: number,
): Candidate {
  const speed = expectations.speeds[place]
  const call = {
    promptTokens,
    cachedTokens: cachedTokens(context.conversation, model, promptTokens),
    outputTokens: expectations.outputTokens[place]!,
  }
  const work = workSeconds(model, speed, call, context.now)
  const wait = waitSeconds(model, speed, load, work)
  return {
    model: model.id,
    key: expectations.abilities[place]!.key,
    name: model.name,
    step: model.tier === 'local' ? 'local' : model.free ? 'free' : 'paid',
    quality: expectations.qualities[place]!,
    plusMinus: expectations.plusMinus[place]!,
    count: expectations.counts[place]!,
    costUsd: expectedCharge(model, call, work, context),
    seconds: wait + work,
    waitSeconds: wait,
    adequate: false,
    postponed: false,
    dominated: false,
  }
}

/** A named model is law: no floor, no postponing, no trying out; its endpoints compete by speed. */
function criteriaOf(
  { measured, options, conversation }: Asked,
  preset: Preset | undefined,
  { policy }: Knowledge,
): RankingCriteria {
  const priority: Priority = preset === undefined ? 'speed' : (options.priority ?? preset.priority)
  return {
    priority,
    qualityFloor: preset === undefined ? 0 : (options.minQuality ?? policy.qualityThreshold),
    promptTokens: measured.promptTokens,
    current: conversation?.modelId,
    patient: preset?.patient === true,
    explore: preset !== undefined && options.maxCostUsd === undefined && options.minQuality === undefined,
  }
}

/** The error that tells a caller why nothing can serve the request. Only for decisions without candidates; `now` in ms since the epoch. */
export function noModelError(decision: Decision, now: number): GatewayError {
  const exclusions = decision.excluded
  if (exclusions.length === 0) {
    return new GatewayError(
      'no_backend',
      'No model server is running. Start Ollama (`ollama serve`), LM Studio or llama-server, or set OPENROUTER_API_KEY; Signalbox finds them by itself.',
    )
  }
  if (exclusions.every(({ exclusion }) => exclusion.code === 'not_allowed')) {
    return new GatewayError(
      'forbidden',
      `The API key may not use ${decision.asked.join(' or ')}; GET /v1/models lists what it may use.`,
      { param: 'model' },
    )
  }
  const capable = exclusions.filter(
    ({ exclusion }) => exclusion.code === 'unavailable' || exclusion.code === 'rate_limited',
  )
  if (capable.length > 0) return temporarily(capable, now)
  const unpaid = exclusions.filter(({ exclusion: { code } }) => code === 'over_budget' || code === 'budget_reserved')
  if (unpaid.length > 0) return notPaidFor(unpaid, now)
  const short = exclusions.filter(({ exclusion }) => exclusion.code === 'context')
  if (short.length > 0) return tooLong(decision.measured, short)
  return new GatewayError('unsupported', `No model can serve this request: ${listed(exclusions)}.`)
}

function temporarily(exclusions: Decision['excluded'], now: number): GatewayError {
  const limited = exclusions.every(({ exclusion }) => exclusion.code === 'rate_limited')
  const untils = exclusions.flatMap(({ exclusion }) => exclusion.until ?? [])
  const wait = untils.length === 0 ? undefined : Math.max(1, Math.ceil((Math.min(...untils) - now) / 1000))
  return new GatewayError(
    limited ? 'upstream_rate_limited' : 'no_backend',
    `No model is available right now: ${listed(exclusions)}.${wait === undefined ? '' : ` Try again in ${wait} s.`}`,
    wait === undefined ? {} : { retryAfterSeconds: wait },
  )
}

/** The budgets rule out whoever could serve the request. */
function notPaidFor(exclusions: Decision['excluded'], now: number): GatewayError {
  const isReserved = exclusions.some(({ exclusion }) => exclusion.code === 'budget_reserved')
  const untils = exclusions.flatMap(({ exclusion }) => exclusion.until ?? [])
  return budgetError(
    { isReserved, resetsAt: untils.length === 0 ? null : Math.min(...untils) },
    listed(exclusions),
    now,
  )
}

function tooLong(measured: Measured, exclusions: Decision['excluded']): GatewayError {
  const { model, exclusion } = withMostContext(exclusions)
  const largest = model.contextTokens ?? 0
  const prompt = exclusion.promptTokens ?? measured.promptTokens
  const reserve = reserveTokens(measured, largest)
  return new GatewayError(
    'context_length_exceeded',
    `The request needs ${prompt + reserve} tokens (${prompt} prompt + ${reserve} kept for the answer), but the largest context that could serve it is ${largest}. Shorten the prompt, lower max_tokens, or load a model with a larger context.`,
    { param: 'messages', overflow: { promptTokens: prompt, maxPromptTokens: largest - reserve } },
  )
}

type Excluded = Decision['excluded'][number]

function withMostContext(exclusions: readonly Excluded[]): Excluded {
  return exclusions.reduce((best, each) =>
    (each.model.contextTokens ?? 0) > (best.model.contextTokens ?? 0) ? each : best,
  )
}

/** What the prompt takes in the tokens of the model that comes first; where it fits none, as `noModelError` tells it. */
export function promptTokensOf(
  { ranked, excluded, measured }: Decision,
  knowledge: Pick<Knowledge, 'ratioOf'>,
): number {
  const [first] = ranked
  if (first !== undefined) return promptTokensFor(first, measured, knowledge)
  const short = excluded.filter(({ exclusion }) => exclusion.code === 'context')
  return (short.length === 0 ? undefined : withMostContext(short).exclusion.promptTokens) ?? measured.promptTokens
}

function listed(exclusions: Decision['excluded']): string {
  const shown = exclusions.slice(0, 5).map(({ model, exclusion }) => `${model.id} (${exclusion.reason})`)
  return exclusions.length > 5 ? `${shown.join(', ')} and ${exclusions.length - 5} more` : shown.join(', ')
}

/** One short phrase: why `model`, one of the decision's candidates, gave the answer. */
export function reasonFor({ ranked, reason }: Decision, model: Model): string {
  return model === ranked[0] ? reason : 'fallback'
}

function reasonForFirst(
  chosen: Model,
  group: Group,
  criteria: RankingCriteria,
  { rule, reached }: Ranking,
  skips: boolean,
): string {
  if (group.preset === undefined) return 'explicit'
  if (skips) return 'cascade'
  if (rule === 'explored') return 'explored'
  if (rule === 'stayed') return 'conversation'
  if (criteria.priority === 'quality') return 'best-quality'
  if (!reached) return 'best-available'
  if (criteria.priority === 'speed') return 'fastest'
  if (chosen.tier === 'local') return chosen.loaded === true ? 'local-loaded' : 'local'
  return chosen.free ? 'free' : 'cheapest-paid'
}
