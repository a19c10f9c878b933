import { isDeepStrictEqual } from 'node:util'
import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import type { GatewayError } from '../errors.ts'
import type { Fact, Learned } from '../ledger/learned.ts'
import type { Model } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import {
  anyCategory,
  correctAgreement,
  correctOutcome,
  forget,
  learnAgreement,
  learnBenchmark,
  learnOutcome,
  learnOutput,
  learnSpeed,
  learnVerifier,
  learnedFrom,
  type Benchmark,
  type EvidenceRow,
  type Signal,
} from '../router/evidence.ts'
import type { Knowledge } from '../router/knowledge.ts'
import { likeliest } from '../router/measure.ts'
import { messagesKey } from '../router/session.ts'
import type { RatioRow, TokenRatios } from '../tokens/ratio.ts'
import type { ChatMessage, ChatRequest } from '../wire/chat/schema.ts'
import { promptTokens, type Usage } from '../wire/usage.ts'

const saveAfterMs = 2_000
/** Within this time the last turn of a conversation may be written anew and the conversation go on from there. */
const editWithinMs = 10 * 60_000
const remembered = 2_000
/** Edits that count against one model within an hour. */
const maxEditsPerHour = 6
const hourMs = 3_600_000
/** Requests that are remembered to tell their repetitions. */
const maxSeen = 20_000

/** The measurements of one call of one model. Times in milliseconds. */
export interface Attempted {
  model: Model
  decision: Decision
  stream: boolean
  usage: Usage
  /** Since the slot was granted; undefined if nothing arrived. */
  firstTokenMs: number | undefined
  /** From the granted slot to the end. */
  durationMs: number
  error: GatewayError | undefined
  /** Whose request it was, and its messages where it is a chat. */
  asked: AskedBy
}

/** Who sent which messages: what tells a repeated request. */
export interface AskedBy {
  keyId: string
  messages?: readonly ChatMessage[] | undefined
}

/** What was learned about a model's tokenizer, stored in the ledger beside the router's evidence. */
export interface RatioFact extends Fact {
  kind: 'ratio'
  value: RatioRow
}

/** A score of 0..1, and when it was given: milliseconds since the epoch. */
export interface GivenScore {
  score: number
  madeAt: number
}

/** Turns the results of requests into evidence for later decisions, and keeps it across restarts. */
export interface Learner {
  attempted(attempt: Attempted): void
  /**
   * An answer has begun. Where the last turn of a conversation was written anew, or answered again by another model, and the
   * conversation then went on from the new answer, that speaks a little against the answer that was left. The same request
   * again says nothing by itself: programs, tests and graders repeat requests for reasons of their own.
   */
  answered(conversation: string, request: ChatRequest, model: Model, decision: Decision): void
  /** Whether `model` was asked the same within the last hour, so that its answer says nothing new; remembers that it was. */
  isRepeated(asked: AskedBy, model: Model, purpose: 'checks' | 'measurements'): boolean
  /** Records a score for an answer, 0..1. `categories` are those of its decision. */
  judged(model: Model, categories: Readonly<Record<string, number>>, signal: Signal, score: number): void
  /** Records that a rating of 0..1 is no longer what it was (`before`, given at `madeAt`). */
  corrected(model: Model, categories: Readonly<Record<string, number>>, score: number, before: GivenScore): void
  /** Records the results of all benchmarks so far of a model at one kind of task; `model` is the key of its ability. */
  benchmarked(model: string, category: string, value: Benchmark): void
  /** Records the verdict of a check about an answer of `model`. */
  checked(model: Model, decision: Decision, check: string, accepted: boolean): void
  /** Records whether the verdict of a check agreed with another source. */
  compared(check: string, agreed: boolean): void
  /** Records that the other source changed its mind about a verdict. */
  reversed(check: string, agrees: boolean): void
  /** What traffic taught about a model. */
  learned(model: Model): EvidenceRow[]
  /** Forgets that, here and in the ledger; says how many facts there were. */
  forget(model: Model): number
  /** Writes what is not yet kept. */
  close(): void
}

/** The answers to one turn of a conversation so far, by what the turn said; the newest answer to the same words counts. */
interface AnsweredTurn {
  answers: ReadonlyMap<string, TurnAnswer>
  /** Whether the conversation has gone on from one of them. */
  settled: boolean
}

interface TurnAnswer {
  model: Model
  categories: Readonly<Record<string, number>>
  /** The one before to the same words. */
  before?: TurnAnswer | undefined
}

/** More forms of one turn than this are a program's doing. */
const maxForms = 3

/** The place of the user's turn before the last one, which the conversation went on from; negative where there is none. */
function turnBefore(messages: readonly ChatMessage[]): number {
  return messages.findLastIndex(({ role }, at) => role === 'user' && at < messages.length - 1)
}

export interface LearnerParts {
  knowledge: Pick<Knowledge, 'evidence' | 'abilityOf'>
  ratios: Pick<TokenRatios, 'learn'>
  store: Pick<Learned, 'save' | 'remove'>
  /** Milliseconds since the epoch. */
  now: () => number
  log: Pick<Logger, 'error'>
}

