import type { ReplayResult } from './replay.ts'

const width = 900
const height = 460
const margin = { left: 64, right: 316, top: 52, bottom: 52 }

/** Cost against quality of every policy as an SVG picture; the line is what mixing single models could reach. */
export function frontierSvg(
  results: readonly ReplayResult[],
  hull: readonly { cost: number; quality: number }[],
): string {
  const costs = results.map(({ costUsd }) => costUsd)
  const qualities = results.map(({ quality }) => quality)
  const x = scale(0, Math.max(...costs, 1e-6) * 1.05, margin.left, width - margin.right)
  const [low, high] = [Math.min(...qualities), Math.max(...qualities)]
  const pad = Math.max(0.02, (high - low) * 0.1)
  const y = scale(Math.max(0, low - pad), Math.min(1, high + pad), height - margin.bottom, margin.top)
  const line = hull.map(({ cost, quality }) => `${x.at(cost)},${y.at(quality)}`).join(' ')
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${margin.left}" y="20" font-size="14" font-weight="600">What quality cost under each policy</text>`,
    `<text x="${margin.left}" y="38" fill="#4b5563">dashed: what mixing single models reaches; above it a policy earns its keep</text>`,
    ...y.ticks.map(
      tick =>
        `<path d="M${margin.left} ${y.at(tick)}H${width - margin.right}" stroke="#e5e7eb"/><text x="${margin.left - 8}" y="${y.at(tick) + 4}" text-anchor="end" fill="#4b5563">${tick}</text>`,
    ),
    ...x.ticks.map(
      tick =>
        `<text x="${x.at(tick)}" y="${height - margin.bottom + 18}" text-anchor="middle" fill="#4b5563">$${tick}</text>`,
    ),
    `<text x="${(margin.left + width - margin.right) / 2}" y="${height - 12}" text-anchor="middle" fill="#111827">cost of the period, USD</text>`,
    `<text transform="translate(16 ${height / 2}) rotate(-90)" text-anchor="middle" fill="#111827">mean quality</text>`,
    `<polyline points="${line}" fill="none" stroke="#9ca3af" stroke-width="1.5" stroke-dasharray="5 4"/>`,
    ...spread(results.map(result => ({ result, at: y.at(result.quality) }))).map(({ result, at, label }) => {
      const single = result.name.startsWith('always ')
      const colour = single ? '#6b7280' : '#c2410c'
      const right = width - margin.right + 12
      return `<circle cx="${x.at(result.costUsd)}" cy="${at}" r="${single ? 4 : 6}" fill="${colour}"/><path d="M${x.at(result.costUsd)} ${at}L${right - 4} ${label}" stroke="${colour}" stroke-width="0.5" opacity="0.5"/><text x="${right}" y="${label + 4}" fill="${colour}">${escaped(shortened(result.name))}</text>`
    }),
    '</svg>',
    '',
  ].join('\n')
}

function scale(from: number, to: number, start: number, end: number) {
  const span = to - from || 1
  return {
    at: (value: number) => Math.round((start + ((value - from) / span) * (end - start)) * 10) / 10,
    ticks: roundNumbers(from, to),
  }
}

/** Between three and eight round numbers from `from` to `to`: multiples of 1, 2 or 5 times a power of ten. */
function roundNumbers(from: number, to: number): number[] {
  const least = (to - from) / 7
  const power = 10 ** Math.floor(Math.log10(least))
  const step = power * [1, 2, 5, 10].find(factor => factor * power >= least * (1 - 1e-9))!
  const first = Math.ceil(from / step - 1e-9)
  const count = Math.floor(to / step + 1e-9) - first + 1
  return Array.from({ length: count }, (_, at) => Number(((first + at) * step).toPrecision(6)))
}

/** Labels beside points of nearly the same height are moved apart. */
function spread<T extends { at: number }>(points: readonly T[]): (T & { label: number })[] {
  const least = 15
  let previous = margin.top - least
  return [...points]
    .sort((a, b) => a.at - b.at)
    .map(point => {
      previous = Math.max(point.at, previous + least)
      return { ...point, label: previous }
    })
}

/** What fits beside the picture. */
const maxLetters = 42

function shortened(text: string): string {
  return text.length > maxLetters ? `${text.slice(0, maxLetters - 1)}…` : text
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
