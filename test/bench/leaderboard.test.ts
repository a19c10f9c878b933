import t from 'tap'
import { renderFrontier } from '../../src/bench/frontier.ts'
import { leaderboard, type LeaderboardRow } from '../../src/bench/leaderboard.ts'
import { renderMarkdown, renderTable } from '../../src/bench/render.ts'
import { reportOf } from '../../src/bench/report.ts'
import type { BenchmarkResult } from '../../src/bench/results.ts'
import { seeded } from './seeded.ts'

const result = (more: Partial<BenchmarkResult>): BenchmarkResult => ({
  run: 'r',
  provider: 'here',
  model: 'm',
  digest: null,
  quantization: null,
  contextTokens: null,
  settings: '{}',
  suite: 'sql',
  suiteVersion: 1,
  task: 'sql/a',
  difficulty: 'easy',
  repetition: 1,
  predicted: null,
  passed: true,
  reason: null,
  promptTokens: 100,
  completionTokens: 50,
  costUsd: 0,
  firstTokenMs: 20,
  totalMs: 520,
  tokensPerSecond: 100,
  loadSeconds: null,
  memoryBytes: null,
  at: 1,
  ...more,
})
const measured = (model: string, passed: number, costUsd: number | null, more: Partial<BenchmarkResult> = {}) =>
  Array.from({ length: 10 }, (_, index) =>
    result({ model, task: `sql/${index}`, passed: index < passed, costUsd, ...more }),
  )

t.test('the leaderboard is sorted by quality with equal weight per category', async t => {
  const leaders = leaderboard([
    ...measured('half', 5, 0),
    ...measured('all', 10, 0.25),
    ...measured('all', 5, 0.25, { suite: 'tool-calls' }).slice(0, 5),
  ])
  t.match(leaders, [
    { model: 'all', quality: { value: 1 }, costUsdPerTask: 0.25, items: 15 },
    { model: 'half', quality: { value: 0.5 }, costUsdPerTask: 0 },
  ])
  t.ok(leaders.every(({ quality }) => quality.low < quality.value && quality.value <= quality.high))
})

t.test('time to first token is reported by prompt length', async t => {
  const [leader] = leaderboard([
    result({}),
    result({ task: 'sql/b', firstTokenMs: 40 }),
    result({ task: 'sql/c', promptTokens: 9_000, firstTokenMs: 900 }),
  ])
  t.strictSame(leader!.firstToken, [
    { promptTokensUpTo: 512, medianMs: 30, items: 2 },
    { promptTokensUpTo: 32_768, medianMs: 900, items: 1 },
  ])
})

t.test('load time and memory are the maxima observed, and unknown values stay unknown', async t => {
  const [told] = leaderboard([
    result({ loadSeconds: 4, memoryBytes: 2 ** 30 }),
    result({ task: 'sql/b', loadSeconds: 0 }),
  ])
  t.match(told, { loadSeconds: 4, memoryBytes: 2 ** 30 })
  t.match(leaderboard([result({ costUsd: null })]), [{ loadSeconds: null, memoryBytes: null, costUsdPerTask: null }])
})

const everything = [
  ...measured('local', 4, 0),
  ...measured('cheap', 6, 0.0004),
  ...measured('dear & "strong"', 9, 0.02),
  ...measured('wasteful', 5, 0.01),
  ...measured('unpriced', 7, null),
]
const report = reportOf(everything, seeded(1))
const { leaders } = report

t.test('the table is aligned and names every model and category', async t => {
  const lines = renderTable(report).split('\n')
  t.equal(new Set(lines.slice(0, 6).map(line => line.search(/quality|\d+ \[/))).size, 1, 'columns are aligned')
  t.match(lines[1], /^1 {2}here\/dear & "strong" +90 \[60–98\] +20\.0 +100 +20 ms/)
  t.match(
    lines.find(line => line.startsWith('sql')),
    /90 \[60–98\] of 10/,
  )
  t.equal(renderTable(reportOf([], seeded(1))), 'Nothing has been measured yet.')
})

t.test('a narrow terminal gets shorter names, fewer columns and one block of models after another', async t => {
  const long = everything.map(result => ({ ...result, model: `a-model-with-a-rather-long-name-${result.model}` }))
  for (const width of [80, 120]) {
    const table = renderTable(reportOf(long, seeded(1)), { width })
    for (const line of table.split('\n')) t.ok(line.length <= width, line)
    for (const place of ['#1', '#2', '#3', '#4', '#5']) t.match(table, new RegExp(`^pass rate.* ${place}`, 'm'), place)
    t.match(table, /^1 +….*strong" +90 \[60–98\]/m)
  }
  const bold = (text: string) => `<${text}>`
  t.match(renderTable(report, { bold }), /^< +model .*>\n1 /)
})

t.test('each model is compared with the next one on the tasks given to both', async t => {
  t.match(report.leads, [
    { ahead: { model: 'dear & "strong"' }, behind: { model: 'unpriced' }, value: 0.2, tasks: 10, onlyFirst: 2 },
    { behind: { model: 'cheap' } },
    { behind: { model: 'wasteful' } },
    { behind: { model: 'local' } },
  ])
  t.match(renderTable(report), /^#1 before #2 +\+20 \[\+0 to \+\d+\] +10 \(2 : 0\) +0\.500$/m)
})

t.test('predictions are compared with results, per category and overall', async t => {
  const expected = reportOf(
    [...measured('m', 5, 0, { predicted: 0.9 }), ...measured('n', 5, 0, { predicted: 0.5, suite: 'editing' })],
    seeded(1),
  )
  const rounded = expected.calibration.map(({ category, count, predicted, passed, brier, error, bins }) =>
    [category, count, ...[predicted, passed, brier, error].map(value => value.toFixed(2)), bins.length].join(' '),
  )
  t.same(rounded, ['sql 10 0.90 0.50 0.41 0.40 1', 'editing 10 0.50 0.50 0.25 0.00 1', 'all 20 0.70 0.50 0.33 0.20 2'])
  t.match(renderTable(expected), /^sql +90 +50 +0\.410 +0\.400 +10$/m)
  t.match(renderMarkdown(expected, 'Leaderboard'), /Reliability of its predictions[^]*\| 90 \| 50 \[24–76\] \| 10 \|/)
  t.same(report.calibration, [], 'there were no predictions')
})

t.test('Markdown keeps its cells apart', async t => {
  const piped = reportOf([result({ model: 'a|b' })], seeded(1))
  t.match(renderMarkdown(piped, 'Leaderboard'), /\| here\/a\\\|b \|/)
})

t.test('the frontier connects the models that no cheaper one matches', async t => {
  const svg = renderFrontier(leaders, 'Quality & cost')
  t.match(svg, /Quality &#38; cost/)
  t.notMatch(svg, /NaN|undefined|Infinity/)
  t.equal(svg.match(/<circle/g)?.length, 4, 'a dot for each model whose cost is known')
  t.equal(svg.match(/<circle class="best"/g)?.length, 3, 'the wasteful one is not on it')
  const none: LeaderboardRow[] = []
  t.notMatch(renderFrontier(none, 'Empty'), /NaN|Infinity/)
})
