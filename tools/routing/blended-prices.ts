/** Blended USD per million tokens, for tables that list tokens but no cost. */
export const blendedPrices: Readonly<Record<string, number>> = {
  'claude-opus-4-6': 16.86,
  'claude-sonnet-4-6': 10.77,
  'gpt-5.4': 9.67,
  'glm-5': 2.75,
  'kimi-k2.5': 1.54,
  'MiniMax-M2.7': 2.74,
  'Qwen3-Max': 0.91,
  'qwen3.5-plus': 0.61,
}
