import { parseArgs } from 'node:util'
import { renderReport, type Row } from '../../src/cli/rows.ts'

/** Runs a bench with the options `--json` and `--rounds` and prints its report; a failure is one line and exit code 2. */
export async function runInRounds(
  name: string,
  defaultRounds: number,
  run: (rounds: number) => Row[] | Promise<Row[]>,
): Promise<void> {
  try {
    const { json, rounds } = readArguments(defaultRounds)
    console.log(renderReport(await run(rounds), json))
  } catch (thrown) {
    console.error(`${name}: ${(thrown as Error).message}`)
    process.exitCode = 2
  }
}

function readArguments(defaultRounds: number): { json: boolean; rounds: number } {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: String(defaultRounds) } },
  })
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100)
    throw new Error('--rounds must be a whole number, 1 to 100')
  return { json: values.json, rounds }
}
