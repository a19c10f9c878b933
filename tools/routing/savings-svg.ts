import { upperHull } from '../../src/router/hull.ts'
import { renderScatterPlot, type Dot } from '../../src/scatter-plot.ts'
import type { Savings, SavingsPoint } from './savings.ts'

/** Quality kept against the share of the cost of always asking the best model. The dashed line mixes single models. */
export function savingsSvg(table: string, { best, curve, singles }: Savings): string {
  const kept = [...curve, ...singles].flatMap(point => [point.kept.low, point.kept.high])
  const bottom = Math.floor(10 * Math.min(...kept, 0.9)) / 10
  const top = Math.ceil(20 * Math.max(...kept, 1)) / 20
  const right = Math.max(1, ...[...curve, ...singles].map(({ cost }) => cost)) * 1.02
  const y = (share: number) => (share - bottom) / (top - bottom)
  const dotOf = (point: SavingsPoint, name: string, number: number, highlighted: boolean): Dot => ({
    x: point.cost / right,
    y: y(point.kept.value),
    low: y(point.kept.low),
    high: y(point.kept.high),
    name,
    number,
    highlighted,
  })
  const percent = (share: number) => `${Math.round(100 * share)} %`
  const mixtures = upperHull(singles.map(({ cost, kept: { value } }) => ({ cost, quality: value })))
  return renderScatterPlot({
    title: `Quality kept and cost: ${table}`,
    subtitle: `100 % is always asking ${best}; dots that are not named after a model are the router, with 95 % intervals`,
    xTitle: 'share of the cost of always asking the best model',
    yTitle: 'share of its quality',
    xTicks: [0, 0.2, 0.4, 0.6, 0.8, 1].map(share => ({ position: share / right, text: percent(share) })),
    yTicks: ticks(bottom, top).map(share => ({ position: y(share), text: percent(share) })),
    dots: [
      ...curve.map((point, index) => dotOf(point, `router at ${percent(point.cost)} of the cost`, index + 1, true)),
      ...singles.map((point, index) => dotOf(point, point.name, curve.length + index + 1, false)),
    ],
    line: mixtures.map(({ cost, quality }) => ({ x: cost / right, y: y(quality) })),
  })
}

function ticks(from: number, to: number): number[] {
  const step = to - from > 0.35 ? 0.1 : 0.05
  return Array.from({ length: Math.round((to - from) / step) + 1 }, (_, index) => from + index * step)
}
