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
