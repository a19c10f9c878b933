import type { Standing } from './leaderboard.ts'
import { nameOf } from './render.ts'

const width = 960
const plot = { left: 84, right: 680, top: 60, bottom: 440 }
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
  const paidLeft = freeX + 70
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
  const frontier = spread.filter(({ best }) => best).sort((a, b) => a.cost - b.cost)
  const path = frontier
    .map(({ shownX, y }, index) => (index === 0 ? `M${at(shownX)} ${at(y)}` : `H${at(shownX)}V${at(y)}`))
    .join('')
  const end = frontier.length > 0 ? `H${plot.right}` : ''
  const decades =
    paid.length === 0
      ? []
      : Array.from({ length: Math.round(Math.log10(high / low)) + 1 }, (_, index) => low * 10 ** index)

  const horizontal = [0, 0.25, 0.5, 0.75, 1].map(
    share =>
      line(plot.left, yOf(share), plot.right, yOf(share), grid) +
      label(plot.left - 10, yOf(share) + 4, `${share * 100} %`, 'end'),
  )
  const vertical = decades.map(
    cost =>
      line(xOf(cost), plot.top, xOf(cost), plot.bottom, grid) +
      label(xOf(cost), plot.bottom + 20, `$${Number(cost.toPrecision(2))}`, 'middle'),
  )
  const names = spread.map(
    ({ standing, y, shownX, labelY }) =>
      line(shownX + 8, y, plot.right + 8, labelY - 4, '#d0d7de') +
      label(plot.right + 12, labelY, shortened(nameOf(standing)), 'start', ink),
  )
  const dots = spread.map(({ standing: { quality }, y, best, shownX }) => {
    const colour = best ? accent : '#8c959f'
    return `${line(shownX, yOf(quality.high), shownX, yOf(quality.low), colour, 2)}<circle cx="${at(shownX)}" cy="${at(y)}" r="6" fill="${colour}"/>`
  })
  const middle = (plot.top + plot.bottom) / 2
  const height = Math.max(plot.bottom + 80, ...spread.map(({ labelY }) => labelY + 20))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${at(height)}" font-family="system-ui, sans-serif" font-size="13">`,
    `<rect width="${width}" height="${at(height)}" fill="#ffffff"/>`,
    `<text x="${plot.left}" y="32" font-size="18" font-weight="600" fill="${ink}">${escaped(title)}</text>`,
    ...horizontal,
    ...vertical,
    label(freeX, plot.bottom + 20, 'free', 'middle'),
    label((plot.left + plot.right) / 2, plot.bottom + 46, 'cost of 1,000 tasks, USD (logarithmic)', 'middle'),
    `<g transform="translate(20 ${middle}) rotate(-90)">${label(0, 0, 'quality: mean pass rate of the categories', 'middle')}</g>`,
    ...names,
    `<path d="${path}${end}" fill="none" stroke="${accent}" stroke-width="2" stroke-dasharray="6 4"/>`,
    ...dots,
    '</svg>\n',
  ].join('\n')
}

const ink = '#1b1f24'
const accent = '#0969da'
const grid = '#e4e7eb'

function line(x1: number, y1: number, x2: number, y2: number, colour: string, thickness = 1): string {
  return `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" stroke="${colour}" stroke-width="${thickness}"/>`
}

function label(x: number, y: number, words: string, anchor: 'start' | 'middle' | 'end', colour = '#57606a'): string {
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}" fill="${colour}">${escaped(words)}</text>`
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
const shortened = (name: string) => (name.length > 34 ? `…${name.slice(-33)}` : name)
const escaped = (text: string) => text.replace(/[&<>"]/g, letter => `&#${letter.charCodeAt(0)};`)
