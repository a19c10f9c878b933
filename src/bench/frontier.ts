import type { Standing } from './leaderboard.ts'
import { nameOf } from './render.ts'

const width = 860
const height = 520
const plot = { left: 70, right: 650, top: 60, bottom: 440 }
/** Free models stand in a column of their own: a logarithmic axis has no zero. */
const freeX = plot.left + 40

interface Point {
  standing: Standing
  cost: number
  x: number
  y: number
  best: boolean
}

/**
 * Quality against cost as SVG: a dot with its 95 % interval for each model whose cost is known, and the frontier: the
 * models that no cheaper one matches.
 */
export function renderFrontier(standings: readonly Standing[], title: string): string {
  const priced = standings.filter(standing => standing.costUsdPerTask !== null)
  const costs = priced.map(({ costUsdPerTask }) => costUsdPerTask! * 1_000)
  const paid = costs.filter(cost => cost > 0)
  const low = 10 ** Math.floor(Math.log10(Math.min(...paid, 1)) - 1e-9)
  const high = Math.max(10 ** Math.ceil(Math.log10(Math.max(...paid, 1)) + 1e-9), low * 10)
  const paidLeft = freeX + 50
  const xOf = (cost: number) =>
    cost <= 0 ? freeX : paidLeft + ((plot.right - paidLeft) * Math.log(cost / low)) / Math.log(high / low)
  const yOf = (quality: number) => plot.bottom - (plot.bottom - plot.top) * quality

  const points = priced
    .map((standing, index) => ({
      standing,
      cost: costs[index]!,
      x: xOf(costs[index]!),
      y: yOf(standing.quality.value),
    }))
    .sort((a, b) => a.cost - b.cost || b.standing.quality.value - a.standing.quality.value)
    .reduce<Point[]>((done, point) => {
      const reached = Math.max(-1, ...done.map(({ standing }) => standing.quality.value))
      return [...done, { ...point, best: point.standing.quality.value > reached }]
    }, [])
  const spread = apart(points)
  const frontier = points.filter(({ best }) => best)
  const path = frontier.map(({ x, y }, index) => (index === 0 ? `M${at(x)} ${at(y)}` : `H${at(x)}V${at(y)}`)).join('')
  const end = frontier.length > 0 ? `H${plot.right}` : ''
  const decades =
    paid.length === 0
      ? []
      : Array.from({ length: Math.round(Math.log10(high / low)) + 1 }, (_, index) => low * 10 ** index)

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13">
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="${plot.left}" y="32" font-size="18" font-weight="600" fill="#1b1f24">${escaped(title)}</text>
${[0, 0.25, 0.5, 0.75, 1].map(share => `<line x1="${plot.left}" x2="${plot.right}" y1="${at(yOf(share))}" y2="${at(yOf(share))}" stroke="#e4e7eb"/><text x="${plot.left - 10}" y="${at(yOf(share) + 4)}" text-anchor="end" fill="#57606a">${share * 100} %</text>`).join('\n')}
${decades.map(cost => `<line x1="${at(xOf(cost))}" x2="${at(xOf(cost))}" y1="${plot.top}" y2="${plot.bottom}" stroke="#e4e7eb"/><text x="${at(xOf(cost))}" y="${plot.bottom + 20}" text-anchor="middle" fill="#57606a">$${String(Number(cost.toPrecision(2)))}</text>`).join('\n')}
<text x="${freeX}" y="${plot.bottom + 20}" text-anchor="middle" fill="#57606a">free</text>
<text x="${(plot.left + plot.right) / 2}" y="${plot.bottom + 46}" text-anchor="middle" fill="#57606a">cost of 1,000 tasks, USD (logarithmic)</text>
<text transform="translate(22 ${(plot.top + plot.bottom) / 2}) rotate(-90)" text-anchor="middle" fill="#57606a">quality: mean pass rate of the categories</text>
<path d="${path}${end}" fill="none" stroke="#0969da" stroke-width="2" stroke-dasharray="6 4"/>
${spread
  .map(({ standing, x, y, best, shownX, labelY }) => {
    const colour = best ? '#0969da' : '#8c959f'
    const { low, high } = standing.quality
    return `<line x1="${at(shownX)}" x2="${at(shownX)}" y1="${at(yOf(high))}" y2="${at(yOf(low))}" stroke="${colour}" stroke-width="2"/>
<circle cx="${at(shownX)}" cy="${at(y)}" r="6" fill="${colour}"/>
<line x1="${at(Math.max(x, shownX) + 8)}" y1="${at(y)}" x2="${plot.right + 8}" y2="${at(labelY - 4)}" stroke="#d0d7de"/>
<text x="${plot.right + 12}" y="${at(labelY)}" fill="#1b1f24">${escaped(shortened(nameOf(standing)))}</text>`
  })
  .join('\n')}
</svg>
`
}

/** Dots of one column side by side, and labels at the right edge that do not overlap. */
function apart(points: readonly Point[]): (Point & { shownX: number; labelY: number })[] {
  const lineHeight = 18
  let last = -Infinity
  return points
    .toSorted((a, b) => a.y - b.y)
    .map(point => {
      const column = points.filter(other => Math.abs(other.x - point.x) < 8)
      const shownX = point.x + (column.indexOf(point) - (column.length - 1) / 2) * 14
      const labelY = Math.max(point.y + 4, last + lineHeight)
      last = labelY
      return { ...point, shownX, labelY }
    })
}

const at = (value: number) => String(Math.round(value * 10) / 10)
const shortened = (name: string) => (name.length > 26 ? `${name.slice(0, 25)}…` : name)
const escaped = (text: string) => text.replace(/[&<>"]/g, letter => `&#${letter.charCodeAt(0)};`)
