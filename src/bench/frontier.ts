import { plotWidth, renderScatterPlot, type Tick } from '../scatter-plot.ts'
import type { LeaderboardRow } from './leaderboard.ts'
import { nameOf } from './render.ts'

/** Pixels between two dots, so that their numbers and intervals do not touch; less where there are very many. */
const maxPitch = 20

interface Priced {
  leader: LeaderboardRow
  /** As in the leaderboard, from 1. */
  place: number
  /** USD for 1,000 tasks. */
  cost: number
}

/**
 * Quality against cost as SVG: a numbered dot with its 95 % interval for each model whose cost is known, and the frontier: the
 * models that no cheaper one matches.
 */
export function renderFrontier(leaders: readonly LeaderboardRow[], title: string): string {
  const priced = leaders
    .flatMap((leader, index): Priced[] =>
      leader.costUsdPerTask === null ? [] : [{ leader, place: index + 1, cost: leader.costUsdPerTask * 1_000 }],
    )
    .sort((a, b) => a.cost - b.cost || a.place - b.place)
  const pitch = Math.min(maxPitch / plotWidth, 1 / (priced.length + 6))
  const axis = costAxis(
    priced.map(({ cost }) => cost),
    pitch,
  )
  let reached = -1
  let previous = -Infinity
  const dots = priced.map(({ leader, place, cost }) => {
    const { value, low, high } = leader.quality
    const highlighted = value > reached
    reached = Math.max(reached, value)
    // Dots that would hide one another stand side by side, the cheaper one first.
    previous = Math.max(axis.xOf(cost), previous + pitch)
    return { x: previous, y: value, low, high, name: nameOf(leader), number: place, highlighted }
  })
  return renderScatterPlot({
    title,
    xTitle: axis.title,
    yTitle: 'quality: mean pass rate of the categories, 95 % interval',
    xTicks: axis.ticks,
    yTicks: [0, 0.25, 0.5, 0.75, 1].map(position => ({ position, text: `${position * 100} %` })),
    dots,
    line: stepsThrough(dots.filter(({ highlighted }) => highlighted)),
  })
}

interface CostAxis {
  xOf: (cost: number) => number
  ticks: (Tick & { anchor?: 'start' })[]
  title: string
}

/** Free models stand on the left, because a logarithmic axis has no zero. `costs` ascend; positions are shares of the axis. */
function costAxis(costs: readonly number[], pitch: number): CostAxis {
  const paid = costs.filter(cost => cost > 0)
  const free: CostAxis['ticks'] =
    costs.length > paid.length ? [{ position: pitch - 8 / plotWidth, text: 'free', anchor: 'start' }] : []
  if (paid.length === 0) return { xOf: () => pitch, ticks: free, title: 'all of them are free' }
  const low = 10 ** Math.floor(Math.log10(paid[0]!) + 1e-9)
  const high = Math.max(10 ** Math.ceil(Math.log10(paid.at(-1)!) - 1e-9), low * 10)
  const left = (costs.length - paid.length + 2) * pitch
  const right = 1 - pitch
  const xOf = (cost: number) =>
    cost <= 0 ? pitch : left + ((right - left) * Math.log(cost / low)) / Math.log(high / low)
  const decades = Array.from({ length: Math.round(Math.log10(high / low)) + 1 }, (_, index) => low * 10 ** index)
  const ticks = decades.map(cost => ({ position: xOf(cost), text: `$${Number(cost.toPrecision(2))}` }))
  return { xOf, ticks: [...free, ...ticks], title: 'cost of 1,000 tasks in USD, logarithmic' }
}

/** A staircase from each point to the right, and up at the next one. */
function stepsThrough(points: readonly { x: number; y: number }[]): { x: number; y: number }[] {
  const last = points.at(-1)
  if (last === undefined) return []
  const corners = points.flatMap((point, index) => {
    const before = points[index - 1]
    return before === undefined ? [point] : [{ x: point.x, y: before.y }, point]
  })
  return [...corners, { x: 1, y: last.y }]
}
