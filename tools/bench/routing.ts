import { existsSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { codingGate, onlineGate } from '../routing/coding-gates.ts'
import { localGate } from '../routing/local-gate.ts'
import { readOutcomes, type OutcomeRow } from '../routing/outcomes.ts'
import { folds, type Split } from '../routing/splits.ts'
import {
  adapted,
  allLabels,
  fewLabels,
  otherKind,
  strongerOf,
  strongFirst,
  unseenGroups,
  type TwoModelGate,
} from '../routing/two-model-gates.ts'
import { decisionTime } from './routing/decision-time.ts'
import { goalRow, renderReport, type Row } from '../../src/cli/rows.ts'

const usage =
  'usage: npm run bench:routing -- [--data DIR | --train DIR --test DIR] [--json]   (default --data ../shared/evaluation/routing)'

const values = readArguments()
const trainFolder = path.resolve(values.train ?? values.data ?? '../shared/evaluation/routing')
const testFolder = values.test === undefined ? undefined : path.resolve(values.test)
const absent = [trainFolder, testFolder].find(folder => folder !== undefined && !existsSync(folder))
if (absent !== undefined) {
  console.error(`skipped: there is no folder ${absent}`)
  process.stdout.write(`${renderReport([], values.json)}\n`)
} else {
  process.stdout.write(`${renderReport(allRows(), values.json)}\n`)
}

function allRows(): Row[] {
  // First: a router at work has trained nothing, and what training leaves in the heap and the compiler would be timed too.
  const times = timeRows()
  const mmlu = withStrongFirst(table('mmlu'))
  const gsm8k = withStrongFirst(table('gsm8k'))
  const local9 = table('local9')
  const coding8 = table('coding8')
  return [
    ...(mmlu === undefined ? [] : mmluRows(mmlu)),
    ...(mmlu === undefined || gsm8k === undefined ? [] : gsm8kRows(mmlu, gsm8k)),
    ...(local9 === undefined ? [] : localRows(local9)),
    ...(coding8 === undefined ? [] : codingRows(coding8)),
    ...times,
  ]
}

interface Table {
  train: OutcomeRow[]
  /** Undefined when the training rows are to be cross-validated. */
  test: OutcomeRow[] | undefined
  splits: Split[]
}

function table(name: string): Table | undefined {
  const train = readOutcomes(trainFolder, name)
  const test = testFolder === undefined ? undefined : readOutcomes(testFolder, name)
  if (train === undefined || (testFolder !== undefined && test === undefined)) {
    console.error(`skipped: ${name}.jsonl.gz is absent`)
    return undefined
  }
  return { train, test, splits: test === undefined ? folds(train) : [{ train, test }] }
}

/** The stronger of two models by the training rows, whatever the order in which a row names them. */
function withStrongFirst(rows: Table | undefined): Table | undefined {
  if (rows === undefined) return undefined
  const strong = strongerOf(rows.train)
  const order = (part: readonly OutcomeRow[]) => strongFirst(part, strong)
  return {
    train: order(rows.train),
    test: rows.test === undefined ? undefined : order(rows.test),
    splits: rows.splits.map(({ train, test }) => ({ train: order(train), test: order(test) })),
  }
}

function mmluRows({ train, test, splits }: Table): Row[] {
  const few = timed('mmlu, 1,500 labels', () => fewLabels(train, test))
  const full = timed('mmlu, all labels', () => allLabels(splits))
  const unseen = timed('mmlu, unseen subjects', () => unseenGroups({ train, test: test ?? train }))
  return [
    apgrRow('mmlu_1500_apgr', few, 0.66),
    cptRow('mmlu_1500_cpt50', few, 'cpt50', 29),
    cptRow('mmlu_1500_cpt80', few, 'cpt80', 61),
    ...baselineRows('mmlu_1500_apgr', few),
    apgrRow('mmlu_full_apgr', full, 0.71),
    ...baselineRows('mmlu_full_apgr', full),
    apgrRow('mmlu_unseen_apgr', unseen, 0.62),
    ...baselineRows('mmlu_unseen_apgr', unseen),
  ]
}

function gsm8kRows(mmlu: Table, gsm8k: Table): Row[] {
  const zero = timed('gsm8k, no labels', () => otherKind(mmlu.train, gsm8k.test ?? gsm8k.train))
  const own = timed('gsm8k, cross-validated', () => adapted(mmlu.train, gsm8k.splits))
  return [
    apgrRow('gsm8k_zero_apgr', zero, 0.62),
    ...baselineRows('gsm8k_zero_apgr', zero),
    apgrRow('gsm8k_cv_apgr', own, 0.65),
    ...baselineRows('gsm8k_cv_apgr', own),
  ]
}

function localRows({ splits }: Table): Row[] {
  const gate = timed('local9', () => localGate(splits))
  const mean = (name: string) => gate.baselines.find(baseline => baseline.name === name)!.mean
  const best = mean('best_single')
  return [
    goalRow({ name: 'local9_mean', unit: 'score', ...gate.mean }, 'at_least', 0.63),
    { name: 'local9_category_accuracy', value: gate.categoryAccuracy, unit: 'share' },
    {
      name: 'local9_oracle_gain_share',
      value: (gate.mean.value - best) / (mean('oracle') - best),
      unit: 'share of the oracle’s gain',
    },
    ...gate.baselines.flatMap(({ name, mean, lead }) => [
      { name: `local9_mean ${name}`, value: mean, unit: 'score' },
      { name: `local9_mean lead over ${name}`, unit: 'score', ...lead },
    ]),
  ]
}

function codingRows({ splits }: Table): Row[] {
  const gate = timed('coding8', () => codingGate(splits))
  const right = timed('online, right prior', () => onlineGate(splits, true))
  const wrong = timed('online, wrong prior', () => onlineGate(splits, false))
  const perTasks = 'USD per 2,919 tasks'
  return [
    goalRow({ name: 'coding8_mean', unit: 'score', ...gate.mean }, 'at_least', 0.52),
    goalRow({ name: 'coding8_cost_at_5014', value: gate.costAtTarget, unit: perTasks }, 'at_most', 4.7),
    { name: 'coding8_cost_of_mean', value: gate.totalCost, unit: perTasks },
    { name: 'coding8_aiq', value: gate.aiq, unit: 'score' },
    ...gate.baselines.flatMap(({ name, mean, lead, costAtTarget, aiq }) => [
      { name: `coding8_mean ${name}`, value: mean, unit: 'score' },
      { name: `coding8_mean lead over ${name}`, unit: 'score', ...lead },
      ...(Number.isFinite(costAtTarget)
        ? [{ name: `coding8_cost_at_5014 ${name}`, value: costAtTarget, unit: perTasks }]
        : []),
      ...(Number.isFinite(aiq) ? [{ name: `coding8_aiq ${name}`, value: aiq, unit: 'score' }] : []),
    ]),
    goalRow({ name: 'online_right', unit: 'score', ...right.mean }, 'at_least', 0.51),
    goalRow({ name: 'online_wrong', unit: 'score', ...wrong.mean }, 'at_least', 0.45),
    ...right.repetitions.map((value, at) => ({ name: `online_right repetition ${at}`, value, unit: 'score' })),
    ...wrong.repetitions.map((value, at) => ({ name: `online_wrong repetition ${at}`, value, unit: 'score' })),
  ]
}

function timeRows(): Row[] {
  const { p50, p99, loadMs } = timed('decision time', decisionTime)
  return [
    goalRow({ name: 'decide_p99_ms', value: p99, unit: 'ms, 500 candidates, 32 kB' }, 'at_most', 0.5),
    { name: 'decide_p50_ms', value: p50, unit: 'ms, 500 candidates, 32 kB' },
    goalRow({ name: 'weights_load_ms', value: loadMs, unit: 'ms' }, 'at_most', 20),
  ]
}

function apgrRow(name: string, gate: TwoModelGate, goal: number): Row {
  return goalRow(
    { name, value: gate.router.apgr, unit: 'APGR', low: gate.low.apgr, high: gate.high.apgr },
    'at_least',
    goal,
  )
}

function cptRow(name: string, gate: TwoModelGate, metric: 'cpt50' | 'cpt80', goal: number): Row {
  return goalRow(
    { name, value: gate.router[metric], unit: '%', low: gate.low[metric], high: gate.high[metric] },
    'at_most',
    goal,
  )
}

function baselineRows(name: string, gate: TwoModelGate): Row[] {
  return [
    ...gate.repetitions.map((metrics, at) => ({ name: `${name} repetition ${at}`, value: metrics.apgr, unit: 'APGR' })),
    ...gate.baselines.flatMap(baseline => [
      { name: `${name} ${baseline.name}`, value: baseline.metrics.apgr, unit: 'APGR' },
      { name: `${name} lead over ${baseline.name}`, unit: 'APGR', ...baseline.lead },
    ]),
  ]
}

function timed<T>(what: string, work: () => T): T {
  const start = performance.now()
  const result = work()
  console.error(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`)
  return result
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        data: { type: 'string' },
        train: { type: 'string' },
        test: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    })
    if (
      (values.train === undefined) !== (values.test === undefined) ||
      (values.data !== undefined && values.train !== undefined)
    ) {
      throw new Error('Give either --data, or --train together with --test.')
    }
    return values
  } catch (error) {
    console.error(`${(error as Error).message} ${usage}`)
    return process.exit(2)
  }
}
