import t from 'tap'
import { playClockJumps } from './clock-jumps.ts'
import { playKills } from './kills.ts'

// `npm run test:crash` plays a hundred kills, and the scenarios that take longer.
t.test('killed under load, a server loses no settled request and no task, and doubles none', async t => {
  const told: string[] = []
  const findings = await playKills(t, { kills: 2, seed: 5, longestLoadMs: 300 }, finding => told.push(finding))
  t.same(told, [])
  t.match(findings, {
    kills: 2,
    lost_rows: 0,
    doubled_rows: 0,
    lost_tasks: 0,
    stuck_tasks: 0,
    integrity_failures: 0,
    failed_starts: 0,
    wrong_answers: 0,
  })
  const { requests_settled: settled, tasks_submitted: tasks, searches } = findings
  t.ok(settled > 0 && tasks + searches > 0, `${settled} requests, ${tasks} tasks, ${searches} searches`)
})

t.test('a clock that jumps loses no request and no task', async t => {
  t.same(await playClockJumps(t), [])
})
