import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { filesIn } from '../../tools/check/files.ts'
import { commandProblems, ownCommands } from '../../tools/check/own-commands.ts'

const project = path.resolve(import.meta.dirname, '../..')
const workflows = filesIn(project, '.github/workflows', '.yml')

t.test('workflows run only scripts that exist, and contributors are told to run the same', async t => {
  const own = await ownCommands(project)
  const contributing = readFileSync(path.join(project, 'CONTRIBUTING.md'), 'utf8')
  const commands = workflows.flatMap(({ text }) => [...text.matchAll(/run: (npm .+)$/gm)].map(match => match[1]!))
  t.ok(commands.length > 5)
  t.strictSame(commandProblems(commands.join('\n'), own), [])
  for (const command of ['npm ci', 'npm test', 'npm run check', 'npm run release', 'npm run coverage']) {
    t.ok(commands.includes(command), `a workflow runs ${command}`)
    t.match(contributing, command)
  }
})

t.test('a workflow uses actions only by commit, so that a moved tag changes nothing', async t => {
  for (const { file, text } of workflows) {
    const used = [...text.matchAll(/uses: (.+)$/gm)].map(match => match[1]!)
    t.ok(used.length > 0, file)
    for (const action of used) t.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, `${file}: ${action}`)
  }
})
