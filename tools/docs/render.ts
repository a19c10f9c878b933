import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { renderedDocument, repository, writeDocument } from './sections.ts'
import { documentSections } from './tables.ts'

const { check } = parseArgs({ options: { check: { type: 'boolean', default: false } } }).values

/** `npm run docs [-- --check]`: writes the tables generated from the code, or lists the documents that differ from it. */
const stale: string[] = []
for (const [name, sections] of Object.entries(await documentSections())) {
  const wanted = await renderedDocument(name, sections)
  if (readFileSync(path.join(repository, name), 'utf8') === wanted) continue
  if (check) stale.push(name)
  else await writeDocument(name, sections)
}
if (stale.length > 0) {
  process.stderr.write(`Out of date; run \`npm run docs\`: ${stale.join(', ')}\n`)
  process.exitCode = 1
}
