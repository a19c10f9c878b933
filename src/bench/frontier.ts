import type { LeaderboardRow } from './leaderboard.ts'
import { nameOf } from './render.ts'

const width = 960
const plot = { left: 84, right: 600, top: 64, bottom: 440 }
/** Between two dots, so that their numbers and intervals do not touch; less where there are very many. */
const widestPitch = 20
const legend = { left: plot.right + 28, top: plot.top + 10, lineHeight: 19 }
const longestName = 39

interface Dot {
  leader: LeaderboardRow
  /** As in the leaderboard, from 1. */
  place: number
  /** USD for 1,000 tasks. */
  cost: number
  /** No cheaper model is as good. */
  best: boolean
  x: number
}

/**
 * Quality against cost as SVG: a numbered dot with its 95 % interval for each model whose cost is known, and the frontier: the
 * models that no cheaper one matches. It follows the reader's light or dark colours.
 */
export function renderFrontier(leaders: readonly LeaderboardRow[], title: string): string {
  const priced = leaders
    .flatMap((leader, index) =>
      leader.costUsdPerTask === null ? [] : [{ leader, place: index + 1, cost: leader.costUsdPerTask * 1_000 }],
    )
    .sort((a, b) => a.cost - b.cost || a.place - b.place)
  const pitch = Math.min(widestPitch, (plot.right - plot.left) / (priced.length + 6))
  const axis = costAxis(
    priced.map(({ cost }) => cost),
    pitch,
  )
  const dots = priced.reduce<Dot[]>((done, { leader, place, cost }) => {
    const reached = Math.max(-1, ...done.map(dot => dot.leader.quality.value))
    // Dots that would hide one another stand side by side, the cheaper one first.
    const x = Math.max(axis.xOf(cost), (done.at(-1)?.x ?? -Infinity) + pitch)
    return [...done, { leader, place, cost, x, best: leader.quality.value > reached }]
  }, [])
  const rows = [...dots].sort((a, b) => a.place - b.place)
  const height = Math.max(plot.bottom + 72, legend.top + rows.length * legend.lineHeight + 12)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${at(height)}" font-family="system-ui, sans-serif" font-size="13" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${style}</style>`,
    `<rect class="paper" width="${width}" height="${at(height)}"/>`,
    `<text class="ink" x="${plot.left}" y="34" font-size="18" font-weight="600">${escaped(title)}</text>`,
    ...[0, 0.25, 0.5, 0.75, 1].map(
      share =>
        line('grid', plot.left, yOf(share), plot.right, yOf(share)) +
        label('soft', plot.left - 10, yOf(share) + 4, `${share * 100} %`, 'end'),
    ),
    ...axis.ticks.map(
      ({ x, text }) => line('grid', x, plot.top, x, plot.bottom) + label('soft', x, plot.bottom + 20, text, 'middle'),
    ),
    axis.free === undefined ? '' : label('soft', axis.free, plot.bottom + 20, 'free', 'start'),
    label('soft', (plot.left + plot.right) / 2, plot.bottom + 48, axis.title, 'middle'),
    `<g transform="translate(22 ${(plot.top + plot.bottom) / 2}) rotate(-90)">${label('soft', 0, 0, 'quality: mean pass rate of the categories, 95 % interval', 'middle')}</g>`,
    frontierLine(dots),
    ...dots.map(dot => drawn(dot)),
    ...rows.map((dot, row) => {
      const y = legend.top + row * legend.lineHeight
      const kind = dot.best ? 'best' : 'other'
      return (
        label(kind, legend.left, y, String(dot.place), 'end') +
        label('ink', legend.left + 8, y, shortened(nameOf(dot.leader)), 'start')
      )
    }),
    '</svg>\n',
  ].join('\n')
}

const style = `
.paper{fill:#ffffff}.ink{fill:#1b1f24}.soft{fill:#57606a}.grid{stroke:#e4e7eb}
.best{fill:#0969da;font-weight:600}.other{fill:#6e7781}line.best,path.best{stroke:#0969da}line.other{stroke:#8c959f}
.mark{paint-order:stroke;stroke:#ffffff;stroke-width:4px}
@media (prefers-color-scheme: dark){
.paper{fill:#0d1117}.ink{fill:#e6edf3}.soft{fill:#9198a1}.grid{stroke:#2a313c}
.best{fill:#58a6ff}.other{fill:#9198a1}line.best,path.best{stroke:#58a6ff}line.other{stroke:#6e7681}
.mark{stroke:#0d1117}}
`

interface CostAxis {
  xOf: (cost: number) => number
  ticks: { x: number; text: string }[]
  /** Where the free models begin; they stand on the left, for a logarithmic axis has no zero. */
  free: number | undefined
  title: string
}

/** @param costs ascending */
function costAxis(costs: readonly number[], pitch: number): CostAxis {
  const paid = costs.filter(cost => cost > 0)
  const freeX = plot.left + pitch
  const free = costs.length > paid.length ? freeX - 8 : undefined
  if (paid.length === 0) return { xOf: () => freeX, ticks: [], free, title: 'all of them are free' }
  const low = 10 ** Math.floor(Math.log10(paid[0]!) + 1e-9)
  const high = Math.max(10 ** Math.ceil(Math.log10(paid.at(-1)!) - 1e-9), low * 10)
  const left = plot.left + (costs.length - paid.length) * pitch + 2 * pitch
  const right = plot.right - pitch
  const xOf = (cost: number) =>
    cost <= 0 ? freeX : left + ((right - left) * Math.log(cost / low)) / Math.log(high / low)
  const decades = Array.from({ length: Math.round(Math.log10(high / low)) + 1 }, (_, index) => low * 10 ** index)
  const ticks = decades.map(cost => ({ x: xOf(cost), text: `$${Number(cost.toPrecision(2))}` }))
  return { xOf, ticks, free, title: 'cost of 1,000 tasks in USD, logarithmic' }
}

function yOf(quality: number): number {
  return plot.bottom - (plot.bottom - plot.top) * quality
}

function frontierLine(dots: readonly Dot[]): string {
  const steps = dots
    .filter(({ best }) => best)
    .map(({ x, leader }, index) => {
      const y = at(yOf(leader.quality.value))
      return index === 0 ? `M${at(x)} ${y}` : `H${at(x)}V${y}`
    })
  if (steps.length === 0) return ''
  return `<path class="best" d="${steps.join('')}H${plot.right}" fill="none" style="fill:none" stroke-width="1.5" stroke-dasharray="6 4"/>`
}

function drawn({ leader: { quality }, place, best, x }: Dot): string {
  const kind = best ? 'best' : 'other'
  return [
    line(kind, x, yOf(quality.high), x, yOf(quality.low), 2),
    `<circle class="${kind}" cx="${at(x)}" cy="${at(yOf(quality.value))}" r="5.5"/>`,
    label(`${kind} mark`, x, yOf(quality.high) - 5, String(place), 'middle'),
  ].join('')
}

function line(kind: string, x1: number, y1: number, x2: number, y2: number, thickness = 1): string {
  return `<line class="${kind}" x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" stroke-width="${thickness}"/>`
}

function label(kind: string, x: number, y: number, words: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text class="${kind}" x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${escaped(words)}</text>`
}

const at = (value: number) => String(Math.round(value * 10) / 10)
const shortened = (name: string) => (name.length > longestName ? `…${name.slice(1 - longestName)}` : name)
const escaped = (text: string) => text.replace(/[&<>"]/g, letter => `&#${letter.charCodeAt(0)};`)
