/** How much a model should reason, from none to the maximum. Every protocol's value maps to one of these. */
export const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const
export type Effort = (typeof efforts)[number]

/** Upper bound of the thinking budget (tokens) for each effort; the common mapping of Anthropic's budgets. */
const budgets: readonly { upTo: number; effort: Effort }[] = [
  { upTo: 1_024, effort: 'minimal' },
  { upTo: 4_096, effort: 'low' },
  { upTo: 16_384, effort: 'medium' },
  { upTo: 32_768, effort: 'high' },
  { upTo: Infinity, effort: 'xhigh' },
]

/** Maps a thinking budget in tokens to an effort; undefined without a budget. */
export function effortFromBudget(tokens: unknown): Effort | undefined {
  if (typeof tokens !== 'number' || !(tokens > 0)) return undefined
  return budgets.find(({ upTo }) => tokens <= upTo)?.effort
}

/**
 * The effort in `known` nearest to the requested one, the lower of two equally near; undefined when the model supports
 * none or the value is not an effort. A request for some reasoning never maps to `none` while another effort is
 * available.
 */
export function nearestEffort(asked: string, known: readonly Effort[]): Effort | undefined {
  const place = efforts.indexOf(asked as Effort)
  if (place < 0) return undefined
  const thinking = known.filter(effort => effort !== 'none')
  const choices = asked === 'none' || thinking.length === 0 ? known : thinking
  const distance = (effort: Effort) => Math.abs(efforts.indexOf(effort) - place)
  return choices.toSorted((a, b) => distance(a) - distance(b) || efforts.indexOf(a) - efforts.indexOf(b))[0]
}
