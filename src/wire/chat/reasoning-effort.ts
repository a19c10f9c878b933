/** How hard a model is asked to think, from not at all to as hard as it can. Every protocol's word is one of these. */
export const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const
export type Effort = (typeof efforts)[number]

/** Thinking budgets (tokens) up to which an effort reaches; the usual reading of Anthropic's budgets. */
const budgets: readonly { upTo: number; effort: Effort }[] = [
  { upTo: 1_024, effort: 'minimal' },
  { upTo: 4_096, effort: 'low' },
  { upTo: 16_384, effort: 'medium' },
  { upTo: 32_768, effort: 'high' },
  { upTo: Infinity, effort: 'xhigh' },
]

/** A budget of thinking tokens as an effort; undefined when there is none. */
export function effortFromBudget(tokens: unknown): Effort | undefined {
  if (typeof tokens !== 'number' || !(tokens > 0)) return undefined
  return budgets.find(({ upTo }) => tokens <= upTo)?.effort
}

/**
 * The effort among `known` that is nearest to the one asked for, the lower one of two as near; undefined when the model knows
 * none or the word is not an effort. Who asks for some thinking is not given none while there is a choice.
 */
export function nearestEffort(asked: string, known: readonly Effort[]): Effort | undefined {
  const place = efforts.indexOf(asked as Effort)
  if (place < 0) return undefined
  const thinking = known.filter(effort => effort !== 'none')
  const choices = asked === 'none' || thinking.length === 0 ? known : thinking
  const distance = (effort: Effort) => Math.abs(efforts.indexOf(effort) - place)
  return choices.toSorted((a, b) => distance(a) - distance(b) || efforts.indexOf(a) - efforts.indexOf(b))[0]
}
