import { seededRandom } from './chance.ts'
import type { Policy } from './policy.ts'
import type { Priority } from './select.ts'

export type Step = 'local' | 'free' | 'paid'

/** Everything about a candidate that its rank depends on; plain data, so that a stored decision can be taken again. */
export interface Prospect {
  /** The model's id. */
  model: string
  /** The same for the same model on another endpoint. */
  key: string
  name: string
  step: Step
  quality: number
  plusMinus: number
  /** Observations behind the quality. */
  count: number
  /** USD; null where no price is known. */
  costUsd: number | null
  seconds: number
  /** Of `seconds`: for a slot and for loading. */
  waitSeconds: number
}

/** By what a request's prospects are ranked. */
export interface Terms {
  priority: Priority
  /** 0..1 */
  qualityFloor: number
  promptTokens: number
  /** The model that served this conversation last. */
  current: string | undefined
  /** The caller set a budget or named tests; nothing is tried out at his expense. */
  explore: boolean
}

export interface Standing extends Prospect {
  adequate: boolean
  /** Not ready, and this request is too small to wait for it. */
  postponed: boolean
  /** Quality less what money and time are worth; larger is better. */
  utility: number
}

export interface Ranking {
  /** Best first. */
  order: Standing[]
  /** The quality below which nothing is chosen while something above exists; lowered where nothing reaches the threshold. */
  floor: number
  /** Why the first is first. */
  rule: 'best' | 'stayed' | 'explored'
  /** The probability with which the first was to come first, over `chance`. */
  propensity: number
}

/** What one whole point of quality may cost, in multiples of COST_THRESHOLD, and in seconds. */
const worth: Readonly<Record<Priority, { thresholds: number; seconds: number }>> = {
  cost: { thresholds: 5, seconds: 600 },
  quality: { thresholds: 500, seconds: 6_000 },
  speed: { thresholds: 50, seconds: 20 },
}
/** Where nobody is good enough, those so close to the best compete. */
const nearBest = 0.1
/** What leaving the conversation's model must gain, beyond the cache it loses. */
const leavingMustGain = 0.1
const defaultModelBonus = 0.1
const stepOrder: Readonly<Record<Step, number>> = { local: 0, free: 1, paid: 2 }
/** Utility given up for the same answer from further away, where steps do not decide alone. */
const stepCost = 0.02

/**
 * Ranks prospects. Good enough comes before not good enough, ready before postponed; then, when cost has priority, local
 * before free before paid; then utility. `chance` in [0, 1) decides between endpoints of one model and whether to explore.
 */
export function rank(prospects: readonly Prospect[], terms: Terms, policy: Policy, chance: number): Ranking {
  let best = 0
  for (const { quality } of prospects) if (quality > best) best = quality
  const floor = best >= terms.qualityFloor ? terms.qualityFloor : Math.max(0, best - nearBest)
  const patience = worthWaiting(prospects, terms, policy, floor)
  const standings = prospects.map(prospect => {
    const { step, quality, waitSeconds } = prospect
    return {
      // Written out, for spreading five hundred objects takes a third of a decision's time.
      model: prospect.model,
      key: prospect.key,
      name: prospect.name,
      step,
      quality,
      plusMinus: prospect.plusMinus,
      count: prospect.count,
      costUsd: prospect.costUsd,
      seconds: prospect.seconds,
      waitSeconds,
      adequate: quality >= floor,
      postponed: step === 'local' && waitSeconds > 0 && !patience,
      utility: utilityOf(prospect, terms.priority, policy),
    }
  })
  const order = standings.sort((a, b) => compare(a, b, terms.priority))
  const random = seededRandom(Math.floor(chance * 2 ** 32))
  chooseEndpoint(order, random)
  if (stay(order, terms)) return { order, floor, rule: 'stayed', propensity: 1 }
  const propensity = explore(order, terms, policy, random)
  return {
    order,
    floor,
    rule: propensity === undefined ? 'best' : 'explored',
    propensity: propensity ?? 1 - exploring(order, terms, policy),
  }
}

/** Whether this request is large or dear enough to wait for a local model that is not ready. */
function worthWaiting(prospects: readonly Prospect[], terms: Terms, policy: Policy, floor: number): boolean {
  if (terms.promptTokens > policy.tokenThreshold) return true
  let cheapest = Infinity
  for (const { step, quality, costUsd } of prospects) {
    if (step !== 'local' && quality >= floor && costUsd !== null && costUsd < cheapest) cheapest = costUsd
  }
  return cheapest > policy.costThresholdUsd
}

