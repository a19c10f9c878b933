import { isDeepStrictEqual } from 'node:util'
import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import type { GatewayError } from '../errors.ts'
import type { Fact, Learned } from '../ledger/learned.ts'
import type { Model } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import {
  anyCategory,
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
/** When the last turn of a conversation is rewritten within this time, that says that the answer to it was not good enough. */
const editWithinMs = 5 * 60_000
const remembered = 2_000
/** Edits that count against one model within an hour. */
const maxEditsPerHour = 6
const hourMs = 3_600_000

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
}

/** What was learned about a model's tokenizer, stored in the ledger beside the router's evidence. */
export interface RatioFact extends Fact {
  kind: 'ratio'
  value: RatioRow
}

/** Turns the results of requests into evidence for later decisions, and keeps it across restarts. */
export interface Learner {
  attempted(attempt: Attempted): void
  /**
   * An answer has begun. Where the last turn of its conversation was rewritten soon after, that counts a little against the
   * answer before. The same request again says nothing: programs repeat requests for reasons of their own.
   */
  answered(conversation: string, request: ChatRequest, model: Model, decision: Decision): void
  /** Records a score for an answer, 0..1. `categories` are those of its decision. */
  judged(model: Model, categories: Readonly<Record<string, number>>, signal: Signal, score: number): void
  /** Records the results of all benchmarks so far of a model at one kind of task; `model` is the key of its ability. */
  benchmarked(model: string, category: string, value: Benchmark): void
  /** Records the verdict of a check about an answer of `model`. */
  checked(model: Model, decision: Decision, check: string, accepted: boolean): void
  /** Records whether the verdict of a check agreed with another source. */
  compared(check: string, agreed: boolean): void
  /** What traffic taught about a model. */
  learned(model: Model): EvidenceRow[]
  /** Forgets that, here and in the ledger; says how many facts there were. */
  forget(model: Model): number
  /** Writes what is not yet kept. */
  close(): void
}

/** Who answered the last turn of a conversation, and the forms that this turn had so far. */
interface AnsweredTurn {
  model: Model
  categories: Readonly<Record<string, number>>
  turns: ReadonlySet<string>
}

/** More forms of one turn than this are a program's doing. */
const maxTurns = 3

/** Only a user's turn after an answer counts as rewritten; a first turn may begin another, similar conversation. */
function mayBeEdited(messages: readonly ChatMessage[]): boolean {
  return messages.at(-1)?.role === 'user' && messages.at(-2)?.role === 'assistant'
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
  const answers = new LRUCache<string, AnsweredTurn>({ max: remembered, ttl: editWithinMs })
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
    const ability = abilityOf(model)
    const prior = (category: string) => ability.prior(category)
    keep(learnOutcome(evidence, { model: ability.key, categories, signal, score, prior }, now()))
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
    attempted({ model, decision, stream, usage, firstTokenMs, durationMs, error }) {
      const { categories } = decision.measured
      // That a server fails says nothing about its model's answers; breakers keep requests away from it.
      if (error !== undefined || firstTokenMs === undefined || usage.estimated === true) return
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
      if (decision.reason === 'explicit' || !mayBeEdited(messages)) return
      const key = `${conversation}\n${messages.length}\n${messagesKey(messages.slice(0, -1))}`
      const turn = messagesKey(messages.slice(-1))
      const before = answers.get(key)
      // A turn that was seen already is no edit, whatever came between.
      if (before?.turns.has(turn) === true) return
      const turns = new Set(before?.turns).add(turn)
      answers.set(key, { model, categories: decision.measured.categories, turns })
      if (before === undefined || turns.size > maxTurns) return
      const { key: edited } = abilityOf(before.model)
      const count = edits.get(edited) ?? 0
      if (count >= maxEditsPerHour) return
      edits.set(edited, count + 1)
      judged(before.model, before.categories, 'edited', 0)
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
