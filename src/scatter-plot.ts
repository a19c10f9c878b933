/** One dot. Positions are shares of the plot's width and height, from its lower left corner. */
export interface Dot {
  x: number
  y: number
  /** The interval of `y`, drawn as a bar; absent for a dot alone. */
  low?: number
  high?: number
  name: string
  /** Shown at the dot and before its name in the legend. */
  number: number
  highlighted: boolean
}

export interface Tick {
  /** Share of the axis. */
  position: number
  text: string
}

export interface ScatterPlot {
  title: string
  subtitle?: string
  xTitle: string
  yTitle: string
  xTicks: readonly (Tick & { anchor?: 'start' | 'middle' })[]
  yTicks: readonly Tick[]
  dots: readonly Dot[]
  /** A dashed line through these points. */
  line: readonly { x: number; y: number }[]
}

const width = 960
const plot = { left: 84, right: 600, top: 64, bottom: 440 }
/** Pixels from the left to the right end of the plot. */
export const plotWidth = plot.right - plot.left
const legend = { left: plot.right + 28, top: plot.top + 10, lineHeight: 19 }
const maxNameLength = 39

const style = `
.paper{fill:#ffffff}.ink{fill:#1b1f24}.soft{fill:#57606a}.grid{stroke:#e4e7eb}
.best{fill:#0969da;font-weight:600}.other{fill:#6e7781}line.best,path.best{stroke:#0969da}line.other{stroke:#8c959f}
.mark{paint-order:stroke;stroke:#ffffff;stroke-width:4px}
@media (prefers-color-scheme: dark){
.paper{fill:#0d1117}.ink{fill:#e6edf3}.soft{fill:#9198a1}.grid{stroke:#2a313c}
.best{fill:#58a6ff}.other{fill:#9198a1}line.best,path.best{stroke:#58a6ff}line.other{stroke:#6e7681}
.mark{stroke:#0d1117}}
`

/** An SVG picture of numbered dots with a legend. It follows the reader's light or dark color scheme. */
export function renderScatterPlot({
  title,
  subtitle,
  xTitle,
  yTitle,
  xTicks,
  yTicks,
  dots,
  line: points,
}: ScatterPlot): string {
  const rows = [...dots].sort((a, b) => a.number - b.number)
  const height = Math.max(plot.bottom + 72, legend.top + rows.length * legend.lineHeight + 12)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${rounded(height)}" font-family="system-ui, sans-serif" font-size="13" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${style}</style>`,
    `<rect class="paper" width="${width}" height="${rounded(height)}"/>`,
    `<text class="ink" x="${plot.left}" y="30" font-size="18" font-weight="600">${escaped(title)}</text>`,
    subtitle === undefined ? '' : label('soft', plot.left, 50, subtitle, 'start'),
    ...yTicks.map(
      ({ position, text }) =>
        line('grid', { x1: plot.left, y1: yOf(position), x2: plot.right, y2: yOf(position) }) +
        label('soft', plot.left - 10, yOf(position) + 4, text, 'end'),
    ),
    ...xTicks.map(({ position, text, anchor = 'middle' }) => {
      const x = xOf(position)
      const grid = anchor === 'middle' ? line('grid', { x1: x, y1: plot.top, x2: x, y2: plot.bottom }) : ''
      return grid + label('soft', x, plot.bottom + 20, text, anchor)
    }),
    label('soft', (plot.left + plot.right) / 2, plot.bottom + 48, xTitle, 'middle'),
    `<g transform="translate(22 ${(plot.top + plot.bottom) / 2}) rotate(-90)">${label('soft', 0, 0, yTitle, 'middle')}</g>`,
    dashed(points),
    ...dots.map(drawn),
    ...rows.map((dot, row) => {
      const y = legend.top + row * legend.lineHeight
      return (
        label(kindOf(dot), legend.left, y, String(dot.number), 'end') +
        label('ink', legend.left + 8, y, shortened(dot.name), 'start')
      )
    }),
    '</svg>\n',
  ].join('\n')
}

function xOf(share: number): number {
  return plot.left + plotWidth * share
}

function yOf(share: number): number {
  return plot.bottom - (plot.bottom - plot.top) * share
}

function kindOf({ highlighted }: Dot): string {
  return highlighted ? 'best' : 'other'
}

function dashed(points: readonly { x: number; y: number }[]): string {
  if (points.length === 0) return ''
  const steps = points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${rounded(xOf(x))} ${rounded(yOf(y))}`)
  return `<path class="best" d="${steps.join('')}" fill="none" style="fill:none" stroke-width="1.5" stroke-dasharray="6 4"/>`
}

function drawn(dot: Dot): string {
  const [x, y] = [xOf(dot.x), yOf(dot.y)]
  const { low = dot.y, high = dot.y } = dot
  const bar = low === high ? '' : line(kindOf(dot), { x1: x, y1: yOf(high), x2: x, y2: yOf(low) }, 2)
  return [
    bar,
    `<circle class="${kindOf(dot)}" cx="${rounded(x)}" cy="${rounded(y)}" r="5.5"/>`,
    label(`${kindOf(dot)} mark`, x, yOf(high) - (low === high ? 9 : 5), String(dot.number), 'middle'),
  ].join('')
}

function line(kind: string, ends: { x1: number; y1: number; x2: number; y2: number }, thickness = 1): string {
  const attributes = Object.entries(ends).map(([name, value]) => `${name}="${rounded(value)}"`)
  return `<line class="${kind}" ${attributes.join(' ')} stroke-width="${thickness}"/>`
}

function label(kind: string, x: number, y: number, words: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text class="${kind}" x="${rounded(x)}" y="${rounded(y)}" text-anchor="${anchor}">${escaped(words)}</text>`
}

function rounded(value: number): string {
  return String(Math.round(value * 10) / 10)
}

function shortened(name: string): string {
  return name.length > maxNameLength ? `…${name.slice(1 - maxNameLength)}` : name
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}
