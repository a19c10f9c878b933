import { LRUCache } from 'lru-cache'

/** What has been learned about one model's tokenizer; plain numbers, so that it can be stored as it is. */
export interface RatioRow {
  model: string
  /** Prompt tokens counted here, older ones decayed. */
  counted: number
  /** Tokens the model reported for the same prompts, with the same decay. */
  reported: number
}

export interface TokenRatios {
  /**
   * Learns from one answer: our count of its prompt and the model's report for it, cache included. Returns the row that
   * changed; nothing where the report cannot be about the tokenizer.
   */
  learn(model: string, counted: number, reported: number): RatioRow | undefined
  /** Tokens of the model per token counted here. */
  ratioOf(model: string): number
  /** Everything learned, the most recently used model first. */
  rows(): RatioRow[]
  /** Restores the output of `rows`; invalid rows are left out. */
  restore(rows: readonly RatioRow[]): void
}

/**
 * Ratios between models' own token counts and ours, for the `maxModels` used last. The estimate is a ratio of sums, so
 * long prompts weigh more than short ones, in which the template's tokens dominate. The family's prior counts as
 * `priorTokens`, so the first conversation already moves it.
 */
export function createTokenRatios({ maxModels = 1000 }: { maxModels?: number } = {}): TokenRatios {
  const learned = new LRUCache<string, RatioRow>({ max: maxModels, dispose: (_row, model) => current.delete(model) })
  // A decision asks for hundreds of models, and hardly any of them changed since the last one.
  const current = new Map<string, number>()

  const ratioOf = (model: string): number => {
    let ratio = current.get(model)
    if (ratio !== undefined) return ratio
    const prior = familyRatio(model)
    // Reading is no use of a model: it leaves the order as it is.
    const row = learned.peek(model)
    ratio = row === undefined ? prior : (prior * priorTokens + row.reported) / (priorTokens + row.counted)
    if (current.size >= maxModels) current.clear()
    current.set(model, ratio)
    return ratio
  }

  return {
    learn(model, counted, reported) {
      if (!isPlausible(counted, reported)) return undefined
      const row = learned.get(model) ?? { model, counted: 0, reported: 0 }
      const ratio = reported / counted
      const expected = ratioOf(model)
      // One outlier moves little, while many similar reports prevail.
      const believed = Math.min(expected * farthestStep, Math.max(expected / farthestStep, ratio))
      const weight = Math.min(counted, heaviestPrompt)
      const changed = {
        model,
        counted: row.counted * DECAY + weight,
        reported: row.reported * DECAY + weight * believed,
      }
      learned.set(model, changed)
      current.delete(model)
      return changed
    },

    ratioOf,

    rows: () => [...learned.values()],

    restore(rows) {
      for (const row of rows.toReversed()) {
        const isSound = isPlausible(row.counted, row.reported)
        if (isSound) learned.set(row.model, { ...row })
      }
      current.clear()
    },
  }
}

/** A report outside these bounds is not about the tokenizer: part of the prompt was cached or truncated. */
function isPlausible(counted: number, reported: number): boolean {
  if (!Number.isFinite(counted) || !Number.isFinite(reported) || counted < shortestPrompt) return false
  return reported >= counted * LOWEST && reported <= counted * HIGHEST
}

function familyRatio(model: string): number {
  return familyRatios.find(({ family }) => family.test(model))?.ratio ?? unknownFamily
}

/**
 * Relative to o200k_base on mixed chat text, as measured in this project's evaluation: Qwen2.5 takes 1.01 to 1.03,
 * Llama 3 0.99 to 1.05. Families without measurements start from the middle of what tokenizers do.
 */
const familyRatios: readonly { family: RegExp; ratio: number }[] = [
  { family: /\b(?:gpt-4o|gpt-4\.1|gpt-4\.5|gpt-5|gpt-oss|chatgpt-4o|o[134])(?![a-z0-9])/i, ratio: 1 },
  { family: /qwen/i, ratio: 1.02 },
  { family: /llama-?_?3/i, ratio: 1 },
]
const unknownFamily = 1.1

/** Half of what is known is forgotten after some 34 answers, as when a model's name gets another model behind it. */
const DECAY = 0.98
const priorTokens = 1000
/** Tokens; one very long prompt must not outweigh dozens of others. */
const heaviestPrompt = 8000
/** Tokens; below, the template's own tokens dominate the difference. */
const shortestPrompt = 50
const LOWEST = 0.7
const HIGHEST = 3
/** A single report counts as at most this many times the expected value, either way. */
const farthestStep = 1.25
