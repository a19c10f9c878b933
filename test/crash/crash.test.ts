import t from 'tap'
import { playClockJumps } from './clock-jumps.ts'
import { playKills } from './kills.ts'
import { playScenarios, scenarios } from './scenarios.ts'

// `npm run test:crash` plays a hundred kills and the scenarios that take longer.
t.test('killed under load, a server loses no settled request and no task, and doubles none', async t => {
  const told: string[] = []
  const findings = await playKills(t, { kills: 3, seed: 5, longestLoadMs: 300 }, finding => told.push(finding))
  t.same(told, [])
  const {
    kills,
    requests_settled: settled,
    tasks_submitted: tasks,
    searches,
    longest_silence_ms: _,
    ...wrong
  } = findings
  t.equal(kills, 3)
  t.ok(settled > 0 && tasks + searches > 0, `${settled} requests, ${tasks} tasks, ${searches} searches`)
  t.ok(Object.values(wrong).every(count => count === 0))
})

t.test('of several servers started at once on one folder one runs, and the others say so', async t => {
  const told: string[] = []
  const chosen = scenarios.filter(({ name }) => name.startsWith('several servers'))
  t.match(await playScenarios(t, line => told.push(line), chosen), { crash_scenarios: 1, scenario_problems: 0 })
  t.same(told, [])
})

t.test('a clock that jumps loses no request and no task', async t => {
  t.same(await playClockJumps(t), [])
})
