import path from 'node:path'
import { codeBlockProblems } from './code-blocks.ts'
import { dependencyProblems } from './dependencies.ts'
import type { Problem } from './files.ts'
import { importProblems } from './imports.ts'
import { linkProblems } from './links.ts'
import { ownCommands } from './own-commands.ts'
import { typeNameProblems } from './type-names.ts'
import { readWordList, wordProblems } from './words.ts'

const root = path.resolve(import.meta.dirname, '../..')

const checks: Readonly<Record<string, () => Problem[] | Promise<Problem[]>>> = {
  imports: () => importProblems(root),
  types: () => typeNameProblems(root),
  links: () => linkProblems(root),
  code: async () => codeBlockProblems(root, await ownCommands(root)),
  dependencies: () => dependencyProblems(root),
  words: () => wordProblems(root, readWordList()),
}

/** `node tools/check/main.ts [check]…`: prints the problems that the named checks find; without names, all checks. */
const names = process.argv.slice(2)
const unknown = names.find(name => !(name in checks))
if (unknown === undefined) {
  const chosen = names.length === 0 ? Object.keys(checks) : names
  const problems: Problem[] = []
  for (const name of chosen) problems.push(...(await checks[name]!()))
  for (const { file, line, message } of problems) process.stderr.write(`${file}:${line} ${message}\n`)
  if (problems.length > 0) process.stderr.write(`${problems.length} problems found by: ${chosen.join(', ')}\n`)
  process.exitCode = problems.length > 0 ? 1 : 0
} else {
  process.stderr.write(`Unknown check '${unknown}'; available: ${Object.keys(checks).join(', ')}\n`)
  process.exitCode = 2
}
