import type { OutcomeRow } from './outcomes.ts'

/** Blended USD per million tokens, for tables that list no cost; the first two as estimated by RouteLLM's authors. */
export const blendedPrices: Readonly<Record<string, number>> = {
  'gpt-4-1106-preview': 24.7,
  'mixtral-8x7b-instruct': 0.24,
  'claude-opus-4-6': 16.86,
  'claude-sonnet-4-6': 10.77,
  'gpt-5.4': 9.67,
  'glm-5': 2.75,
  'kimi-k2.5': 1.54,
  'MiniMax-M2.7': 2.74,
  'Qwen3-Max': 0.91,
  'qwen3.5-plus': 0.61,
}

/** USD of one answer; where a table tells neither costs nor tokens, what a million tokens of any answer cost. */
export function costOf(row: OutcomeRow, model: string): number {
  const { cost, tokens } = row.outcomes[model]!
  const price = blendedPrices[model] ?? 0
  return cost ?? (tokens === undefined ? price : (tokens * price) / 1e6)
}
