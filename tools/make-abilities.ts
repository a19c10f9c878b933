import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { mergeFacts, readFacts, writeFacts } from './abilities/facts.ts'
import { readDownloads } from './abilities/read-downloads.ts'
import { makeTable } from './abilities/table.ts'
import { shippedAbilitiesFile } from '../src/router/ability-table.ts'

const usage = 'usage: npm run make:abilities -- [--downloads DIR] [--out FILE]'

const values = readArguments()
const committed = readFacts()
const facts =
  values.downloads === undefined ? committed : mergeFacts(committed, readDownloads(path.resolve(values.downloads)))
const unknown = facts.scores.find(({ benchmark }) => facts.benchmarks[benchmark] === undefined)
if (unknown !== undefined) {
  console.error(`The benchmark ${unknown.benchmark} is not in tools/abilities/benchmarks.json; add it.`)
  process.exit(1)
}
if (values.downloads !== undefined) writeFacts(facts)
const table = makeTable(facts)
const text = `${JSON.stringify(table)}\n`
const file = path.resolve(values.out ?? shippedAbilitiesFile)
writeFileSync(file, text)
console.log(
  `${path.relative('.', file)}: ${Object.keys(table.models).length} models, ${(text.length / 1024).toFixed(0)} KB`,
)
console.log(JSON.stringify({ guesses: table.guesses, siblings: table.siblings, effort: table.effort }, undefined, 2))

function readArguments() {
  try {
    return parseArgs({ options: { downloads: { type: 'string' }, out: { type: 'string' } } }).values
  } catch (error) {
    console.error(`${(error as Error).message} ${usage}`)
    return process.exit(2)
  }
}
