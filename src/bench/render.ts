import type { Standing } from './leaderboard.ts'
import type { Interval } from './statistics.ts'

/** The leaderboard for a terminal: standings first, then every category against every model. */
export function renderTable(standings: readonly Standing[]): string {
  if (standings.length === 0) return 'Nothing has been measured yet.'
  const head = ['', 'model', 'quality %', 'USD / 1000 tasks', 'tokens/s', 'first token', 'load', 'memory', 'items']
  const rows = standings.map((standing, index) => [String(index + 1), nameOf(standing), ...figures(standing)])
  const names = standings.map((_, index) => `#${index + 1}`)
  return `${aligned([head, ...rows])}\n\n${aligned([['pass rate %, 95 % interval', ...names], ...categoryRows(standings)])}`
}

/** The same as a Markdown document. */
export function renderMarkdown(standings: readonly Standing[], title: string): string {
  const table = (rows: string[][]) => {
    const [head, ...body] = rows.map(row => `| ${row.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    return [head, `|${' --- |'.repeat(rows[0]!.length)}`, ...body].join('\n')
  }
  const head = ['', 'model', 'quality %', 'USD / 1000 tasks', 'tokens/s', 'first token', 'load', 'memory', 'items']
  const rows = standings.map((standing, index) => [String(index + 1), nameOf(standing), ...figures(standing)])
  const firstTokens = standings.flatMap(standing =>
    standing.firstToken.map(({ promptTokensUpTo, medianMs, items }) => [
      nameOf(standing),
      promptTokensUpTo === Infinity ? 'longer' : `up to ${promptTokensUpTo}`,
      milliseconds(medianMs),
      String(items),
    ]),
  )
  return [
    `# ${title}`,
    'A task is passed when its code ran and its hidden tests passed, or a machine checked the answer. Intervals are 95 %.',
    table([head, ...rows]),
    '## By category',
    table([['category', ...standings.map(nameOf)], ...categoryRows(standings)]),
    '## Time to the first token by prompt length',
    table([['model', 'prompt tokens', 'median', 'items'], ...firstTokens]),
    '',
  ].join('\n\n')
}

/** A model's name, with how it was asked where that is not the default. */
export function nameOf({ provider, model, settings }: Pick<Standing, 'provider' | 'model' | 'settings'>): string {
  const { strategy } = JSON.parse(settings) as { strategy?: string }
  return `${provider}/${model}${strategy === undefined ? '' : ` (${strategy})`}`
}

function figures({
  quality,
  costUsdPerTask,
  tokensPerSecond,
  firstToken,
  loadSeconds,
  memoryBytes,
  items,
}: Standing): string[] {
  return [
    percent(quality),
    costUsdPerTask === null ? '?' : costUsdPerTask === 0 ? 'free' : (costUsdPerTask * 1_000).toPrecision(3),
    tokensPerSecond === null
      ? '?'
      : tokensPerSecond < 10
        ? tokensPerSecond.toFixed(1)
        : String(Math.round(tokensPerSecond)),
    firstToken[0] === undefined ? '?' : milliseconds(firstToken[0].medianMs),
    loadSeconds === null ? '?' : `${loadSeconds.toFixed(1)} s`,
    memoryBytes === null ? '?' : `${(memoryBytes / 2 ** 30).toFixed(1)} GiB`,
    String(items),
  ]
}

function categoryRows(standings: readonly Standing[]): string[][] {
  const categories = [...new Set(standings.flatMap(standing => standing.categories.map(({ category }) => category)))]
  return categories.map(category => [
    category,
    ...standings.map(standing => {
      const score = standing.categories.find(score => score.category === category)
      return score === undefined ? '–' : `${percent(score)} of ${score.tasks}`
    }),
  ])
}

const percent = ({ value, low, high }: Interval) =>
  `${Math.round(value * 100)} [${Math.round(low * 100)}–${Math.round(high * 100)}]`
const milliseconds = (ms: number) => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`)

function aligned(rows: readonly string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return rows
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
