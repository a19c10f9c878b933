import { parseArgs } from 'node:util'
import { openSandbox, type Sandbox } from '../../src/bench/sandbox/sandbox.ts'
import { suites as ownSuites } from '../../src/bench/suites/index.ts'
import type { Suite } from '../../src/bench/suites/suite.ts'
import { goalRow, renderReport, type Row } from '../../src/cli/rows.ts'
import { labelledAnswers } from './suites/labelled.ts'
import { selfCheck } from './suites/self-check.ts'

/** The results of the self-check as rows, and a line for each problem. */
export async function selfCheckRows(
  suites: readonly Suite[],
  sandbox: Sandbox,
  signal?: AbortSignal,
): Promise<{ rows: Row[]; complaints: string[] }> {
  const { tasks, referenceFailures, wrongPasses } = await selfCheck(suites, sandbox, signal)
  const labelledErrors: string[] = []
  for (const { task: id, answer, kind } of labelledAnswers) {
    const task = suites.flatMap(suite => suite.tasks).find(task => task.id === id)
    if (task === undefined) continue
    const { passed, reason } = await task.check({ content: answer }, sandbox, signal)
    if (passed !== (kind === 'correct'))
      labelledErrors.push(`${id}: labelled ${kind}, but ${passed ? 'it passed' : `it failed: ${reason}`}`)
  }
  return {
    rows: [
      { name: 'tasks', value: tasks, unit: 'tasks' },
      goalRow({ name: 'reference_failures', value: referenceFailures.length, unit: 'tasks' }, 'at_most', 0),
      goalRow({ name: 'wrong_passes', value: wrongPasses.length, unit: 'tasks' }, 'at_most', 0),
      goalRow({ name: 'labelled_errors', value: labelledErrors.length, unit: 'answers' }, 'at_most', 0),
    ],
    complaints: [...referenceFailures, ...wrongPasses.map(id => `${id}: its wrong answer passes`), ...labelledErrors],
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
  const sandbox = openSandbox()
  try {
    const { rows, complaints } = await selfCheckRows(ownSuites, sandbox)
    for (const complaint of complaints) process.stderr.write(`${complaint}\n`)
    process.stdout.write(`${renderReport(rows, values.json)}\n`)
    if (complaints.length > 0) process.exitCode = 1
  } finally {
    await sandbox.close()
  }
}

if (import.meta.main) await main()
