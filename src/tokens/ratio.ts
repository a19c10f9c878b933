import { LRUCache } from 'lru-cache'
import type { TokenCount } from './counter.ts'

/** What has been learned of one model's tokenizer; plain numbers, so that it can be stored as it is. */
export interface RatioRow {
  model: string
  /** Prompt tokens counted here, older ones decayed. */
  counted: number
  /** Tokens the model reported for the same prompts, decayed alike. */
  reported: number
  /** Decayed sum, over the same prompts, of counted tokens times how far the ratio was off, as a fraction. */
  missed: number
}

export interface TokenRatios {
  /**
   * Learns from one answer: what was counted for its prompt and what the model says its prompt took, cache included. Returns
   * the row that changed; nothing where the report cannot be about the tokenizer.
   */
  learn(model: string, counted: number, reported: number): RatioRow | undefined
  /** Tokens of the model per token counted here. */
  ratioOf(model: string): number
  /** What a prompt will take in the model's own tokens: never exact, as the model's template is not known either. */
  expectedTokens(model: string, count: TokenCount): TokenCount
  /** Everything learned, the most recently used model first. */
  rows(): RatioRow[]
  /** Takes back what `rows` gave; rows that make no sense are left out. */
  restore(rows: readonly RatioRow[]): void
}

/**
 * Ratios between models' own token counts and ours, for the `maxModels` used last. The estimate is a ratio of sums, so
 * long prompts weigh more than short ones, in which the template's tokens drown the tokenizer's. The family's prior
 * counts as `PRIOR_TOKENS`, so the first conversation already moves it.
 */
export function createTokenRatios({ maxModels = 1000 }: { maxModels?: number } = {}): TokenRatios {
  const learned = new LRUCache<string, RatioRow>({ max: maxModels })
  // A decision asks for hundreds of models, which is no use of them: reading leaves the order as it is.
  const priors = new LRUCache<string, Prior>({ max: maxModels })

  const priorOf = (model: string): Prior => {
    let prior = priors.peek(model)
    if (prior === undefined) priors.set(model, (prior = familyPrior(model)))
    return prior
  }

  const ratioOf = (model: string): number => {
    const row = learned.peek(model)
    const { ratio } = priorOf(model)
    return row === undefined ? ratio : (ratio * priorTokens + row.reported) / (priorTokens + row.counted)
  }

  return {
    learn(model, counted, reported) {
      if (!isPlausible(counted, reported)) return undefined
      const row = learned.get(model) ?? { model, counted: 0, reported: 0, missed: 0 }
      const ratio = reported / counted
      const expected = ratioOf(model)
      // One strange report moves little, while many of the same kind are believed in the end.
      const believed = Math.min(expected * farthestStep, Math.max(expected / farthestStep, ratio))
      const weight = Math.min(counted, heaviestPrompt)
      const changed = {
        model,
        counted: row.counted * DECAY + weight,
        reported: row.reported * DECAY + weight * believed,
        missed: row.missed * DECAY + weight * Math.abs(ratio / expected - 1),
      }
      learned.set(model, changed)
      return changed
    },

    ratioOf,

    expectedTokens(model, count) {
      const row = learned.get(model) ?? nothingLearned
      const prior = priorOf(model)
      const typicalMiss = (prior.error * priorTokens + row.missed) / (priorTokens + row.counted)
      const error = Math.min(1, count.error + missesCovered * typicalMiss)
      return { tokens: Math.ceil(count.tokens * ratioOf(model)), exact: false, error }
    },

    rows: () => [...learned.values()],

    restore(rows) {
      for (const row of rows.toReversed()) {
        const isSound = isPlausible(row.counted, row.reported) && row.missed >= 0 && row.missed <= row.counted * HIGHEST
        if (isSound) learned.set(row.model, { ...row })
      }
    },
  }
}

/** A report outside these bounds is not about the tokenizer: a part of the prompt came from a cache, or was cut off. */
function isPlausible(counted: number, reported: number): boolean {
  if (!Number.isFinite(counted) || !Number.isFinite(reported) || counted < shortestPrompt) return false
  return reported >= counted * LOWEST && reported <= counted * HIGHEST
}

interface Prior {
  ratio: number
  /** How far off, as a fraction, a prompt of this family typically is before anything was learned. */
  error: number
}

function familyPrior(model: string): Prior {
  return PRIORS.find(({ family }) => family.test(model))?.prior ?? unknownFamily
}

/**
 * Relative to o200k_base on mixed chat text, as measured in this project's evaluation: Qwen2.5 takes 1.01 to 1.03,
 * Llama 3 0.99 to 1.05. Families nobody measured start from the middle of what tokenizers do, with a wide error.
 */
const PRIORS: readonly { family: RegExp; prior: Prior }[] = [
  {
    family: /\b(?:gpt-4o|gpt-4\.1|gpt-4\.5|gpt-5|gpt-oss|chatgpt-4o|o[134])(?![a-z0-9])/i,
    prior: { ratio: 1, error: 0.01 },
  },
  { family: /qwen/i, prior: { ratio: 1.02, error: 0.01 } },
  { family: /llama-?_?3/i, prior: { ratio: 1, error: 0.02 } },
]
const unknownFamily: Prior = { ratio: 1.1, error: 0.1 }

const nothingLearned: Omit<RatioRow, 'model'> = { counted: 0, reported: 0, missed: 0 }
/** Half of what is known is forgotten after some 34 answers, as when a model's name gets another model behind it. */
const DECAY = 0.98
const priorTokens = 1000
/** Tokens; one very long prompt must not outweigh dozens of others. */
const heaviestPrompt = 8000
/** Tokens; below, the template's own tokens are most of the difference. */
const shortestPrompt = 50
const LOWEST = 0.7
const HIGHEST = 3
/** A single report counts as at most this many times what was expected, either way. */
const farthestStep = 1.25
/** A stated error covers twice the typical miss. */
const missesCovered = 2
