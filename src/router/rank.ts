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
  /** Another is better, cheaper and faster at once. */
  dominated: boolean
}

/** By what a request's candidates are ranked. */
export interface RankingCriteria {
  priority: Priority
  /** 0..1 */
  qualityFloor: number
  promptTokens: number
  /** The model that served this conversation last. */
  current: string | undefined
  /** Time never outweighs cost: nothing is postponed. */
  patient: boolean
  /** Whether another good enough model may be tried out; never for a caller who named a model, a budget or a quality. */
  explore: boolean
}

export interface Ranking {
  /** Places in the list that was ranked, best first. */
  order: readonly number[]
  /** The quality below which nothing is chosen; see `floorOf`. */
  floor: number
  /** Whether anybody is clearly above the floor that was asked for. */
  reached: boolean
  /** Why the first is first. */
  rule: 'best' | 'stayed' | 'explored'
  /** The probability with which the first was to come first, over `chance`. */
  propensity: number
}

/** Predictions closer than this count as equal. */
export const margin = 0.02
/** By how much more the best must outdo a candidate to rule it out, for each point of quality that the caller does not insist on. */
const modesty = 0.15
/** Share of its interval by which a candidate must be above the floor where a mistake is as expensive as it gets. */
const maxCaution = 0.25
/** From this length of the prompt on a mistake is that expensive: all of it has to be read again. */
const costlyPromptTokens = 32_000
const stepOrder: Readonly<Record<Step, number>> = { local: 0, free: 1, paid: 2 }

/** Whether the conversation's model is so close to the first that its cache is worth more than leaving it. */
const closeEnough: Readonly<Record<Priority, (here: Candidate, first: Candidate) => boolean>> = {
  cost: (here, first) => costOf(here) <= 1.25 * costOf(first),
  quality: (here, first) => here.quality >= first.quality - 0.05,
  speed: (here, first) => here.seconds <= 1.25 * first.seconds,
}

/**
 * Ranks candidates; a total order. Those that reach the floor come first, and of them
 * - for `cost` the cheapest: local before free before paid, ready before cold, then by cost, quality and time;
 * - for `quality` the best, and of those predicted equally good the cheapest;
 * - for `speed` the fastest.
 *
 * Those below the floor follow by quality. `chance` in [0, 1) decides between endpoints of one model and whether to explore.
 * Fills in `candidates` themselves, for a second set of five hundred objects would cost as much as ranking them.
 */
export function rank(
  candidates: readonly Candidate[],
  criteria: RankingCriteria,
  policy: Policy,
  chance: number,
): Ranking {
  let best = 0
  for (const { quality } of candidates) if (quality > best) best = quality
  const { floor, reached } = floorOf(candidates, criteria, best)
  const timed = criteria.priority === 'cost' && !criteria.patient
  const hurried = timed && !worthWaiting(candidates, criteria, policy, floor)
  const longest = timed ? longestWait(candidates, policy, floor) : Infinity
  for (const candidate of candidates) {
    candidate.adequate = candidate.quality >= floor
    candidate.postponed =
      candidate.step === 'local' && ((hurried && isWaiting(candidate)) || workSecondsOf(candidate) > longest)
    candidate.dominated = false
  }
  if (criteria.priority === 'cost') markDominated(candidates)
  const ordered: Ordered = { candidates, places: sorted(candidates, criteria.priority, best, policy.defaultLocalModel) }
  const random = seededRandom(Math.floor(chance * 2 ** 32))
  chooseEndpoint(ordered, random)
  const found = { order: ordered.places, floor, reached }
  if (stay(ordered, criteria)) return { ...found, rule: 'stayed', propensity: 1 }
  const share = criteria.explore && hasAlternative(ordered, criteria) ? policy.explorationShare : 0
  if (share === 0 || random() >= share) return { ...found, rule: 'best', propensity: 1 - share }
  const others = alternatives(ordered, criteria)
  toFront(ordered, others[Math.floor(random() * others.length)]!)
  return { ...found, rule: 'explored', propensity: share / others.length }
}

/** The candidates, and their places in that list from the best to the last. */
interface Ordered {
  candidates: readonly Candidate[]
  places: number[]
}

/**
 * The quality below which nothing is chosen. It is the floor that was asked for, but
 * - where a mistake is expensive, not lower than the prediction of the weakest candidate that is above it by a share of its
 *   interval, so that a mere guess that is a little above the floor does not count;
 * - not higher than what the best does not outdo by enough: where none is far above the floor, those near the best are taken. What is
 *   enough falls with the floor, to what counts as equal. Without that, a low floor would send to expensive models what is hard
 *   for all of them, and a coin would spend the money better.
 *
 * It rises with the floor asked for and with the best, so that asking for more never gets less.
 */
