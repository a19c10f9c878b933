import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { styleText } from 'node:util'
import { seededRandom } from '../../router/chance.ts'
import type { Drift } from '../../bench/evidence.ts'
import { renderFrontier } from '../../bench/frontier.ts'
import { renderMarkdown, renderTable } from '../../bench/render.ts'
import { reportOf } from '../../bench/report.ts'
import type { BenchmarkResult } from '../../bench/results.ts'

/** Prints the leaderboard to stdout at the terminal's width; with a folder, also writes it there as JSON, Markdown and SVG. */
export function writeReport(results: readonly BenchmarkResult[], json: boolean, folder: string | undefined): void {
  // Seeded, so that the same results give the same report.
  const report = reportOf(results, seededRandom(1))
  const { columns, isTTY } = process.stdout
  const bold = (text: string) => styleText('bold', text, { stream: process.stdout })
  const terminal = { ...(isTTY && { width: columns }), bold }
  process.stdout.write(`${json ? JSON.stringify(report) : renderTable(report, terminal)}\n`)
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  const write = (name: string, text: string) => {
    writeFileSync(path.join(folder, name), text)
  }
  write('leaderboard.json', `${JSON.stringify({ ...report, results }, null, 2)}\n`)
  write('leaderboard.md', renderMarkdown(report, 'Leaderboard'))
  write('frontier.svg', renderFrontier(report.leaders, 'Quality and cost of the measured models'))
  process.stderr.write(`Wrote leaderboard.json, leaderboard.md and frontier.svg to ${folder}\n`)
}

/** Prints the results of a drift check to stdout. */
export function writeDrift(drifts: readonly Drift[], json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ drift: drifts })}\n`)
    return
  }
  const moved = drifts.filter(({ moved }) => moved)
  const share = (value: number) => `${Math.round(value * 100)} %`
  for (const { provider, model, category, before, after, tasks, certainty, weightsChanged } of moved) {
    const why = weightsChanged ? 'its weights changed' : `certainty ${share(certainty)}`
    process.stdout.write(
      `${provider}/${model} ${category}: ${share(before.value)} before, ${share(after.value)} now (${tasks} tasks, ${why})\n`,
    )
  }
  process.stdout.write(`${moved.length} of ${drifts.length} cells changed.\n`)
}