export function createLearner({ knowledge, ratios, store, now, log }: LearnerParts): Learner {
  const { evidence, abilityOf } = knowledge
  const unsaved = new Map<string, Fact>()
  const turns = new LRUCache<string, AnsweredTurn>({ max: remembered, ttl: editWithinMs })
  const seen = new LRUCache<string, true>({ max: maxSeen, ttl: hourMs, noUpdateTTL: true })
  const edits = new LRUCache<string, number>({ max: remembered, ttl: hourMs, noUpdateTTL: true })
  let timer: NodeJS.Timeout | undefined

  function keep(rows: readonly Fact[]): void {
    for (const row of rows) unsaved.set(nameOf(row), row)
    timer ??= setTimeout(write, saveAfterMs).unref()
  }

  function write(): void {
    clearTimeout(timer)
    timer = undefined
    if (unsaved.size === 0) return
    try {
      store.save([...unsaved.values()])
      unsaved.clear()
    } catch (error) {
      // What could not be written is still in memory and is written with the next facts.
      log.error({ err: error }, 'cannot write what the router learned; it will be retried')
    }
  }

  function judged(model: Model, categories: Readonly<Record<string, number>>, signal: Signal, score: number): void {
    const { key, prior } = abilityOf(model)
    keep(learnOutcome(evidence, { model: key, categories, signal, score, prior }, now()))
  }

  /** A conversation went on from the answer to this form of a turn: what was answered before to others was left. */
  function wentOn(place: string, form: string): void {
    const turn = turns.get(place)
    const chosen = turn?.answers.get(form)
    if (turn === undefined || chosen === undefined || turn.settled) return
    turns.set(place, { ...turn, settled: true })
    if (turn.answers.size > maxForms) return
    // What was answered later was left for an answer that was there already, which says less.
    const others = [...turn.answers.values()].slice(0, [...turn.answers.keys()].indexOf(form))
    const regenerated = chosen.before !== undefined && chosen.before.model.id !== chosen.model.id ? [chosen.before] : []
    for (const { model, categories } of [...others, ...regenerated]) {
      const { key } = abilityOf(model)
      const count = edits.get(key) ?? 0
      if (count >= maxEditsPerHour) continue
      edits.set(key, count + 1)
      judged(model, categories, 'edited', 0)
    }
  }

  function isRepeated({ keyId, messages }: AskedBy, model: Model, purpose: string): boolean {
    if (messages === undefined) return false
    const key = `${purpose}\n${keyId}\n${model.id}\n${messagesKey(messages)}`
    if (seen.has(key)) return true
    seen.set(key, true)
    return false
  }

  /** Only from prompts that were counted completely: images and estimates would be attributed to the tokenizer. */
  function learnRatio(model: Model, { measured }: Decision, usage: Usage): void {
    if (!measured.exact || measured.nonChat !== undefined) return
    const row = ratios.learn(model.id, measured.promptTokens, promptTokens(usage))
    if (row === undefined) return
    const fact: RatioFact = { kind: 'ratio', subject: model.id, category: anyCategory, value: row }
    keep([fact])
  }

  return {
    judged,
    corrected(model, categories, score, { score: before, madeAt }) {
      const { key, prior } = abilityOf(model)
      const outcome = { model: key, categories, signal: 'feedback', score, prior, before, madeAt } as const
      keep(correctOutcome(evidence, outcome, now()))
    },
    isRepeated,
    attempted({ model, decision, stream, usage, firstTokenMs, durationMs, error, asked }) {
      const { categories } = decision.measured
      // That a server fails says nothing about its model's answers; breakers keep requests away from it.
      if (error !== undefined || firstTokenMs === undefined || usage.estimated === true) return
      if (decision.measured.nonChat === 'media') return
      // A server answers from its cache what it was just asked.
      if (isRepeated(asked, model, 'measurements')) return
      learnRatio(model, decision, usage)
      keep(learnOutput(evidence, abilityOf(model).key, likeliest(categories), usage.outputTokens))
      // Without streaming the time of the first token is unknown.
      if (!stream) return
      const timing = {
        promptTokens: promptTokens(usage),
        cachedTokens: usage.cacheReadTokens,
        outputTokens: usage.outputTokens,
        firstTokenMs,
        streamMs: durationMs - firstTokenMs,
        cold: model.loaded === false,
      }
      keep(learnSpeed(evidence, model.id, timing, now()))
    },
    answered(conversation, { messages }, model, decision) {
      if (messages.at(-1)?.role !== 'user') return
      const place = (turn: number) => `${conversation}\n${turn}\n${messagesKey(messages.slice(0, turn))}`
      const form = (turn: number) => messagesKey(messages.slice(turn, turn + 1))
      const before = turnBefore(messages)
      if (before > 0) wentOn(place(before), form(before))
      const last = messages.length - 1
      // A first turn may begin another conversation like it.
      if (last === 0 || decision.reason === 'explicit') return
      const { answers = new Map<string, TurnAnswer>(), settled = false } = turns.get(place(last)) ?? {}
      const answer = { model, categories: decision.measured.categories, before: answers.get(form(last)) }
      if (answer.before !== undefined) answer.before = { ...answer.before, before: undefined }
      turns.set(place(last), { answers: new Map(answers).set(form(last), answer), settled })
    },
    benchmarked(model, category, value) {
      const known = evidence.benchmarks.get(model)?.get(category)
      if (!isDeepStrictEqual(known, value)) keep(learnBenchmark(evidence, model, category, value))
    },
    checked(model, { measured }, check, accepted) {
      const place = { model: abilityOf(model).key, category: likeliest(measured.categories) }
      keep(learnVerifier(evidence, check, place, accepted, now()))
    },
    compared: (check, agreed) => keep(learnAgreement(evidence, check, agreed)),
    reversed: (check, agrees) => keep(correctAgreement(evidence, check, agrees)),
    learned: model => learnedFrom(evidence, { key: abilityOf(model).key, id: model.id }),
    forget(model) {
      const rows = forget(evidence, { key: abilityOf(model).key, id: model.id })
      for (const row of rows) unsaved.delete(nameOf(row))
      store.remove(rows)
      return rows.length
    },
    close: write,
  }
}

function nameOf({ kind, subject, category }: Fact): string {
  return `${kind}\n${subject}\n${category}`
}
