import { canonicalName } from '../../src/router/model-identity.ts'
import type { PackedLinear, PackedText } from '../../src/router/text/judge.ts'
import { figureCount } from '../../src/router/text/reading.ts'
import type { TaskKind } from '../../src/router/task-kinds.ts'
import { weightsVersion, type Weights } from '../../src/router/weights.ts'
import { blendedPrices } from './blended-prices.ts'
import { fitAbilities, type Cell } from './fit-abilities.ts'
import type { OutcomeRow } from './outcomes.ts'
import type { Linear } from './ridge.ts'
import { firstByHash } from './splits.ts'
import { fitScores, readAll, shippedShape, textBasis } from './text-scores.ts'

/** The tables to learn from; an absent one is simply not learned from. */
export interface TrainingTables {
  mmlu?: readonly OutcomeRow[] | undefined
  gsm8k?: readonly OutcomeRow[] | undefined
  local9?: readonly OutcomeRow[] | undefined
  coding8?: readonly OutcomeRow[] | undefined
}

/** The kinds of tasks that texts are sorted into, by the category their table gives them. */
const categoryOf: Readonly<Record<string, TaskKind>> = {
  math: 'math',
  gsm8k: 'arithmetic',
  'agentverse-mgsm': 'arithmetic',
  gpqa: 'science',
  commonsense_qa: 'common_sense',
  arc_challenge: 'common_sense',
  openbook_qa: 'common_sense',
  natural_qa: 'facts',
  trivia_qa: 'facts',
  mmlu: 'knowledge',
  'agentverse-logicgrid': 'logic',
  commongen: 'writing',
  human_eval: 'programming',
  mbpp: 'programming',
}

/** So that one long table does not drown the others. */
const maxMmluRows = 1500

/** Billions of parameters of models whose names do not say. */
const knownSizes: Readonly<Record<string, number>> = { 'gemma-2-9b': 9 }

/** Everything the router ships with. Deterministic: the same rows give the same bytes. */
export function train(tables: TrainingTables): Weights {
  const sorted = sortRows(tables)
  const cells = cellsOf(sorted)
  const abilities = fitAbilities(cells)
  const codingTokens = tokensByCategory(tables.coding8 ?? [])
  const categories = [...new Set(cells.map(cell => cell.category))]
  const base = Object.fromEntries(
    categories.map(category => {
      const members = cells.filter(cell => cell.category === category)
      const rate = members.reduce((sum, cell) => sum + cell.rate, 0) / members.length
      const outputTokens = codingTokens.get(category)
      return [category, { rate: rounded(rate), ...(outputTokens === undefined ? {} : { outputTokens }) }]
    }),
  )
  return {
    version: weightsVersion,
    text: trainText(sorted.filter(row => row.prompt !== undefined)),
    base,
    difficulty: Object.fromEntries([...abilities.difficulty].map(([category, value]) => [category, rounded(value)])),
    models: Object.fromEntries(
      [...abilities.ability].map(([name, ability]) => [
        name,
        {
          ability: rounded(ability),
          rates: Object.fromEntries(
            cells
              .filter(cell => cell.model === name)
              .map(({ category, rate, count }) => [category, { rate: rounded(rate), count }]),
          ),
        },
      ]),
    ),
    bySize: lineOf(
      [...abilities.ability].flatMap(([name, ability]) => {
        const size = knownSizes[name] ?? sizeOf(name)
        return size === undefined ? [] : [{ x: Math.log2(size / 8), y: ability }]
      }),
      (at, slope) => ({ atEightB: at, perDoubling: slope }),
      0.35,
    ),
    byPrice: lineOf(
      Object.entries(blendedPrices).flatMap(([name, dollars]) => {
        const ability = abilities.ability.get(canonicalName(name))
        return ability === undefined ? [] : [{ x: Math.log2(dollars), y: ability }]
      }),
      (at, slope) => ({ atOneDollar: at, perDoubling: slope }),
      0.15,
    ),
  }
}

interface SortedRow extends OutcomeRow {
  category: string
}

function sortRows({ mmlu = [], gsm8k = [], local9 = [], coding8 = [] }: TrainingTables): SortedRow[] {
  return [
    ...firstByHash(mmlu, maxMmluRows, 0).first.map(row => ({ ...row, category: 'knowledge' })),
    ...gsm8k.map(row => ({ ...row, category: 'arithmetic' })),
    ...local9.flatMap(row => {
      const category = categoryOf[row.category ?? '']
      return category === undefined ? [] : [{ ...row, category }]
    }),
    ...coding8.map(row => ({ ...row, category: row.category ?? 'code_generation' })),
  ]
}

