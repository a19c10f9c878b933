import type { ResidualRow } from './text-model.ts'

/** In how many rows a set of models must have met the same prompts for its skills to be estimated. */
const minRows = 500
/** Models of one table needed to tell skills from ability and chance. */
const minModels = 4
const rounds = 200

/**
 * What tells models of equal ability apart: the main components of their residuals, after level and slope are taken off each
 * row (Harman 1976), by power iteration on the covariance of models. Returns the rows used (as places in `rows`), each component's
 * value in those rows, and each model's loadings. Only the largest table with enough models is used; the loadings of others are 0.
 */
export function skillsOf(
  rows: readonly ResidualRow[],
  slopes: Float64Array,
  count: number,
): { rows: number[]; factors: Float64Array[]; loadings: Map<string, number[]> } {
  const none = { rows: [], factors: [], loadings: new Map<string, number[]>() }
  const tables = Map.groupBy(rows.keys(), index => namesOf(rows[index]!).join(' '))
  const members = [...tables.values()]
    .filter(table => rows[table[0]!]!.outcomes.length >= minModels && table.length >= minRows)
    .reduce<number[]>((largest, table) => (table.length > largest.length ? table : largest), [])
  if (members.length === 0) return none
  const names = namesOf(rows[members[0]!]!)
  const remainders = members.map(index => remainderOf(rows[index]!, slopes[index]!, names))
  const covariance = names.map((_, a) => names.map((_, b) => sum(remainders.map(row => row[a]! * row[b]!))))
  const loadings = new Map(names.map(name => [name, [] as number[]]))
  const factors: Float64Array[] = []
  for (let factor = 0; factor < Math.min(count, names.length - 2); factor++) {
    const axis = mainAxis(covariance)
    for (const [index, name] of names.entries()) loadings.get(name)!.push(axis[index]!)
    factors.push(Float64Array.from(remainders, row => sum(row.map((value, index) => value * axis[index]!))))
  }
  return { rows: members, factors, loadings }
}

/** The direction of greatest variance; takes it out of `covariance`. */
function mainAxis(covariance: number[][]): number[] {
  let axis = covariance.map((_, index) => 1 + index / covariance.length)
  let variance = 0
  for (let round = 0; round < rounds; round++) {
    const image = covariance.map(row => sum(row.map((value, index) => value * axis[index]!)))
    variance = Math.hypot(...image)
    if (variance === 0) return axis.map(() => 0)
    axis = image.map(value => value / variance)
  }
  for (const [a, row] of covariance.entries()) {
    for (const b of row.keys()) row[b]! -= variance * axis[a]! * axis[b]!
  }
  return axis
}

/** What level and slope leave unexplained, in the order of `names`. */
function remainderOf(
  { outcomes, residuals, abilities }: ResidualRow,
  slope: number,
  names: readonly string[],
): number[] {
  const level = sum(residuals) / residuals.length
  const usual = sum(abilities) / abilities.length
  const byName = new Map(
    outcomes.map(({ model }, index) => [model, residuals[index]! - level - slope * (abilities[index]! - usual)]),
  )
  return names.map(name => byName.get(name)!)
}

function namesOf({ outcomes }: ResidualRow): string[] {
  return outcomes.map(({ model }) => model).sort()
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