function floorOf(
  candidates: readonly Candidate[],
  { qualityFloor, promptTokens }: RankingCriteria,
  best: number,
): { floor: number; reached: boolean } {
  const caution = maxCaution * Math.min(1, promptTokens / costlyPromptTokens)
  let weakest = Infinity
  for (const { quality, plusMinus } of candidates) {
    if (quality - caution * plusMinus >= qualityFloor && quality < weakest) weakest = quality
  }
  const doubtful = candidates.some(({ quality }) => quality >= qualityFloor && quality < weakest)
  const wanted = doubtful ? weakest : qualityFloor
  const highest = Math.max(0, best - margin - modesty * (1 - qualityFloor))
  return { floor: Math.min(wanted, highest), reached: wanted <= highest }
}

/** Whether this request is large or expensive enough to wait for a local model that is not ready. */
function worthWaiting(
  candidates: readonly Candidate[],
  criteria: RankingCriteria,
  policy: Policy,
  floor: number,
): boolean {
  if (criteria.promptTokens > policy.tokenThreshold) return true
  let cheapest = Infinity
  for (const { step, quality, costUsd } of candidates) {
    if (step !== 'local' && quality >= floor && costUsd !== null && costUsd < cheapest) cheapest = costUsd
  }
  return cheapest > policy.costThresholdUsd
}

/** Seconds that a caller who counts time too waits for a local answer beyond what another good enough model takes. */
const patienceSeconds = 20

/** The longest that a local answer may take: so much more than the fastest answer elsewhere that costs next to nothing. */
function longestWait(candidates: readonly Candidate[], { costThresholdUsd }: Policy, floor: number): number {
  let fastest = Infinity
  for (const { step, quality, costUsd, seconds } of candidates) {
    const cheap = step !== 'local' && costUsd !== null && costUsd <= costThresholdUsd
    if (cheap && quality >= floor && seconds < fastest) fastest = seconds
  }
  return fastest + patienceSeconds
}

/**
 * Marks who is worse, more expensive and slower than another that would come after: a local model whose energy costs more than
 * another's answer, and whatever is outdone even by a local model that has to be loaded.
 */
function markDominated(candidates: readonly Candidate[]): void {
  const waiting = candidates.filter(isWaiting)
  let leastWait = Infinity
  for (const { seconds } of waiting) leastWait = Math.min(leastWait, seconds)
  for (const candidate of candidates) {
    const cost = costOf(candidate)
    const { quality, seconds, step } = candidate
    if (cost === 0 || (step !== 'local' && seconds <= leastWait)) continue
    const others = step === 'local' ? candidates : waiting
    for (let place = 0; place < others.length && !candidate.dominated; place++) {
      const other = others[place]!
      candidate.dominated = other.quality > quality && other.seconds < seconds && costOf(other) < cost
    }
  }
}

/** An unknown price may be anything. */
function costOf({ costUsd }: Candidate): number {
  return costUsd ?? Infinity
}

/** Without what it waits for before it begins, which TOKEN_THRESHOLD decides about. */
function workSecondsOf({ seconds, waitSeconds }: Candidate): number {
  return seconds - waitSeconds
}

function isWaiting({ step, waitSeconds }: Candidate): boolean {
  return step === 'local' && waitSeconds > 0
}

/** More candidates than this would get the same key in `sorted`; no inventory comes near. */
const maxPlaces = 2 ** 16

/**
 * Best first; equals stay in the order given. What decides is packed into one exact number for each (3 bits of class, 18 and 16
 * of what counts first and second, 16 of place), for numbers sort ten times as fast as objects with a comparison.
 */
function sorted(
  candidates: readonly Candidate[],
  priority: Priority,
  best: number,
  defaultLocal: string | undefined,
): number[] {
  const keys = new Float64Array(candidates.length)
  for (let place = 0; place < candidates.length; place++) {
    const candidate = candidates[place]!
    const { adequate, postponed, dominated, quality, seconds } = candidate
    const above = (adequate ? 0 : 4) + (postponed || dominated ? 2 : 0) + (dominated ? 1 : 0)
    const second = steps((1 - quality) * 1023, 10) * 2 ** 6 + steps(logOf(seconds, 1e-3) * 4, 6)
    let first: number
    let then = second
    if (adequate && priority === 'cost') {
      first = stageOf(candidate, defaultLocal) * 2 ** 15 + steps(logOf(costOf(candidate), 1e-9) * 1000, 15)
    } else if (adequate && priority === 'speed') {
      first = steps(logOf(seconds, 1e-3) * 10_000, 18)
      then = steps(logOf(costOf(candidate), 1e-9) * 2000, 16)
    } else {
      first = steps((best - quality) / margin, 7) * 2 ** 11 + steps(logOf(costOf(candidate), 1e-9) * 64, 11)
    }
    keys[place] = ((above * 2 ** 18 + first) * 2 ** 16 + then) * maxPlaces + place
  }
  keys.sort()
  const places: number[] = []
  for (const key of keys) places.push(key % maxPlaces)
  return places
}

