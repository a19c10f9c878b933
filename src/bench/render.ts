import type { LeaderboardRow } from './leaderboard.ts'
import type { Report } from './report.ts'
import type { Interval } from './statistics.ts'

export interface Terminal {
  /** Columns; unlimited when the output is not a terminal. */
  width?: number
  bold?: (text: string) => string
}

/** A report for a terminal: the leaderboard, then every category by model, then the comparisons and the calibration. */
export function renderTable({ leaders, leads, calibration }: Report, terminal: Terminal = {}): string {
  if (leaders.length === 0) return 'Nothing has been measured yet.'
  const { width = Infinity } = terminal
  const tables = [
    narrowed(leaderboardRows(leaders), width),
    ...inBlocks(categoryRows(leaders), width),
    ...(leads.length === 0 ? [] : [leadRows(leads)]),
    ...(calibration.length === 0 ? [] : [calibrationRows(calibration)]),
  ]
  return tables.map(rows => aligned(rows, terminal)).join('\n\n')
}

/** The same as a Markdown document, with all details. */
export function renderMarkdown({ leaders, leads, calibration }: Report, title: string): string {
  const firstTokens = leaders.flatMap(leader =>
    leader.firstToken.map(({ promptTokensUpTo, medianMs, items }) => [
      nameOf(leader),
      promptTokensUpTo === Infinity ? 'longer' : `up to ${promptTokensUpTo}`,
      milliseconds(medianMs),
      String(items),
    ]),
  )
  const section = (heading: string, rows: string[][]) => (rows.length < 2 ? [] : [`## ${heading}`, markdown(rows)])
  const all = calibration.at(-1)
  return [
    `# ${title}`,
    'A task is passed when its code ran and its hidden tests passed, or a machine checked the answer. Intervals are 95 %.',
    markdown(leaderboardRows(leaders)),
    ...section('By category', categoryRows(leaders, nameOf)),
    ...section('Leads', leadRows(leads)),
    ...section('Time to the first token by prompt length', [
      ['model', 'prompt tokens', 'median', 'items'],
      ...firstTokens,
    ]),
    ...section('Router predictions, before each item', calibrationRows(calibration)),
    ...section('Reliability of its predictions', [
      ['predicted %', 'passed %', 'items'],
      ...(all?.bins ?? []).map(bin => [String(Math.round(bin.predicted * 100)), percent(bin), String(bin.count)]),
    ]),
    '',
  ].join('\n\n')
}

/** A model's name, with its settings unless they are the default. */
export function nameOf(leader: Pick<LeaderboardRow, 'provider' | 'model' | 'settings'>): string {
  const strategy = strategyNameOf(leader)
  return `${leader.provider}/${leader.model}${strategy === undefined ? '' : ` (${strategy})`}`
}

/** The prompting strategy used for a model. */
export function strategyNameOf({ settings }: Pick<LeaderboardRow, 'settings'>): string | undefined {
  return (JSON.parse(settings) as { strategy?: string }).strategy
}

function leaderboardRows(leaders: readonly LeaderboardRow[]): string[][] {
  const head = ['', 'model', 'quality %', 'USD/1000', 'tokens/s', 'first token', 'load', 'memory', 'items']
  return [head, ...leaders.map((leader, index) => [String(index + 1), nameOf(leader), ...figures(leader)])]
}

function figures({
  quality,
  costUsdPerTask,
  tokensPerSecond,
  firstToken,
  loadSeconds,
  memoryBytes,
  items,
}: LeaderboardRow): string[] {
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
    memoryBytes === null ? '?' : bytes(memoryBytes),
    String(items),
  ]
}

function categoryRows(
  leaders: readonly LeaderboardRow[],
  name: (leader: LeaderboardRow, index: number) => string = (_, index) => `#${index + 1}`,
): string[][] {
  const categories = [...new Set(leaders.flatMap(leader => leader.categories.map(({ category }) => category)))]
  return [
    ['pass rate %', ...leaders.map(name)],
    ...categories.map(category => [
      category,
      ...leaders.map(leader => {
        const score = leader.categories.find(score => score.category === category)
        return score === undefined ? '–' : `${percent(score)} of ${score.tasks}`
      }),
    ]),
  ]
}

