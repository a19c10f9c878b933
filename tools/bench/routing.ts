import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { goalRow, renderReport, type Row } from '../../src/cli/rows.ts'
import { loadWeights } from '../../src/router/weights.ts'
import { calibrations } from '../routing/calibration.ts'
import { codingGate, exchangeNames, onlineGate } from '../routing/coding-gates.ts'
import { knobGate, type KnobGate } from '../routing/knob.ts'
import { localGate } from '../routing/local-gate.ts'
import type { OutcomeRow } from '../routing/outcomes.ts'
import { productOf, type QualityModel } from '../routing/product.ts'
import { savingsSvg } from '../routing/savings-svg.ts'
import { savingsOf } from '../routing/savings.ts'
import { foldsOf, readTables, splitOf, tableNames } from '../routing/tables.ts'
import { train } from '../routing/train.ts'
import { twoModelGate, type Trial, type TwoModelGate } from '../routing/two-model-gates.ts'
import { maskings, ratedGate, unlabelledGate } from '../routing/unlabelled.ts'
import { decisionTime } from './routing/decision-time.ts'
import { fleetRows } from './routing/fleet.ts'
import { kindRows } from './routing/kinds.ts'
import { askServed, largestDifference } from './routing/served.ts'
import { fewLabels, noLabels, trainSplits, trialsOf, unseenSubjects, type TrainedSplit } from './routing/trials.ts'

const usage =
  'usage: npm run bench:routing -- [--data DIR | --train DIR --test DIR] [--served URL] [--svg DIR] [--json]   (default --data ../shared/evaluation/routing)'

const values = readArguments()
const trainFolder = path.resolve(values.train ?? values.data ?? '../shared/evaluation/routing')
const testFolder = values.test === undefined ? undefined : path.resolve(values.test)
const absent = [trainFolder, testFolder].find(folder => folder !== undefined && !existsSync(folder))
if (absent !== undefined) {
  console.error(`skipped: there is no folder ${absent}`)
  process.stdout.write(`${renderReport([], values.json)}\n`)
} else {
  const rows = values.served === undefined ? allRows() : await servedRows(values.served)
  process.stdout.write(`${renderReport(rows, values.json)}\n`)
}

function allRows(): Row[] {
  // First: a router at work has trained nothing, and what training leaves in the heap and the compiler would be timed too.
  const times = timeRows()
  const tables = readTables(trainFolder)
  const tests = testFolder === undefined ? undefined : readTables(testFolder)
  const splits = timed('training on all tables', () =>
    trainSplits(tests === undefined ? foldsOf(tables) : [splitOf(tables, tests)]),
  )
  return [
    ...(tables.mmlu === undefined ? [] : mmluRows(tables.mmlu, tests?.mmlu, splits)),
    ...(tables.mmlu === undefined || tables.gsm8k === undefined
      ? []
      : gsm8kRows(tables.mmlu, tests?.gsm8k ?? tables.gsm8k, splits)),
    ...(tables.local9 === undefined ? [] : localRows(trialsOf(splits, 'local9'))),
    ...(tables.coding8 === undefined ? [] : codingRows(splits)),
    ...savingsRows(splits),
    ...unlabelledRows(splits),
    ...calibrationRows(splits),
    ...kindRows(),
    ...fleetRows(),
    ...times,
  ]
}

function mmluRows(
  mmlu: readonly OutcomeRow[],
  test: readonly OutcomeRow[] | undefined,
  splits: readonly TrainedSplit[],
): Row[] {
  const few = timed('mmlu, 1,500 labels', () => twoModelGate([0, 1, 2].map(seed => fewLabels(mmlu, test, seed))))
  const all = trialsOf(splits, 'mmlu')
  const full = timed('mmlu, all labels', () => twoModelGate([all]))
  const unseen = timed('mmlu, unseen subjects', () =>
    twoModelGate([0, 1, 2].map(seed => unseenSubjects(mmlu, test ?? mmlu, seed))),
  )
  return [
    apgrRow('mmlu_1500_apgr', few, 0.66),
    cptRow('mmlu_1500_cpt50', few, 'cpt50', 29),
    cptRow('mmlu_1500_cpt80', few, 'cpt80', 61),
    ...baselineRows('mmlu_1500_apgr', few),
    apgrRow('mmlu_full_apgr', full, 0.71),
    ...baselineRows('mmlu_full_apgr', full),
    apgrRow('mmlu_unseen_apgr', unseen, 0.62),
    ...baselineRows('mmlu_unseen_apgr', unseen),
    ...knobRows(timed('the knob', () => knobGate(all))),
  ]
}

function knobRows({ monotone, settings }: KnobGate): Row[] {
  const [shipped, ...others] = settings
  return [
    goalRow({ name: 'knob_monotone', value: monotone, unit: '1 = never lowered' }, 'at_least', 1),
    goalRow({ name: 'knob_vs_coin_low', value: shipped!.leadOverCoin.low, unit: 'score' }, 'above', 0),
    { name: 'knob_strong_share as shipped', value: shipped!.strongShare, unit: 'share' },
    ...others.flatMap(({ minQuality, strongShare, mean, leadOverCoin }) => [
      { name: `knob min_quality ${minQuality.toFixed(2)} strong share`, value: strongShare, unit: 'share' },
      { name: `knob min_quality ${minQuality.toFixed(2)} mean`, value: mean, unit: 'score' },
      { name: `knob min_quality ${minQuality.toFixed(2)} lead over coin`, unit: 'score', ...leadOverCoin },
    ]),
  ]
}

