import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import pino from 'pino'
import t from 'tap'
import { scratch, writeFiles } from './helpers/search.ts'
import { scriptedUpstream } from './helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from './helpers/start-gateway.ts'

const options = { skip: process.platform === 'win32' && 'modes mean nothing on Windows' }
const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8)

t.test('a new DATA_DIR and everything in it is the user’s alone', options, async t => {
  const folder = scratch(t)
  const [data, results, source] = ['data', 'results', 'source'].map(name => path.join(folder, name)) as [
    string,
    string,
    string,
  ]
  writeFiles(source, { 'a.ts': 'export const walrus = 1\n' })
  const upstream = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, {
    ...variablesFor(upstream),
    DATA_DIR: data,
    BENCHMARK_RESULTS_PATH: results,
    CODE_SEARCH_ROOTS: source,
  })
  t.equal((await gateway.ask()).status, 200)
  t.equal((await gateway.post('/admin/retriv_init', { directories: [source] })).status, 200)
  gateway.core.benchmarkResults()
  const files = [data, results].flatMap(root => [
    root,
    ...readdirSync(root, { recursive: true, encoding: 'utf8' }).map(name => path.join(root, name)),
  ])
  const names = files.map(file => path.basename(file))
  for (const expected of [
    'ledger.db',
    'ledger.db-wal',
    'instance.lock',
    'instance.json',
    'manifest.json',
    'benchmarks.db',
  ]) {
    t.ok(names.includes(expected), expected)
  }
  t.ok(
    names.some(name => name.endsWith('.segment')),
    'a segment of the code index',
  )
  const documented = readFileSync(path.join(import.meta.dirname, '../docs/security.md'), 'utf8')
  const kept = [data, results].flatMap(root => readdirSync(root)).map(name => name.replace(/-(wal|shm|journal)$/, ''))
  t.same(
    kept.filter(name => !new RegExp(`\\b${name}\\b`).test(documented)),
    [],
    'docs/security.md names every file',
  )
  for (const file of files) t.equal(modeOf(file), statSync(file).isDirectory() ? '700' : '600', file)
})

t.test(
  'an existing DATA_DIR that others may enter stays as it is, with a warning that says what to do',
  options,
  async t => {
    const folder = scratch(t)
    const data = path.join(folder, 'data')
    mkdirSync(data)
    for (const [mode, warned] of [
      [0o755, true],
      [0o750, true],
      [0o700, false],
    ] as const) {
      chmodSync(data, mode)
      const lines: string[] = []
      const log = pino({ level: 'warn' }, { write: line => lines.push(line) })
      const gateway = await startGateway(t, { DATA_DIR: data }, [], { log })
      const warnings = lines.filter(line => line.includes('chmod -R go-rwx'))
      t.equal(warnings.length, warned ? 1 : 0, mode.toString(8))
      t.equal(modeOf(data), mode.toString(8))
      t.equal(modeOf(path.join(data, 'ledger.db')), '600')
      await gateway.close(0)
    }
  },
)
