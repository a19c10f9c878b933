import t from 'tap'
import { faults } from './faults.ts'
import { noFindings, playFaults } from './play.ts'
import { scheduleOf, wrongIn } from './schedule.ts'

const schedules = 1_000

t.test('whatever servers do, callers get a right status, and no row, slot or socket is lost', async t => {
  const told: string[] = []
  const findings = await playFaults(t, { from: 1, count: schedules }, finding => told.push(finding))
  t.same(told, [])
  t.same(findings, { ...noFindings, faults_tried: schedules })
})

t.test('the schedules hold every fault, and the same seed makes the same schedule', t => {
  const played = Array.from({ length: schedules }, (_, index) => scheduleOf(index + 1))
  t.same(new Set(played.flatMap(({ first, second }) => [first, second])).size, faults.length)
  t.same(played[6], scheduleOf(7))
  t.end()
})

t.test('an answer that the schedule does not allow is found', t => {
  const [none] = faults
  const refusal = faults.find(({ name }) => name === 'a refusal')
  const schedule = { ...scheduleOf(1), stream: false, cascade: false, first: refusal!, second: none! }
  const whole = { status: 200, model: 'b', ending: 'whole' } as const
  t.equal(wrongIn(schedule, ['a', 'b'], whole), undefined)
  t.match(wrongIn(schedule, ['a', 'b'], { ...whole, model: 'a' }), /b answers/)
  t.match(wrongIn(schedule, ['a', 'b'], { ...whole, status: 500, ending: 'broken' }), /b answers/)
  t.match(wrongIn({ ...schedule, second: refusal! }, ['a', 'b'], whole), /all fail/)
  t.end()
})