function gsm8kRows(mmlu: readonly OutcomeRow[], gsm8k: readonly OutcomeRow[], splits: readonly TrainedSplit[]): Row[] {
  const zero = timed('gsm8k, no labels', () => twoModelGate([noLabels(mmlu, gsm8k)]))
  const own = timed('gsm8k, own labels', () => twoModelGate([trialsOf(splits, 'gsm8k')]))
  return [
    apgrRow('gsm8k_zero_apgr', zero, 0.62),
    ...baselineRows('gsm8k_zero_apgr', zero),
    apgrRow('gsm8k_cv_apgr', own, 0.65),
    ...baselineRows('gsm8k_cv_apgr', own),
  ]
}

function localRows(trials: readonly Trial[]): Row[] {
  const gate = timed('local9', () => localGate(trials))
  const mean = (name: string) => gate.baselines.find(baseline => baseline.name === name)!.mean
  const best = mean('best_single')
  return [
    goalRow({ name: 'local9_mean', unit: 'score', ...gate.mean }, 'at_least', 0.66),
    { name: 'local9_kind_accuracy', value: gate.kindAccuracy, unit: 'share' },
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

function codingRows(splits: readonly TrainedSplit[]): Row[] {
  const gate = timed('coding8', () => codingGate(trialsOf(splits, 'coding8')))
  const streams = (change: (rows: readonly OutcomeRow[], fold: number) => readonly OutcomeRow[]) =>
    splits.map(({ train: { coding8 = [] }, test }, fold) => ({
      test: test.coding8 ?? [],
      weights: train({ coding8: change(coding8, fold) }),
    }))
  const right = timed('online, right prior', () => onlineGate(streams(rows => rows)))
  const wrong = timed('online, wrong prior', () => onlineGate(streams(exchangeNames)))
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
    ...right.repetitions.map((value, index) => ({ name: `online_right repetition ${index}`, value, unit: 'score' })),
    ...wrong.repetitions.map((value, index) => ({ name: `online_wrong repetition ${index}`, value, unit: 'score' })),
  ]
}

/**
 * `unlabelled_vs_random_low` and `unlabelled_regret` are the worst of all tables whose models can be told apart at all, for a caller who
 * asks for quality: with 'auto' a cheaper model that is good enough is what was asked for. Where nothing tells models apart, any choice
 * is as good as chance until answers are rated, which the rows about `nothing` show.
 */
function unlabelledRows(splits: readonly TrainedSplit[]): Row[] {
  const tables = tableNames.flatMap(name => {
    const trials = splits.flatMap(({ test, weights }) =>
      test[name] === undefined || test[name].length === 0 ? [] : [{ test: test[name], weights }],
    )
    return trials.length === 0 ? [] : [{ name, trials }]
  })
  const gates = tables.flatMap(({ name, trials }) =>
    maskings.flatMap(masking =>
      ['auto:quality', 'auto'].map(preset => ({
        name: `${name} ${masking}`,
        preset,
        masking,
        gate: timed(`unlabelled ${name} ${masking} ${preset}`, () => unlabelledGate(trials, masking, preset)),
      })),
    ),
  )
  const rated = tables.map(({ name, trials }) => ({
    title: `unlabelled ${name} nothing, each answer rated`,
    gate: timed(`unlabelled ${name}, rated`, () => ratedGate(trials)),
  }))
  const asked = gates.filter(({ preset, gate }) => preset === 'auto:quality' && gate.distinguishable)
  const leads = asked.map(({ gate }) => gate.baselines.find(({ name }) => name === 'random')!.lead.low)
  const regrets = asked.map(({ gate }) => gate.regret)
  return [
    goalRow({ name: 'unlabelled_vs_random_low', value: Math.min(...leads), unit: 'score' }, 'above', 0),
    goalRow({ name: 'unlabelled_regret', value: Math.max(...regrets), unit: 'score' }, 'at_most', 0.03),
    goalRow(
      {
        name: 'unlabelled_rated_vs_random_low',
        value: Math.min(...rated.map(({ gate }) => gate.lead.low)),
        unit: 'score',
      },
      'above',
      0,
    ),
    goalRow(
      { name: 'unlabelled_rated_regret', value: Math.max(...rated.map(({ gate }) => gate.regret)), unit: 'score' },
      'at_most',
      0.03,
    ),
    ...gates.flatMap(({ name, preset, gate }) => [
      { name: `unlabelled ${name} ${preset}`, unit: 'score', ...gate.mean },
      { name: `unlabelled ${name} ${preset} regret`, value: gate.regret, unit: 'score' },
      ...(gate.costShare === undefined
        ? []
        : [{ name: `unlabelled ${name} ${preset} cost`, value: gate.costShare, unit: 'of the best single' }]),
      ...gate.baselines.flatMap(baseline => [
        { name: `unlabelled ${name} ${baseline.name}`, value: baseline.mean, unit: 'score' },
        { name: `unlabelled ${name} ${preset} lead over ${baseline.name}`, unit: 'score', ...baseline.lead },
      ]),
    ]),
    ...rated.flatMap(({ title, gate: { mean, regret, lead } }) => [
      { name: title, unit: 'score', ...mean },
      { name: `${title} regret`, value: regret, unit: 'score' },
      { name: `${title} lead over random`, unit: 'score', ...lead },
    ]),
  ]
}

/** Cost saved against always asking the best single model, and what is left of its quality. */
function savingsRows(splits: readonly TrainedSplit[]): Row[] {
  return (['mmlu', 'gsm8k', 'coding8'] as const).flatMap(name => {
    const trials = trialsOf(splits, name)
    if (trials.length === 0) return []
    const savings = timed(`savings, ${name}`, () => savingsOf(trials))
    if (values.svg !== undefined) {
      mkdirSync(values.svg, { recursive: true })
      writeFileSync(path.join(values.svg, `routing-savings-${name}.svg`), savingsSvg(name, savings))
    }
    const { best, curve, savedAt } = savings
    const unit = `of always ${best}`
    return [
      ...savedAt.flatMap(({ kept, router, zeroRouter, lead }) => {
        const title = `saved ${name} at ${100 * kept} % quality`
        return [
          { name: title, unit: `of the cost ${unit}`, ...router },
          { name: `${title} zero_router`, unit: `of the cost ${unit}`, ...zeroRouter },
          { name: `${title} lead over zero_router`, unit: 'share', ...lead },
        ]
      }),
      ...curve.map(({ cost, kept }) => ({
        name: `kept ${name} at ${(100 * cost).toFixed(0)} % of the cost`,
        unit: `of the quality ${unit}`,
        ...kept,
      })),
    ]
  })
}

/** `ece_max` is the largest of whole tables; kinds of a few hundred predictions are printed beside it. */
function calibrationRows(splits: readonly TrainedSplit[]): Row[] {
  const all = timed('calibration', () =>
    tableNames.map(name => [name, calibrations(trialsOf(splits, name), name)] as const),
  )
  const groups = all.flatMap(([, list]) => list)
  const tables = groups.filter(([name]) => tableNames.some(table => table === name))
  return [
    goalRow(
      { name: 'ece_max', value: Math.max(...tables.map(([, { ece }]) => ece)), unit: 'probability' },
      'at_most',
      0.05,
    ),
    ...groups.flatMap(([name, { predictions, brier, constantBrier, ece }]) => [
      { name: `ece ${name}`, value: ece, unit: `probability, ${predictions} predictions` },
      { name: `brier ${name}`, value: brier, unit: 'squared error' },
      { name: `brier ${name} constant`, value: constantBrier, unit: 'squared error' },
    ]),
  ]
}

/** The weights that ship, asked in process and through the instance at `url`, about the same prompts. */
async function servedRows(url: string): Promise<Row[]> {
  const shipped = productOf(loadWeights().weights)
  const tables = readTables(testFolder ?? trainFolder)
  const rows: Row[] = []
  for (const name of ['mmlu', 'gsm8k'] as const) {
    const test = tables[name]
    if (test === undefined) continue
    const models = Object.keys(test[0]!.outcomes)
    const served = await askServed(url, test, models)
    const apgr = (product: QualityModel) => twoModelGate([[{ train: [], test, product }]])
    rows.push(apgrRow(`${name}_apgr served`, apgr(served)), apgrRow(`${name}_apgr in process`, apgr(shipped)), {
      name: `${name} largest difference`,
      value: largestDifference(test, served, shipped),
      unit: 'quality',
    })
  }
  return rows
}

function timeRows(): Row[] {
  const { p50, p99, cpu, loadMs } = timed('decision time', decisionTime)
  return [
    goalRow({ name: 'decide_p99_ms', value: p99, unit: 'ms, 500 candidates, 32 kB' }, 'at_most', 0.5),
    goalRow({ name: 'decide_p50_ms', value: p50, unit: 'ms, 500 candidates, 32 kB' }, 'at_most', 0.2),
    { name: 'decide_cpu_ms', value: cpu, unit: 'ms of processor time' },
    goalRow({ name: 'weights_load_ms', value: loadMs, unit: 'ms' }, 'at_most', 20),
  ]
}

function apgrRow(name: string, gate: TwoModelGate, goal?: number): Row {
  const row = { name, value: gate.router.apgr, unit: 'APGR', low: gate.low.apgr, high: gate.high.apgr }
  return goal === undefined ? row : goalRow(row, 'at_least', goal)
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
    ...gate.repetitions.map((metrics, index) => ({
      name: `${name} repetition ${index}`,
      value: metrics.apgr,
      unit: 'APGR',
    })),
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
        served: { type: 'string' },
        svg: { type: 'string' },
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