function cellsOf(rows: readonly SortedRow[]): Cell[] {
  const sums = new Map<string, { model: string; category: string; sum: number; count: number }>()
  for (const row of rows) {
    for (const [name, { score }] of Object.entries(row.outcomes)) {
      const model = canonicalName(name)
      const key = `${model} ${row.category}`
      const entry = sums.get(key) ?? { model, category: row.category, sum: 0, count: 0 }
      entry.sum += score
      entry.count++
      sums.set(key, entry)
    }
  }
  return [...sums.values()].map(({ model, category, sum, count }) => ({ model, category, rate: sum / count, count }))
}

function trainText(rows: readonly SortedRow[]): PackedText {
  const basis = textBasis(readAll(rows.map(row => row.prompt!)), shippedShape)
  const categories = [...new Set(rows.map(row => row.category))]
  const categoryScores = categories.map(category =>
    packLinear(
      fitScores(
        basis,
        Float64Array.from(rows, row => (row.category === category ? 1 : 0)),
      ),
    ),
  )
  const scores = rows.map(row => mean(Object.values(row.outcomes).map(outcome => outcome.score)))
  // Tables have different models, so "usual" is usual for the same kind in the same table.
  const usual = new Map(
    [...Map.groupBy(rows.keys(), at => tableKey(rows[at]!))].map(([key, members]) => [
      key,
      mean(members.map(at => scores[at]!)),
    ]),
  )
  const ease = fitScores(
    basis,
    Float64Array.from(rows, (row, at) => scores[at]! - usual.get(tableKey(row))!),
  )
  const { shape, rarity, centre, scale } = basis.vectorizer
  const rarityStep = Math.max(...rarity) / 255
  return {
    shape,
    rarityStep,
    rarity: Buffer.from(Uint8Array.from(rarity, value => Math.round(value / rarityStep))).toString('base64'),
    centre: Array.from(centre.subarray(0, figureCount), rounded),
    scale: Array.from(scale.subarray(0, figureCount), rounded),
    categories,
    categoryScores,
    ease: packLinear(ease),
  }
}

function tableKey(row: SortedRow): string {
  return `${Object.keys(row.outcomes).length} ${row.category}`
}

function packLinear(linear: Linear): PackedLinear {
  const words = packBytes(linear.words)
  const smooth = packBytes(linear.smooth)
  return {
    intercept: rounded(linear.intercept),
    wordStep: words.step,
    words: words.bytes,
    smoothStep: smooth.step,
    smooth: smooth.bytes,
  }
}

function packBytes(values: Float32Array): { step: number; bytes: string } {
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-9)
  const step = most / 127
  const bytes = Int8Array.from(values, value => Math.round(value / step))
  return { step, bytes: Buffer.from(bytes.buffer).toString('base64') }
}

function tokensByCategory(rows: readonly OutcomeRow[]): Map<string, number> {
  return new Map(
    [...Map.groupBy(rows, row => row.category ?? 'code_generation')].map(([category, members]) => [
      category,
      Math.round(mean(members.flatMap(row => Object.values(row.outcomes).map(outcome => outcome.tokens ?? 0)))),
    ]),
  )
}

/**
 * A robust line through few and unlike points: the median of the pairwise slopes (Theil and Sen), averaged with what is
 * expected in general, which also stands in where there are fewer than three points.
 */
function lineOf<T>(
  points: readonly { x: number; y: number }[],
  make: (at: number, slope: number) => T,
  expectedSlope: number,
): T {
  const slopes = points.flatMap((a, at) =>
    points.slice(at + 1).flatMap(b => (Math.abs(a.x - b.x) < 0.3 ? [] : [(b.y - a.y) / (b.x - a.x)])),
  )
  const slope = points.length < 3 ? expectedSlope : (median(slopes) + expectedSlope) / 2
  const at = points.length === 0 ? 0 : median(points.map(({ x, y }) => y - slope * x))
  return make(rounded(at), rounded(slope))
}

function sizeOf(name: string): number | undefined {
  const found = /(?:^|-)(?:(\d+)x)?(\d+)b(?:-|$)/.exec(name)
  return found === null ? undefined : Number(found[1] ?? 1) * Number(found[2])
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

function rounded(value: number): number {
  return Math.round(value * 1e5) / 1e5
}
