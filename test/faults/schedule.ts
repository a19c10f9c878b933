import { seededRandom } from '../../src/router/chance.ts'
import { faults, type Fault } from './faults.ts'

const chatPaths = ['chat/completions', 'messages', 'responses'] as const
const nonChatPaths = ['embeddings', 'completions', 'rerank'] as const
export type ChatPath = (typeof chatPaths)[number]
export type NonChatPath = (typeof nonChatPaths)[number]

/** One request and what its two candidates will do. Made of its number alone, so that it can be played again. */
export interface Schedule {
  seed: number
  path: ChatPath | NonChatPath
  stream: boolean
  /** Answers are checked before they go on. */
  cascade: boolean
  /** Milliseconds after which the caller hangs up. */
  hangUpMs: number | undefined
  first: Fault
  second: Fault
}

/** Faults that take all of the gateway's patience are rare, so that many others can be tried in the same time. */
const slowShare = 0.01
const nonChatShare = 0.25
const fast = faults.filter(({ slow }) => slow !== true)
const slow = faults.filter(fault => fault.slow === true)

export function scheduleOf(seed: number): Schedule {
  const random = seededRandom(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const fault = () => pick(random() < slowShare ? slow : fast)
  const path = random() < nonChatShare ? pick(nonChatPaths) : pick(chatPaths)
  return {
    seed,
    path,
    stream: random() < 0.5 && path !== 'embeddings' && path !== 'rerank',
    cascade: random() < 0.2 && !isNonChat(path),
    hangUpMs: random() < 0.05 ? 2 + Math.floor(random() * 30) : undefined,
    first: fault(),
    second: random() < 0.5 ? faults[0]! : fault(),
  }
}

export function isNonChat(path: Schedule['path']): path is NonChatPath {
  return nonChatPaths.some(each => each === path)
}

/** What a caller got. */
export interface Seen {
  status: number
  model: string | undefined
  ending: 'whole' | 'broken' | 'neither'
}

/** Statuses of failures that are the servers' and not Signalbox's own. */
const failureStatuses = new Set([400, 402, 404, 409, 413, 429, 502, 503, 504])

/** What is wrong with what the caller got; undefined where it is what the schedule allows. `models` in the order asked. */
export function wrongIn(schedule: Schedule, models: readonly string[], seen: Seen): string | undefined {
  const wrong = wrongInOrder(schedule, models, seen)
  if (wrong === undefined || schedule.path === 'chat/completions' || schedule.path === 'responses') return wrong
  // The others name one model, so that the router chooses who comes first.
  const { first, second } = schedule
  return wrongInOrder({ ...schedule, first: second, second: first }, models.toReversed(), seen)
}

function wrongInOrder({ first, second, stream, cascade }: Schedule, models: readonly string[], seen: Seen) {
  const told = `${seen.status} ${seen.model ?? '-'} ${seen.ending}`
  for (const [index, { outcome }] of [first, second].entries()) {
    const isThis = seen.status === 200 && seen.model === models[index]
    if (isThis && seen.ending === 'whole' && (outcome === 'answers' || outcome === 'varies')) return undefined
    if (outcome === 'answers') return `${told}: ${models[index]} answers`
    const canBreak = stream && !cascade && (outcome === 'breaks' || outcome === 'varies')
    if (isThis && seen.ending === 'broken' && canBreak) return undefined
    if (outcome === 'breaks' && canBreak) return `${told}: ${models[index]} breaks off`
    // Nothing of it reached the caller: it is the turn of the next.
  }
  return failureStatuses.has(seen.status) && seen.ending === 'broken' ? undefined : `${told}: all fail`
}
