import type { OutcomeRow } from './outcomes.ts'
import { modelsOf } from './product.ts'
import { blendedPrices } from './blended-prices.ts'
import type { Trial } from './two-model-gates.ts'

/** How well predicted success meets outcomes. */
export interface Calibration {
  predictions: number
  /** Mean squared error, and that of always predicting the mean outcome. */
  brier: number
  constantBrier: number
  /** Expected calibration error over ten bins of equal size (Guo et al. 2017, with equal-mass bins). */
  ece: number
}

const bins = 10

/** Every prediction of every model, by table and by kind of task of the table. */
export function calibrations(trials: readonly Trial[], table: string): [name: string, Calibration][] {
  const groups = new Map<string, { predicted: number; outcome: number }[]>()
  for (const { test, product } of trials) {
    const names = Object.keys(test[0]?.outcomes ?? {})
    const models = modelsOf(names, blendedPrices)
    for (const row of test) {
      const question = row.prompt === undefined ? { kind: row.category } : { text: row.prompt }
      const predicted = product.qualities(question, models)
      for (const group of groupsOf(row, table)) {
        const list = groups.get(group) ?? []
        groups.set(group, list)
        for (const [index, name] of names.entries()) {
          list.push({ predicted: predicted[index]!, outcome: row.outcomes[name]!.score })
        }
      }
    }
  }
  return [...groups].map(([name, list]) => [name, calibrationOf(list)])
}

function groupsOf({ category }: OutcomeRow, table: string): string[] {
  return category === undefined ? [table] : [table, `${table} ${category}`]
}

function calibrationOf(list: readonly { predicted: number; outcome: number }[]): Calibration {
  const sorted = [...list].sort((a, b) => a.predicted - b.predicted)
  const base = mean(list.map(({ outcome }) => outcome))
  let ece = 0
  for (let bin = 0; bin < bins; bin++) {
    const members = sorted.slice(
      Math.floor((bin * sorted.length) / bins),
      Math.floor(((bin + 1) * sorted.length) / bins),
    )
    ece +=
      (members.length / sorted.length) * Math.abs(mean(members.map(({ predicted, outcome }) => predicted - outcome)))
  }
  return {
    predictions: list.length,
    brier: mean(list.map(({ predicted, outcome }) => (predicted - outcome) ** 2)),
    constantBrier: mean(list.map(({ outcome }) => (base - outcome) ** 2)),
    ece,
  }
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
