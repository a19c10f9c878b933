import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { commands } from '../../src/cli/commands.ts'
import { signalbox, temporaryRoot } from '../helpers/signalbox.ts'

const project = path.resolve(import.meta.dirname, '../..')

t.test('the help of each command fits a screen and ends with an example', async t => {
  const names = Object.keys(commands)
  const helps = await Promise.all([
    signalbox(temporaryRoot(t), ['--help']).ended,
    ...names.map(name => signalbox(temporaryRoot(t), [name, '--help']).ended),
  ])
  for (const [index, { code, stdout, stderr }] of helps.entries()) {
    const name = ['signalbox', ...names][index]!
    t.equal(code, 0, stderr)
    t.ok(stdout.split('\n').length <= 40, `${name}: ${stdout.split('\n').length} lines`)
    t.match(stdout, /^Usage: signalbox/)
    t.match(stdout, /\bExample[^\n]*:\n {2}\S/, name)
    t.equal(stderr, '')
  }
  for (const name of names) t.match(helps[0].stdout, new RegExp(`^ {2}${name} +\\w`, 'm'))
  const asked = await signalbox(temporaryRoot(t), ['help', 'usage']).ended
  t.equal(asked.stdout, helps[1 + names.indexOf('usage')]!.stdout, 'help usage is usage --help')
})

t.test('--version prints the version of package.json', async t => {
  const { version } = JSON.parse(readFileSync(path.join(project, 'package.json'), 'utf8')) as { version: string }
  const { code, stdout } = await signalbox(temporaryRoot(t), ['--version']).ended
  t.strictSame({ code, stdout }, { code: 0, stdout: `${version}\n` })
})

t.test('an unknown command or option is reported on one line with the nearest match, and exit code 2', async t => {
  const cases = [
    [['serv'], /^signalbox: unknown command 'serv' .*\bserve\b/],
    [['dance'], /^signalbox: unknown command 'dance'/],
    [['--prot', '1'], /^signalbox: unknown option '--prot' .*--port/],
    [['mcp', '--readonly'], /^signalbox: unknown option '--readonly' .*--read-only/],
    [['usage', '--perod', '7d'], /^signalbox: unknown option '--perod' .*--period/],
    [['usage', '--json', '--csv'], /^signalbox: .*'--csv'.*'--json'/],
    [['usage', '--group-by', 'color'], /^signalbox: --group-by must be one or several of model, .*day, .*key, /],
    [['usage', '--period', 'soon'], /^signalbox: --period must be today, /],
    [['benchmark', 'qwen3'], /^signalbox: too many arguments for 'benchmark'/],
    [['serve', '--port'], /^signalbox: .*'--port <number>' argument missing/],
  ] as const
  const results = await Promise.all(cases.map(([args]) => signalbox(temporaryRoot(t), args).ended))
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    t.equal(code, 2, stderr)
    t.match(stderr, cases[index]![1])
    t.match(stderr, /^[^\n]+\n$/)
    t.equal(stdout, '')
  }
})

t.test('.env.example equals the output of signalbox settings', async t => {
  const { stdout } = await signalbox(temporaryRoot(t), ['settings']).ended
  t.equal(stdout, readFileSync(path.join(project, '.env.example'), 'utf8'))
})