/** Where cost decides, what goes before it; the lower the better. */
function stageOf(candidate: Candidate, defaultLocal: string | undefined): number {
  const { step, model, name } = candidate
  if (step === 'free') return 3
  if (step === 'paid') return 4
  if (defaultLocal !== undefined && (model === defaultLocal || name === defaultLocal)) return 0
  // A loaded local model with an empty queue costs least, however good those on disk are.
  return isWaiting(candidate) ? 2 : 1
}

/** How many times larger than `least`, as a logarithm; 0 for anything smaller. */
function logOf(value: number, least: number): number {
  return value <= least ? 0 : Math.log(value / least)
}

/** A whole number of `bits` bits. */
function steps(value: number, bits: number): number {
  return Math.max(0, Math.min(2 ** bits - 1, Math.floor(value)))
}

/** The same model on several endpoints: of two taken at random, the faster goes first (power of two choices). */
function chooseEndpoint(ordered: Ordered, random: () => number): void {
  const { candidates, places } = ordered
  const first = firstOf(ordered)
  if (first === undefined) return
  const peers = places.filter(place => {
    const other = candidates[place]!
    return (
      other.costUsd === first.costUsd && other.step === first.step && other.key === first.key && sameClass(other, first)
    )
  })
  if (peers.length < 2) return
  const [one] = peers.splice(Math.floor(random() * peers.length), 1)
  const two = peers[Math.floor(random() * peers.length)]!
  const [here, there] = [candidates[one!]!, candidates[two]!]
  // Warm before cold whatever the averages say: a load time is the worst known of all figures.
  const later = here.waitSeconds - there.waitSeconds || here.seconds - there.seconds
  toFront(ordered, later <= 0 ? one! : two)
}

/** Moves the conversation's model to the front, unless another gains enough. Says whether it is there. */
function stay(ordered: Ordered, { current, priority }: RankingCriteria): boolean {
  const first = firstOf(ordered)
  if (current === undefined || first === undefined) return false
  const place = ordered.candidates.findIndex(candidate => candidate.model === current)
  const here = ordered.candidates[place]
  if (here === undefined) return false
  if (here === first) return true
  if (!sameClass(here, first)) return false
  const moreExpensive = priority === 'cost' && stepOrder[here.step] > stepOrder[first.step]
  const colder = priority === 'cost' && here.waitSeconds > 0 && first.waitSeconds === 0
  if (moreExpensive || colder || !closeEnough[priority](here, first)) return false
  toFront(ordered, place)
  return true
}

/** The places of those who may be tried in place of the first. */
function alternatives(ordered: Ordered, { priority }: RankingCriteria): number[] {
  const { candidates, places } = ordered
  const first = firstOf(ordered)!
  return places.filter(place => isAlternative(candidates[place]!, first, priority))
}

function hasAlternative(ordered: Ordered, { priority }: RankingCriteria): boolean {
  const { candidates } = ordered
  const first = firstOf(ordered)
  return first !== undefined && first.adequate && candidates.some(other => isAlternative(other, first, priority))
}

/** As good as required, as ready, other in kind, no more expensive. */
function isAlternative(other: Candidate, first: Candidate, priority: Priority): boolean {
  return (
    (other.costUsd ?? Infinity) <= (first.costUsd ?? 0) &&
    sameClass(other, first) &&
    other.key !== first.key &&
    stepOrder[other.step] <= stepOrder[first.step] &&
    other.waitSeconds <= first.waitSeconds &&
    (priority !== 'quality' || other.quality >= first.quality - margin)
  )
}

function firstOf({ candidates, places }: Ordered): Candidate | undefined {
  return places.length === 0 ? undefined : candidates[places[0]!]
}

function sameClass(a: Candidate, b: Candidate): boolean {
  return a.adequate === b.adequate && a.postponed === b.postponed && a.dominated === b.dominated
}

function toFront({ places }: Ordered, place: number): void {
  places.splice(places.indexOf(place), 1)
  places.unshift(place)
}
