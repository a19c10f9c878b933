import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { sealChildren } from './sealed-children.ts'

sealChildren()

const bench = path.resolve(import.meta.dirname, '../../src/bench')

t.test('the sandbox is loaded and started only when a benchmark runs code', async t => {
  const program = `
    import { registerHooks } from 'node:module'
    import childProcess from 'node:child_process'
    const loaded = []
    registerHooks({ resolve: (specifier, context, next) => { loaded.push(specifier); return next(specifier, context) } })
    childProcess.ChildProcess.prototype.spawn = () => { loaded.push('a child process') }
    for (const file of ['runner', 'evidence', 'leaderboard', 'render', 'frontier', 'results', 'suites/index', 'sandbox/sandbox'])
      await import(${JSON.stringify(pathToFileURL(bench).href)} + '/' + file + '.ts')
    const { openSandbox } = await import(${JSON.stringify(pathToFileURL(bench).href)} + '/sandbox/sandbox.ts')
    await openSandbox().close()
    console.log(JSON.stringify(loaded))`
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    env: { PATH: process.env.PATH },
    encoding: 'utf8',
  })
  const loaded = JSON.parse(output) as string[]
  t.ok(loaded.some(name => name.endsWith('sandbox.ts')))
  t.strictSame(
    loaded.filter(name => /pyodide|quickjs|-cell|child process$/.test(name) && name !== 'node:child_process'),
    [],
  )
})
