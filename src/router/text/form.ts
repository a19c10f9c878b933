/** The form of the prompts of one kind, by figures computed from them. */
export interface Form {
  /** The range in which nearly all prompts of the kind lie, for each figure. */
  low: readonly number[]
  high: readonly number[]
  /** Figures outside their range in the oddest prompts of the kind itself. */
  allowed: number
  /** Figures that never vary within the kind, such as the number of answers to choose from, and what they always are. */
  fixed: readonly (readonly [figure: number, value: number])[]
}

/** Figures outside, beyond the allowed, that make a text wholly unfamiliar. */
const strangeAfter = 6

/**
 * How much a text is like the prompts of a kind in form, 0..1. One that breaks with what never varies is none of the kind,
 * whatever its words say.
 */
export function likenessTo(form: Form, figures: Float64Array): number {
  for (const [figure, value] of form.fixed) if (figures[figure] !== value) return 0
  const excess = figuresOutside(form, figures) - form.allowed
  return Math.max(0, Math.min(1, 1 - excess / strangeAfter))
}

/** How many figures lie outside the range. */
export function figuresOutside({ low, high }: Pick<Form, 'low' | 'high'>, figures: Float64Array): number {
  let count = 0
  for (let index = 0; index < figures.length; index++)
    if (figures[index]! < low[index]! || figures[index]! > high[index]!) count++
  return count
}
