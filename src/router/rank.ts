import { seededRandom } from './chance.ts'
import type { Policy } from './policy.ts'
import type { Priority } from './select.ts'

export type Step = 'local' | 'free' | 'paid'

/** Everything about a candidate that its rank depends on, and how it stands; plain data, so that it can be ranked again. */
export interface Candidate {
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
  /** From here on: filled in by `rank`. */
  adequate: boolean
  /** Not ready, and this request is too small to wait for it. */
  postponed: boolean
  /** Quality less what money and time are worth; larger is better. */
  utility: number
}

/** By what a request's prospects are ranked. */
export interface RankingCriteria {
  priority: Priority
  /** 0..1 */
  qualityFloor: number
  promptTokens: number
  /** The model that served this conversation last. */
  current: string | undefined
  /** Whether another good enough model may be tried out; never for a caller who named a model, a budget or a quality. */
  explore: boolean
}

export interface Ranking {
  /** Places in the list that was ranked, best first. */
  order: readonly number[]
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
 * Fills in `prospects` themselves, for a second set of five hundred objects would cost as much as ranking them.
 */
export function rank(
  prospects: readonly Candidate[],
  criteria: RankingCriteria,
  policy: Policy,
  chance: number,
): Ranking {
  let best = 0
  for (const { quality } of prospects) if (quality > best) best = quality
  const floor = best >= criteria.qualityFloor ? criteria.qualityFloor : Math.max(0, best - nearBest)
  const patience = worthWaiting(prospects, criteria, policy, floor)
  for (const candidate of prospects) {
    candidate.adequate = candidate.quality >= floor
    candidate.postponed = candidate.step === 'local' && candidate.waitSeconds > 0 && !patience
    candidate.utility = utilityOf(candidate, criteria.priority, policy)
  }
  const ordered: Ordered = { prospects, places: sorted(prospects, criteria.priority) }
  const random = seededRandom(Math.floor(chance * 2 ** 32))
  chooseEndpoint(ordered, random)
  if (stay(ordered, criteria)) return { order: ordered.places, floor, rule: 'stayed', propensity: 1 }
  const others = criteria.explore && policy.explorationShare > 0 ? alternatives(ordered) : []
  const share = others.length === 0 ? 0 : policy.explorationShare
  if (share === 0 || random() >= share) return { order: ordered.places, floor, rule: 'best', propensity: 1 - share }
  toFront(ordered, others[Math.floor(random() * others.length)]!)
  return { order: ordered.places, floor, rule: 'explored', propensity: share / others.length }
}

/** The prospects, and their places in that list from the best to the last. */
interface Ordered {
  prospects: readonly Candidate[]
  places: number[]
}

/** Whether this request is large or dear enough to wait for a local model that is not ready. */
function worthWaiting(
  prospects: readonly Candidate[],
  criteria: RankingCriteria,
  policy: Policy,
  floor: number,
): boolean {
  if (criteria.promptTokens > policy.tokenThreshold) return true
  let cheapest = Infinity
  for (const { step, quality, costUsd } of prospects) {
    if (step !== 'local' && quality >= floor && costUsd !== null && costUsd < cheapest) cheapest = costUsd
  }
  return cheapest > policy.costThresholdUsd
}

/** What an answer of this candidate takes, money and time together, in points of quality. */
export function effortOf({ costUsd, seconds }: Candidate, priority: Priority, policy: Policy): number {
  const worthOf = worth[priority]
  // A price nobody knows is taken for a high one: ten thresholds.
  const cost = costUsd ?? 10 * policy.costThresholdUsd
  return cost / (Math.max(policy.costThresholdUsd, 1e-4) * worthOf.thresholds) + seconds / worthOf.seconds
}

function utilityOf(prospect: Candidate, priority: Priority, policy: Policy): number {
  const preferred =
    prospect.step === 'local' && policy.defaultLocalModel !== undefined && isCalled(prospect, policy.defaultLocalModel)
  return (
    prospect.quality -
    effortOf(prospect, priority, policy) -
    stepCost * stepOrder[prospect.step] +
    (preferred ? defaultModelBonus : 0)
  )
}

function isCalled({ model, name }: Candidate, wanted: string): boolean {
  return model === wanted || name === wanted
}

/**
 * Best first; equals stay in the order given. Class, utility (to a millionth) and place are packed into one exact number
 * each, for numbers sort ten times as fast as objects with a comparison.
 */
function sorted(prospects: readonly Candidate[], priority: Priority): number[] {
  const keys = new Float64Array(prospects.length)
  for (const [place, candidate] of prospects.entries()) {
    const loss = Math.max(0, Math.min(2 ** 32 - 1, Math.round((2 - candidate.utility) * 2 ** 20)))
    keys[place] = (classOf(candidate, priority) * 2 ** 32 + loss) * maxPlaces + place
  }
  keys.sort()
  return Array.from(keys, key => key % maxPlaces)
}

/** More candidates than this cannot be told apart by `sorted`; no inventory comes near. */
const maxPlaces = 2 ** 16

/** What goes before any utility; the lower the better. */
function classOf({ adequate, postponed, step, waitSeconds }: Candidate, priority: Priority): number {
  const above = (adequate ? 0 : 8) + (postponed ? 4 : 0)
  if (priority !== 'cost' || !adequate) return above
  // A local model in memory with nobody before us costs least of all, however good the ones on disk are.
  if (step === 'local') return above + (waitSeconds === 0 ? 0 : 1)
  return above + (step === 'free' ? 2 : 3)
}

/** The same model on several endpoints: of two taken at random, the faster goes first (power of two choices). */
function chooseEndpoint(ordered: Ordered, random: () => number): void {
  const { prospects, places } = ordered
  const first = firstOf(ordered)
  if (first === undefined) return
  const peers = places.filter(place => {
    const other = prospects[place]!
    return (
      other.key === first.key && other.step === first.step && sameClass(other, first) && other.costUsd === first.costUsd
    )
  })
  if (peers.length < 2) return
  const [one] = peers.splice(Math.floor(random() * peers.length), 1)
  const two = peers[Math.floor(random() * peers.length)]!
  const [here, there] = [prospects[one!]!, prospects[two]!]
  // Warm before cold whatever the averages say: a load time is the worst known of all figures.
  const later = here.waitSeconds - there.waitSeconds || here.seconds - there.seconds
  toFront(ordered, later <= 0 ? one! : two)
}

/** Moves the conversation's model to the front, unless another gains enough. Says whether it is there. */
function stay(ordered: Ordered, { current, priority }: RankingCriteria): boolean {
  const first = firstOf(ordered)
  if (current === undefined || first === undefined) return false
  const place = ordered.prospects.findIndex(candidate => candidate.model === current)
  const here = ordered.prospects[place]
  if (here === undefined) return false
  if (here === first) return true
  if (!sameClass(here, first)) return false
  const moreExpensive = priority === 'cost' && stepOrder[here.step] > stepOrder[first.step]
  const colder = priority === 'cost' && here.waitSeconds > 0 && first.waitSeconds === 0
  if (moreExpensive || colder || first.utility - here.utility >= leavingMustGain) return false
  toFront(ordered, place)
  return true
}

/** The places of those who may be tried in place of the first: as good as required, as ready, other in kind, not dearer. */
function alternatives(ordered: Ordered): number[] {
  const first = firstOf(ordered)
  if (first === undefined || !first.adequate) return []
  return ordered.places.filter(place => {
    const other = ordered.prospects[place]!
    return (
      sameClass(other, first) &&
      other.key !== first.key &&
      stepOrder[other.step] <= stepOrder[first.step] &&
      other.waitSeconds <= first.waitSeconds &&
      (other.costUsd ?? Infinity) <= (first.costUsd ?? 0)
    )
  })
}

function firstOf({ prospects, places }: Ordered): Candidate | undefined {
  return places.length === 0 ? undefined : prospects[places[0]!]
}

function sameClass(a: Candidate, b: Candidate): boolean {
  return a.adequate === b.adequate && a.postponed === b.postponed
}

function toFront({ places }: Ordered, place: number): void {
  places.splice(places.indexOf(place), 1)
  places.unshift(place)
}