function leadRows(leads: Report['leads']): string[][] {
  const rows = leads.map(({ value, low, high, tasks, onlyFirst, onlySecond, p }, index) => [
    `#${index + 1} before #${index + 2}`,
    `${points(value)} [${points(low)} to ${points(high)}]`,
    `${tasks} (${onlyFirst} : ${onlySecond})`,
    p < 0.001 ? '< 0.001' : p.toFixed(3),
  ])
  return [['lead', 'points on the same tasks', 'tasks (only one passed)', 'p'], ...rows]
}

function calibrationRows(calibration: Report['calibration']): string[][] {
  const rows = calibration.map(({ category, count, predicted, passed, brier, error }) => [
    category,
    String(Math.round(predicted * 100)),
    String(Math.round(passed * 100)),
    brier.toFixed(3),
    error.toFixed(3),
    String(count),
  ])
  return [['router', 'predicted %', 'passed %', 'Brier', 'ECE', 'items'], ...rows]
}

const percent = ({ value, low, high }: Interval) =>
  `${Math.round(value * 100)} [${Math.round(low * 100)}–${Math.round(high * 100)}]`
const points = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(Math.round(value * 100))}`
const milliseconds = (ms: number) => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`)
const bytes = (count: number) =>
  count < 2 ** 30 ? `${Math.ceil(count / 2 ** 20)} MiB` : `${(count / 2 ** 30).toFixed(1)} GiB`

const minNameWidth = 16
/** What a narrow terminal can do without first. */
const dispensable = ['memory', 'load', 'items', 'first token']

/** Names shortened, then columns left out, until the rows fit. */
function narrowed(rows: readonly string[][], width: number): string[][] {
  const excess = widthOf(rows) - width
  if (excess <= 0) return [...rows]
  const longest = Math.max(...rows.map(row => row[1]!.length))
  const room = longest - excess
  const gone = rows[0]!.indexOf(dispensable.find(name => rows[0]!.includes(name)) ?? 'none')
  if (room >= Math.min(longest, minNameWidth) || gone < 0) {
    return rows.map(([place, name, ...rest]) => [place!, shortened(name!, Math.max(room, minNameWidth)), ...rest])
  }
  return narrowed(
    rows.map(row => row.toSpliced(gone, 1)),
    width,
  )
}

/** The end of a name is more informative than its start: it has the size and the quantization. */
function shortened(name: string, length: number): string {
  return name.length <= length ? name : `…${name.slice(1 - length)}`
}

/** As many columns beside one another as fit, the first repeated before each block. */
function inBlocks(rows: readonly string[][], width: number): string[][][] {
  const count = rows[0]!.length - 1
  const part = (from: number, to: number) => rows.map(row => [row[0]!, ...row.slice(from + 1, to + 1)])
  const blocks: string[][][] = []
  for (let from = 0; from < count;) {
    let to = count
    while (to > from + 1 && widthOf(part(from, to)) > width) to--
    blocks.push(part(from, to))
    from = to
  }
  return blocks
}

const gap = 2

function widthsOf(rows: readonly string[][]): number[] {
  return rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
}

function widthOf(rows: readonly string[][]): number {
  return widthsOf(rows).reduce((sum, width) => sum + width + gap, -gap)
}

function aligned(rows: readonly string[][], { bold = text => text }: Terminal): string {
  const widths = widthsOf(rows)
  const [head, ...body] = rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join(' '.repeat(gap))
      .trimEnd(),
  )
  return [bold(head!), ...body].join('\n')
}

function markdown(rows: readonly string[][]): string {
  const [head, ...body] = rows.map(row => `| ${row.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`)
  return [head, `|${' --- |'.repeat(rows[0]!.length)}`, ...body].join('\n')
}
