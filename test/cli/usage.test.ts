import path from 'node:path'
import t from 'tap'
import type { UsageReport } from '../../src/ledger/usage.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'
import { signalbox, temporaryRoot } from '../helpers/signalbox.ts'

t.test(
  'usage of a running instance is its own report, and the same is read from the ledger when it has ended',
  async t => {
    const root = temporaryRoot(t)
    const data = path.join(root, 'data')
    const local = await scriptedUpstream(t, 'llama-cpp', { models: ['small'] })
    const gateway = await startGateway(t, { ...variablesFor(local), DATA_DIR: data })
    for (let n = 0; n < 3; n += 1) t.equal((await gateway.ask({ model: 'llama-cpp/small' })).status, 200)
    await gateway.ask({ model: 'no-such-model' })

    const running = await signalbox(root, ['usage', '--period', 'today', '--json']).ended
    t.equal(running.code, 0, running.stderr)
    const report = JSON.parse(running.stdout) as UsageReport
    t.match(report, { group_by: ['model'], totals: { requests: 4, errors: 1 } })
    t.equal(report.rows.find(({ group }) => group.model === 'llama-cpp/small')?.requests, 3)

    await gateway.close(0)
    const stored = await signalbox(root, ['usage', '--period', 'today', '--json']).ended
    const { rows, totals } = JSON.parse(stored.stdout) as UsageReport
    t.strictSame({ rows, totals }, { rows: report.rows, totals: report.totals })

    const table = await signalbox(root, ['usage', '--data-dir', data, '--group-by', 'provider']).ended
    t.match(table.stdout, /^Usage from .* UTC/)
    t.match(table.stdout, /^provider +requests +errors +input +cached +output +cost +avoided +first token +duration$/m)
    t.match(table.stdout, /^llama-cpp +3 +0 /m)
    t.match(table.stdout, /^\(no model answered\) +1 +1 /m)
    t.match(table.stdout, /^total +4 +1 /m)

    const csv = await signalbox(root, ['usage', '--csv']).ended
    t.match(csv.stdout, /^model,requests,errors,/)
    t.match(csv.stdout, /^llama-cpp\/small,3,0,/m)
  },
)

t.test('usage takes several groupings and filters, and names what is wrong with them', async t => {
  const root = temporaryRoot(t)
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['small'] })
  const gateway = await startGateway(t, { ...variablesFor(local), DATA_DIR: path.join(root, 'data') })
  await gateway.ask({}, { headers: { 'x-signalbox-tags': 'night' } })
  await gateway.ask()
  const usage = (...options: string[]) => signalbox(root, ['usage', ...options]).ended
  const csv = await usage('--csv', '--group-by', 'model,tag', '--filter', 'tag=night', '--time-zone', 'Europe/Berlin')
  t.match(csv.stdout, /^model,tag,requests,[^\r]*\r\nllama-cpp\/small,night,1,/)
  t.match(
    (await usage('--group-by', 'colour')).stderr,
    /^signalbox: --group-by must be one or several of [^\n]*model[^\n]*\n$/,
  )
  t.match((await usage('--filter', 'colour=red')).stderr, /name=value, with a name of model/)
  t.match((await usage('--time-zone', 'Mars')).stderr, /--time-zone must be a time zone/)
})

t.test('usage reconcile prints what was recorded and what was billed', async t => {
  const root = temporaryRoot(t)
  let billed = 1
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'lab/paid', price: { input: 3, output: 15 } }],
    route: ({ path }) => (path.endsWith('/key') ? { json: { data: { usage: billed, byok_usage: 0 } } } : undefined),
    answer: { usage: { promptTokens: 10, outputTokens: 5, costUsd: 0.25 } },
  })
  const gateway = await startGateway(t, { ...variablesFor(remote), DATA_DIR: path.join(root, 'data') })
  const reconcile = () => signalbox(root, ['usage', 'reconcile', '--max-bills', '5']).ended
  t.match((await reconcile()).stdout, /^openrouter from [^\n]*\nrecorded 0\.000000; this is the first check/)
  await gateway.ask({ model: 'openrouter/lab/paid' })
  billed = 1.5
  const { stdout } = await reconcile()
  t.match(stdout, /recorded 0\.250000, billed 0\.500000, drift 0\.250000/)
  t.match(stdout, /^openrouter\/lab\/paid +1 +0\.250000 /m)
  await gateway.close(0)
  const { code, stderr } = await reconcile()
  t.equal(code, 1)
  t.match(stderr, /^signalbox: No Signalbox runs with [^\n]+\n$/)
})

t.test('without a ledger usage says so and prints an empty report', async t => {
  const root = temporaryRoot(t)
  const { code, stdout, stderr } = await signalbox(root, ['usage', '--json']).ended
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { rows: [], totals: { requests: 0 } })
  t.match(stderr, /^No requests recorded yet: [^\n]+\n$/)
})

t.test('a database of another program is one clear line and exit code 1', async t => {
  const root = temporaryRoot(t, {
    'ledger.db': 'this is not a database at all, but long enough to be read as one'.repeat(9),
  })
  const { code, stdout, stderr } = await signalbox(root, ['usage', '--data-dir', root]).ended
  t.equal(code, 1)
  t.match(stderr, /^signalbox: The ledger [^\n]+ledger\.db[^\n]+\n$/)
  t.equal(stdout, '')
})
