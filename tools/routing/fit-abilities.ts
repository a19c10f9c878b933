/** The results of one model at one kind of task. */
export interface Cell {
  model: string
  category: string
  /** 0..1 */
  rate: number
  count: number
}

export interface Abilities {
  /** By model, log odds; only differences matter, because difficulties carry the level. */
  ability: Map<string, number>
  /** By category. */
  difficulty: Map<string, number>
}

const rounds = 60
/** Maximum weight of a cell, in rows: beyond it the variance is due to the kind of task, not to chance. */
const maxWeight = 200
/** Shrinks abilities to their mean as this many rows of an average model would. */
const ridge = 40

/**
 * Assumed lead of the models of a table, on average, over the best model of an unconnected table, in log odds. It matters
 * only for tables that cannot be compared: newer tables have newer models, and this is a cautious assumption.
 */
const newerByOdds = 0.3

/**
 * Tables that share neither a model nor a kind of task cannot be compared by their rows. The largest group of comparable
 * cells sets the scale; the others are placed above it by `newerByOdds`.
 */
export function fitAbilities(cells: readonly Cell[]): Abilities {
  const [first, ...others] = comparable(cells).map(fitComparable)
  if (first === undefined) return { ability: new Map(), difficulty: new Map() }
  const best = Math.max(...first.ability.values())
  for (const other of others) {
    const abilities = [...other.ability.values()]
    const shift = best + newerByOdds - abilities.reduce((sum, value) => sum + value, 0) / abilities.length
    for (const [model, ability] of other.ability) first.ability.set(model, ability + shift)
    for (const [category, difficulty] of other.difficulty) first.difficulty.set(category, difficulty + shift)
  }
  return first
}

/** Cells in groups connected by a shared model or category, the largest group first. */
function comparable(cells: readonly Cell[]): Cell[][] {
  const groups: Cell[][] = []
  for (const cell of cells) {
    const joined = groups.filter(group =>
      group.some(other => other.model === cell.model || other.category === cell.category),
    )
    const merged = [...joined.flat(), cell]
    for (const group of joined) groups.splice(groups.indexOf(group), 1)
    groups.push(merged)
  }
  return groups.sort((a, b) => b.length - a.length)
}

/**
 * One ability per model and one difficulty per category such that log odds of success ≈ ability − difficulty (Rasch's model,
 * by alternating weighted least squares on smoothed log odds).
 */
function fitComparable(cells: readonly Cell[]): Abilities {
  const ability = new Map(cells.map(cell => [cell.model, 0]))
  const difficulty = new Map(cells.map(cell => [cell.category, 0]))
  const known = cells.map(({ model, category, rate, count }) => {
    const smoothed = (rate * count + 1) / (count + 2)
    return { model, category, odds: Math.log(smoothed / (1 - smoothed)), weight: Math.min(count, maxWeight) }
  })
  for (let round = 0; round < rounds; round++) {
    for (const category of difficulty.keys()) {
      const members = known.filter(cell => cell.category === category)
      const total = members.reduce((sum, cell) => sum + cell.weight, 0)
      const sum = members.reduce((all, cell) => all + cell.weight * (ability.get(cell.model)! - cell.odds), 0)
      difficulty.set(category, sum / total)
    }
    for (const model of ability.keys()) {
      const members = known.filter(cell => cell.model === model)
      const total = members.reduce((sum, cell) => sum + cell.weight, 0)
      const sum = members.reduce((all, cell) => all + cell.weight * (cell.odds + difficulty.get(cell.category)!), 0)
      ability.set(model, sum / (total + ridge))
    }
  }
  return { ability, difficulty }
}