function utilityOf(prospect: Prospect, priority: Priority, policy: Policy): number {
  const { thresholds, seconds } = worth[priority]
  // A price nobody knows is taken for a high one: ten thresholds.
  const cost = prospect.costUsd ?? 10 * policy.costThresholdUsd
  const dollars = Math.max(policy.costThresholdUsd, 1e-4) * thresholds
  const preferred =
    prospect.step === 'local' && policy.defaultLocalModel !== undefined && isCalled(prospect, policy.defaultLocalModel)
  return (
    prospect.quality -
    cost / dollars -
    prospect.seconds / seconds -
    stepCost * stepOrder[prospect.step] +
    (preferred ? defaultModelBonus : 0)
  )
}

function isCalled({ model, name }: Prospect, wanted: string): boolean {
  return model === wanted || name === wanted
}

function compare(a: Standing, b: Standing, priority: Priority): number {
  if (a.adequate !== b.adequate) return a.adequate ? -1 : 1
  if (a.postponed !== b.postponed) return a.postponed ? 1 : -1
  if (priority === 'cost' && a.adequate) {
    if (a.step !== b.step) return stepOrder[a.step] - stepOrder[b.step]
    // A local model in memory with nobody before us costs least of all, however good the ones on disk are.
    const ready = (standing: Standing) => standing.waitSeconds === 0
    if (a.step === 'local' && ready(a) !== ready(b)) return ready(a) ? -1 : 1
  }
  return b.utility - a.utility || (a.model < b.model ? -1 : 1)
}

/** The same model on several endpoints: of two taken at random, the faster goes first (power of two choices). */
function chooseEndpoint(order: Standing[], random: () => number): void {
  const first = order[0]
  if (first === undefined) return
  const peers = order.filter(
    other =>
      other.key === first.key &&
      other.step === first.step &&
      sameClass(other, first) &&
      other.costUsd === first.costUsd,
  )
  if (peers.length < 2) return
  const one = peers.splice(Math.floor(random() * peers.length), 1)[0]!
  const other = peers[Math.floor(random() * peers.length)]!
  // Warm before cold whatever the averages say: a load time is the worst known of all figures.
  const chosen = one.waitSeconds - other.waitSeconds || one.seconds - other.seconds
  toFront(order, chosen <= 0 ? one : other)
}

/** Moves the conversation's model to the front, unless another gains enough. Says whether it did. */
function stay(order: Standing[], { current, priority }: Terms): boolean {
  const first = order[0]
  const here = order.find(standing => standing.model === current)
  if (here === undefined || first === undefined) return false
  if (here === first) return true
  if (!sameClass(here, first)) return false
  const dearer = priority === 'cost' && stepOrder[here.step] > stepOrder[first.step]
  const colder = priority === 'cost' && here.waitSeconds > 0 && first.waitSeconds === 0
  if (dearer || colder || first.utility - here.utility >= leavingMustGain) return false
  toFront(order, here)
  return true
}

function explore(order: Standing[], terms: Terms, policy: Policy, random: () => number): number | undefined {
  const share = exploring(order, terms, policy)
  if (share === 0 || random() >= share) return undefined
  const others = alternatives(order)
  toFront(order, others[Math.floor(random() * others.length)]!)
  return share / others.length
}

function exploring(order: readonly Standing[], { explore }: Terms, policy: Policy): number {
  return explore && alternatives(order).length > 0 ? policy.explorationShare : 0
}

/** Whoever may be tried in place of the first: as good as required, as ready, other in kind, and not dearer. */
function alternatives(order: readonly Standing[]): Standing[] {
  const [first, ...others] = order
  if (first === undefined || !first.adequate) return []
  return others.filter(
    other =>
      sameClass(other, first) &&
      other.key !== first.key &&
      stepOrder[other.step] <= stepOrder[first.step] &&
      other.waitSeconds <= first.waitSeconds &&
      (other.costUsd ?? Infinity) <= (first.costUsd ?? 0),
  )
}

function sameClass(a: Standing, b: Standing): boolean {
  return a.adequate === b.adequate && a.postponed === b.postponed
}

function toFront(order: Standing[], standing: Standing): void {
  order.splice(order.indexOf(standing), 1)
  order.unshift(standing)
}
