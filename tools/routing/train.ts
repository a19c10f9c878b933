import { expectedRate, shrunkRate, smallTalkDifficulty } from '../../src/router/success.ts'
import { smallTalk, unknownCategory } from '../../src/router/text/judge.ts'
import { weightsVersion, type KindFacts, type ModelFacts, type Weights } from '../../src/router/weights.ts'
import { fitAbilities, type Abilities, type Cell } from './fit-abilities.ts'
import { labelledRows, type LabelledRow, type TrainingTables } from './labelled-rows.ts'
import { trainText, type ResidualRow } from './text-model.ts'

/** Everything the router ships with. Deterministic: the same rows give the same bytes. */
export function train(tables: TrainingTables): Weights {
  const rows = labelledRows(tables)
  const cells = cellsOf(rows)
  const abilities = fitAbilities(cells)
  const kinds = kindsOf(rows, cells, abilities)
  const { text, loadings } = trainText(residualRows(rows, cells, abilities))
  return {
    version: weightsVersion,
    text,
    kinds,
    models: Object.fromEntries(
      [...abilities.ability].map(([name, ability]) => [
        name,
        modelFacts(name, ability, cells, rows, loadings.get(name)),
      ]),
    ),
  }
}

/** What is usual for each kind of task, and for texts of none: of those, that they are as hard as the average kind. */
function kindsOf(
  rows: readonly LabelledRow[],
  cells: readonly Cell[],
  abilities: Abilities,
): Record<string, KindFacts> {
  const tokens = tokensByKind(rows)
  const known = [...abilities.difficulty].map(([kind, difficulty]): [string, KindFacts] => {
    const members = cells.filter(cell => cell.category === kind)
    const outputTokens = tokens.get(kind)
    return [
      kind,
      {
        rate: rounded(mean(members.map(cell => cell.rate))),
        difficulty: rounded(difficulty),
        ability: rounded(mean(members.map(cell => abilities.ability.get(cell.model)!))),
        ...(outputTokens === undefined ? {} : { outputTokens }),
      },
    ]
  })
  // Without texts there is nothing that a text could have resembled.
  const read = new Set(rows.filter(({ prompt }) => prompt !== undefined).map(({ kind }) => kind))
  const comparable = read.size === 0 ? known : known.filter(([kind]) => read.has(kind))
  const difficulty = mean(comparable.map(([, facts]) => facts.difficulty))
  const ability = mean(comparable.map(([, facts]) => facts.ability))
  const none = (difficulty: number): KindFacts => ({
    rate: rounded(expectedRate(ability, difficulty)),
    difficulty: rounded(difficulty),
    ability: rounded(ability),
  })
  return {
    ...Object.fromEntries(known),
    [unknownCategory]: none(difficulty),
    [smallTalk]: none(smallTalkDifficulty),
  }
}

function modelFacts(
  name: string,
  ability: number,
  cells: readonly Cell[],
  rows: readonly LabelledRow[],
  skills: readonly number[] | undefined,
): ModelFacts {
  const own = cells.filter(cell => cell.model === name)
  const tokens = tokensByKind(rows, name)
  return {
    ability: rounded(ability),
    rates: Object.fromEntries(own.map(({ category, rate, count }) => [category, { rate: rounded(rate), count }])),
    ...(skills === undefined ? {} : { skills: skills.map(rounded) }),
    ...(tokens.size === 0 ? {} : { outputTokens: Object.fromEntries(tokens) }),
  }
}

/** Rows with text, and what each of their models did beyond what its ability and its rate at the kind of task let expect. */
function residualRows(rows: readonly LabelledRow[], cells: readonly Cell[], abilities: Abilities): ResidualRow[] {
  const seen = new Map(cells.map(cell => [`${cell.model} ${cell.category}`, cell]))
  return rows.flatMap(row => {
    const { prompt, kind, outcomes } = row
    if (prompt === undefined) return []
    const known = outcomes.map(({ model }) => abilities.ability.get(model)!)
    const residuals = outcomes.map(({ model, score }, index) => {
      const expected = expectedRate(known[index]!, abilities.difficulty.get(kind)!)
      return score - shrunkRate(seen.get(`${model} ${kind}`), expected)
    })
    return [{ ...row, prompt, residuals, abilities: known }]
  })
}

function cellsOf(rows: readonly LabelledRow[]): Cell[] {
  const sums = new Map<string, { model: string; category: string; sum: number; count: number }>()
  for (const { kind, outcomes } of rows) {
    for (const { model, score } of outcomes) {
      const key = `${model} ${kind}`
      const entry = sums.get(key) ?? { model, category: kind, sum: 0, count: 0 }
      entry.sum += score
      entry.count++
      sums.set(key, entry)
    }
  }
  return [...sums.values()].map(({ model, category, sum, count }) => ({ model, category, rate: sum / count, count }))
}

/** Mean output tokens by kind of task, of one model or of all, where rows tell them. */
function tokensByKind(rows: readonly LabelledRow[], model?: string): Map<string, number> {
  const sums = new Map<string, { sum: number; count: number }>()
  for (const { kind, outcomes } of rows) {
    for (const outcome of outcomes) {
      if (outcome.tokens === undefined || (model !== undefined && outcome.model !== model)) continue
      const entry = sums.get(kind) ?? { sum: 0, count: 0 }
      sums.set(kind, { sum: entry.sum + outcome.tokens, count: entry.count + 1 })
    }
  }
  return new Map([...sums].map(([kind, { sum, count }]) => [kind, Math.round(sum / count)]))
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

function rounded(value: number): number {
  return Math.round(value * 1e5) / 1e5
}
