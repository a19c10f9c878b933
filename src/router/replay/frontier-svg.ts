import { renderScatterPlot, type Tick } from '../../scatter-plot.ts'
import type { ReplayResult } from './replay.ts'

/** Cost against quality of every policy as an SVG picture; the line is what mixing single models could reach. */
export function frontierSvg(
  results: readonly ReplayResult[],
  hull: readonly { cost: number; quality: number }[],
): string {
  const qualities = results.map(({ quality }) => quality)
  const [low, high] = [Math.min(...qualities), Math.max(...qualities)]
  const pad = Math.max(0.02, (high - low) * 0.1)
  const x = createScale(0, Math.max(...results.map(({ costUsd }) => costUsd), 1e-6) * 1.05)
  const y = createScale(Math.max(0, low - pad), Math.min(1, high + pad))
  return renderScatterPlot({
    title: 'What quality cost under each policy',
    subtitle: 'dashed: what mixing single models reaches; a policy above it is worth its cost',
    xTitle: 'cost of the period, USD',
    yTitle: 'mean quality',
    xTicks: x.ticks(value => `$${value}`),
    yTicks: y.ticks(String),
    dots: results.map(({ name, costUsd, quality }, index) => ({
      x: x.shareOf(costUsd),
      y: y.shareOf(quality),
      name,
      number: index + 1,
      highlighted: !name.startsWith('always '),
    })),
    line: hull.map(({ cost, quality }) => ({ x: x.shareOf(cost), y: y.shareOf(quality) })),
  })
}

function createScale(from: number, to: number) {
  const shareOf = (value: number) => (value - from) / (to - from || 1)
  return {
    shareOf,
    ticks: (text: (value: number) => string): Tick[] =>
      roundNumbers(from, to).map(value => ({ position: shareOf(value), text: text(value) })),
  }
}

/** Between three and eight round numbers from `from` to `to`: multiples of 1, 2 or 5 times a power of ten. */
function roundNumbers(from: number, to: number): number[] {
  const minStep = (to - from) / 7
  const power = 10 ** Math.floor(Math.log10(minStep))
  const step = power * [1, 2, 5, 10].find(factor => factor * power >= minStep * (1 - 1e-9))!
  const first = Math.ceil(from / step - 1e-9)
  const count = Math.floor(to / step + 1e-9) - first + 1
  return Array.from({ length: count }, (_, index) => Number(((first + index) * step).toPrecision(6)))
}
