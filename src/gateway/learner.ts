import { isDeepStrictEqual } from 'node:util'
import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import type { GatewayError } from '../errors.ts'
import type { Fact } from '../ledger/learned.ts'
import type { Model } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import {
  anyCategory,
  learnAgreement,
  learnBenchmark,
  learnOutcome,
  learnOutput,
  learnSpeed,
  learnVerifier,
  type Benchmark,
  type Signal,
} from '../router/evidence.ts'
import type { Knowledge } from '../router/knowledge.ts'
import { likeliest } from '../router/measure.ts'
import { messagesKey } from '../router/session.ts'
import type { RatioRow, TokenRatios } from '../tokens/ratio.ts'
import type { ChatRequest } from '../wire/chat/schema.ts'
import { promptTokens, type Usage } from '../wire/usage.ts'

const saveAfterMs = 2_000
/** The same request again within this time says that the first answer was not good enough. */
const retryWithinMs = 5 * 60_000
const remembered = 2_000

/** One call of one model, as it went. Times in milliseconds. */
export interface Attempted {
  model: Model
  decision: Decision
  stream: boolean
  usage: Usage
  /** From getting the slot; undefined when nothing came. */
  firstTokenMs: number | undefined
  /** From getting the slot to the end. */
  durationMs: number
  error: GatewayError | undefined
}

/** What was learned of a model's tokenizer, as the ledger keeps it beside the router's evidence. */
export interface RatioFact extends Fact {
  kind: 'ratio'
  value: RatioRow
}

/** Turns what happens on the road into evidence for the next decisions, and keeps it over restarts. */
export interface Learner {
  attempted(attempt: Attempted): void
  /** An answer has begun; the same request in the same conversation coming back soon speaks against it. */
  answered(conversation: string, request: ChatRequest, model: Model, decision: Decision): void
  /** Somebody or something judged an answer, 0..1. `categories` are those of its decision. */
  judged(model: Model, categories: Readonly<Record<string, number>>, signal: Signal, score: number): void
  /** What all benchmarks so far say of a model at one kind of task; `model` is the key of its ability. */
  benchmarked(model: string, category: string, value: Benchmark): void
  /** A check spoke about an answer of `model`. */
  checked(model: Model, decision: Decision, check: string, accepted: boolean): void
  /** What a check said of an answer met what somebody else said of it. */
  compared(check: string, agreed: boolean): void
  /** Writes what is not yet kept. */
  close(): void
}

export interface LearnerParts {
  knowledge: Pick<Knowledge, 'evidence' | 'abilityOf'>
  ratios: Pick<TokenRatios, 'learn'>
  save: (facts: readonly Fact[]) => void
  /** Milliseconds since the epoch. */
  now: () => number
  log: Pick<Logger, 'error'>
}

export function createLearner({ knowledge, ratios, save, now, log }: LearnerParts): Learner {
  const { evidence, abilityOf } = knowledge
  const unsaved = new Map<string, Fact>()
  const answers = new LRUCache<string, { model: Model; categories: Readonly<Record<string, number>> }>({
    max: remembered,
    ttl: retryWithinMs,
  })
  let timer: NodeJS.Timeout | undefined

  function keep(rows: readonly Fact[]): void {
    for (const row of rows) unsaved.set(`${row.kind}\n${row.subject}\n${row.category}`, row)
    timer ??= setTimeout(write, saveAfterMs).unref()
  }

  function write(): void {
    clearTimeout(timer)
    timer = undefined
    if (unsaved.size === 0) return
    try {
      save([...unsaved.values()])
      unsaved.clear()
    } catch (error) {
      // What could not be written is still in memory and goes with the next facts.
      log.error({ err: error }, 'what the router learned could not be written')
    }
  }

  function judged(model: Model, categories: Readonly<Record<string, number>>, signal: Signal, score: number): void {
    const ability = abilityOf(model)
    const prior = (category: string) => ability.prior(category)
    keep(learnOutcome(evidence, { model: ability.key, categories, signal, score, prior }, now()))
  }

  /** Only from prompts that were counted whole: images, and what was estimated, would be taken for the tokenizer's doing. */
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
      if (error?.code === 'upstream_error') judged(model, categories, 'failed', 0)
      if (error !== undefined || firstTokenMs === undefined || usage.estimated === true) return
      learnRatio(model, decision, usage)
      keep(learnOutput(evidence, abilityOf(model).key, likeliest(categories), usage.outputTokens))
      // An answer in one piece does not tell when its first token was there.
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
      const key = `${conversation}\n${messages.length}\n${messagesKey(messages.slice(-1))}`
      const before = answers.get(key)
      if (before !== undefined) judged(before.model, before.categories, 'retried', 0)
      answers.set(key, { model, categories: decision.measured.categories })
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
    close: write,
  }
}
