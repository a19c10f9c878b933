import t from 'tap'
import { renderFrontier } from '../../src/bench/frontier.ts'
import { leaderboard, type Standing } from '../../src/bench/leaderboard.ts'
import { renderMarkdown, renderTable } from '../../src/bench/render.ts'
import type { Result } from '../../src/bench/results.ts'

const result = (more: Partial<Result>): Result => ({
  run: 'r',
  provider: 'here',
  model: 'm',
  digest: null,
  quantisation: null,
  contextTokens: null,
  settings: '{}',
  suite: 'sql',
  suiteVersion: 1,
  task: 'sql/a',
  difficulty: 'easy',
  repetition: 1,
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
const measured = (model: string, passed: number, costUsd: number | null, more: Partial<Result> = {}) =>
  Array.from({ length: 10 }, (_, index) =>
    result({ model, task: `sql/${index}`, passed: index < passed, costUsd, ...more }),
  )

t.test('standings are ordered by quality, categories weighing alike', async t => {
  const standings = leaderboard([
    ...measured('half', 5, 0),
    ...measured('all', 10, 0.25),
    ...measured('all', 5, 0.25, { suite: 'tool-calls' }).slice(0, 5),
  ])
  t.match(standings, [
    { model: 'all', quality: { value: 1 }, costUsdPerTask: 0.25, items: 15 },
    { model: 'half', quality: { value: 0.5 }, costUsdPerTask: 0 },
  ])
  t.ok(standings.every(({ quality }) => quality.low < quality.value && quality.value <= quality.high))
})

t.test('time to the first token is told by prompt length', async t => {
  const [standing] = leaderboard([
    result({}),
    result({ task: 'sql/b', firstTokenMs: 40 }),
    result({ task: 'sql/c', promptTokens: 9_000, firstTokenMs: 900 }),
  ])
  t.strictSame(standing!.firstToken, [
    { promptTokensUpTo: 512, medianMs: 30, items: 2 },
    { promptTokensUpTo: 32_768, medianMs: 900, items: 1 },
  ])
})

t.test('load time and memory are the most that was seen, and unknown stays unknown', async t => {
  const [told] = leaderboard([
    result({ loadSeconds: 4, memoryBytes: 2 ** 30 }),
    result({ task: 'sql/b', loadSeconds: 0 }),
  ])
  t.match(told, { loadSeconds: 4, memoryBytes: 2 ** 30 })
  t.match(leaderboard([result({ costUsd: null })]), [{ loadSeconds: null, memoryBytes: null, costUsdPerTask: null }])
})

const standings = leaderboard([
  ...measured('local', 4, 0),
  ...measured('cheap', 6, 0.0004),
  ...measured('dear & "strong"', 9, 0.02),
  ...measured('wasteful', 5, 0.01),
  ...measured('unpriced', 7, null),
])

t.test('the table is aligned and names every model and category', async t => {
  const lines = renderTable(standings).split('\n')
  t.equal(new Set(lines.slice(0, 6).map(line => line.search(/quality|\d+ \[/))).size, 1, 'one column, one place')
  t.match(lines[1], /^1 {2}here\/dear & "strong" +90 \[60–98\] +20\.0 +100 +20 ms/)
  t.match(
    lines.find(line => line.startsWith('sql')),
    /90 \[60–98\] of 10/,
  )
  t.equal(renderTable([]), 'Nothing has been measured yet.')
})

t.test('Markdown keeps its cells apart', async t => {
  const [piped] = leaderboard([result({ model: 'a|b' })])
  t.match(renderMarkdown([piped!], 'Leaderboard'), /\| here\/a\\\|b \|/)
})

t.test('the frontier goes through the models that no cheaper one matches', async t => {
  const svg = renderFrontier(standings, 'Quality & cost')
  t.match(svg, /Quality &#38; cost/)
  t.notMatch(svg, /NaN|undefined|Infinity/)
  t.equal(svg.match(/<circle/g)?.length, 4, 'a dot for each model whose cost is known')
  t.equal(svg.match(/<circle[^>]*fill="#0969da"/g)?.length, 3, 'the wasteful one is not on it')
  const none: Standing[] = []
  t.notMatch(renderFrontier(none, 'Empty'), /NaN|Infinity/)
})
