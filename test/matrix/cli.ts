import { parseArgs } from 'node:util'
import { goalRow, renderReport } from '../../src/cli/rows.ts'
import { nameOf, playMatrix, scenarioNames, type Result } from './matrix.ts'

/** `npm run matrix [-- --json]`: how many cells there are and how many fail; for people also the table of the README. */
async function main(args: string[]): Promise<void> {
  const { json } = parseArgs({ args, options: { json: { type: 'boolean', default: false } } }).values
  const undo: (() => Promise<void>)[] = []
  const results: Result[] = []
  try {
    for await (const result of playMatrix({ teardown: each => undo.push(each) })) {
      results.push(result)
      if (result.failure !== undefined) console.error(`${nameOf(result.cell)} failed:`, result.failure)
    }
  } finally {
    for (const each of undo.toReversed()) await each()
  }
  const failed = results.filter(({ failure }) => failure !== undefined).length
  const rows = [
    goalRow({ name: 'cells', value: results.length, unit: 'cells' }, 'at_least', 500),
    goalRow({ name: 'failed', value: failed, unit: 'cells' }, 'at_most', 0),
  ]
  if (!json) console.log(`${table(results)}\n`)
  console.log(renderReport(rows, json))
  if (failed > 0) process.exitCode = 1
}

/** One row per protocol and server; in each cell how many of its cases passed. */
function table(results: readonly Result[]): string {
  const lines = Map.groupBy(results, ({ cell }) => `${cell.protocol.name} | ${cell.kind}`)
  return [
    `| protocol | server | ${scenarioNames.join(' | ')} |`,
    `| - | - | ${scenarioNames.map(() => '-').join(' | ')} |`,
    ...[...lines].map(([name, group]) => {
      const fields = scenarioNames.map(scenario => {
        const some = group.filter(({ cell }) => cell.scenario === scenario)
        if (some.length === 0) return '–'
        return `${some.filter(({ failure }) => failure === undefined).length} of ${some.length}`
      })
      return `| ${name} | ${fields.join(' | ')} |`
    }),
  ].join('\n')
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))) throw error
  console.error(error.message)
  process.exitCode = 2
}
