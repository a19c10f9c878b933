import fc from 'fast-check'
import t, { type Test } from 'tap'
import { bucketsOf, type Budget, type Bucket } from '../../src/accounting/budget.ts'
import { createCalendar } from '../../src/accounting/calendar.ts'
import type { Ledger } from '../../src/ledger/ledger.ts'
import type { ReachedShare } from '../../src/ledger/reservations.ts'
import { openTestLedger } from './open-ledger.ts'

const budgets: Budget[] = [
  { name: 'all', scope: 'total', subject: null, limit: 1_000n, period: 'month', isHard: true },
  { name: 'each-key', scope: 'key', subject: null, limit: 600n, period: 'day', isHard: true },
  { name: 'tag', scope: 'tag', subject: 'ci', limit: 400n, period: 'forever', isHard: true },
  { name: 'soft', scope: 'provider', subject: null, limit: 300n, period: 'hour', isHard: false },
]
const calendar = createCalendar('Europe/Berlin')
const place = { model: 'far/m', provider: 'far' }

const reserve = fc.record({
  type: fc.constant('reserve' as const),
  key: fc.constantFrom('alice', 'bob'),
  tags: fc.subarray(['ci', 'docs']),
  most: fc.integer({ min: 1, max: 500 }),
  leastShare: fc.double({ min: 0, max: 1, noNaN: true }),
})
const end = fc.record({
  type: fc.constantFrom('settle', 'estimate', 'give up', 'kill'),
  which: fc.nat(),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
})
const wait = fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: -100_000_000, max: 700_000_000 }) })
const steps = fc.array(fc.oneof({ weight: 4, arbitrary: reserve }, { weight: 4, arbitrary: end }, wait), {
  maxLength: 60,
})

t.test(
  'no sequence of reservations, ends, kills and clock changes passes a hard limit, and all that is spent and held is what a model says',
  async t => {
    await fc.assert(
      fc.asyncProperty(steps, async list => {
        const ledger = await openWith(t, budgets)
        let now = Date.parse('2026-03-28T20:00:00Z')
        const open = new Map<string, { buckets: Bucket[]; held: bigint; estimate?: bigint }>()
        const model = new Map<string, { settled: bigint; held: bigint; limit: bigint; isHard: boolean }>()
        const windowOf = (bucket: Bucket) => {
          const key = JSON.stringify([bucket.budget.name, bucket.subject, bucket.window])
          const { limit, isHard } = bucket.budget
          if (!model.has(key)) model.set(key, { settled: 0n, held: 0n, limit, isHard })
          return model.get(key)!
        }
        const close = (id: string, cost: bigint) => {
          const { buckets, held } = open.get(id)!
          open.delete(id)
          for (const bucket of buckets) {
            windowOf(bucket).held -= held
            windowOf(bucket).settled += cost
          }
        }
        for (const [index, step] of list.entries()) {
          if (step.type === 'wait') now += step.ms
          else if (step.type === 'reserve') {
            const { key, tags, most, leastShare } = step
            const spender = { key, tags, session: undefined, task: undefined }
            const buckets = bucketsOf(budgets, spender, place, { calendar, now })
            const least = BigInt(Math.ceil(most * leastShare))
            const requestId = `r${index}`
            const result = await ledger.budgets.reserve({
              requestId,
              ordinal: 0,
              buckets,
              most: BigInt(most),
              least,
              at: now,
            })
            const left = buckets
              .filter(({ budget }) => budget.isHard)
              .map(bucket => windowOf(bucket).limit - windowOf(bucket).settled - windowOf(bucket).held)
              .reduce((a, b) => (a < b ? a : b))
            const expected = left < BigInt(most) ? left : BigInt(most)
            if ('refused' in result) {
              if (expected >= least) return false
              continue
            }
            if (result.granted !== expected) return false
            open.set(requestId, { buckets, held: expected })
            for (const bucket of buckets) windowOf(bucket).held += expected
          } else {
            if (step.type === 'kill') {
              // All that no one settled: what was estimated is not in the ledger here, so that it counts in full as well.
              await ledger.budgets.recover(now)
              for (const [id, { held }] of open) close(id, held)
              continue
            }
            const id = [...open.keys()][step.which % Math.max(1, open.size)]
            if (id === undefined) continue
            const { held, estimate } = open.get(id)!
            const cost = BigInt(Math.floor(Number(held) * step.share))
            if (step.type === 'give up') {
              await ledger.budgets.settleEstimate({ requestId: id, ordinal: 0 })
              close(id, estimate ?? held)
            } else if (step.type === 'estimate') {
              ledger.budgets.settle({ requestId: id, ordinal: 0, cost, isEstimate: true })
              open.get(id)!.estimate = cost
            } else {
              ledger.budgets.settle({ requestId: id, ordinal: 0, cost, isEstimate: false })
              close(id, cost)
            }
          }
        }
        const found = (
          await Promise.all(budgets.map(({ name }) => ledger.budgets.windows(name, undefined, 1_000)))
        ).flat()
        const isSame = found.every(({ budget, subject, window, settled, held }) => {
          const expected = model.get(JSON.stringify([budget, subject, window]))
          return expected?.settled === settled && expected.held === held
        })
        const isWithin = [...model.values()].every(
          ({ isHard, settled, held, limit }) => !isHard || settled + held <= limit,
        )
        await ledger.close()
        return isSame && isWithin
      }),
      { numRuns: 150 },
    )
    t.pass('held in every run')
  },
)

t.test('each share of a limit is told once in each period, when it is reached', async t => {
  const ledger = await openWith(t, [{ ...budgets[0]!, limit: 100n }])
  const told: ReachedShare[] = []
  ledger.budgets.onReached(reached => told.push(reached))
  let number = 0
  const spend = async (cost: bigint, month: string) => {
    const at = Date.parse(`${month}-15T00:00:00Z`)
    const spender = { key: 'alice', tags: [], session: undefined, task: undefined }
    const buckets = bucketsOf([{ ...budgets[0]!, limit: 100n }], spender, place, { calendar, now: at })
    const attempt = { requestId: `r${number++}`, ordinal: 0 }
    await ledger.budgets.reserve({ ...attempt, buckets, most: 1n, least: 0n, at })
    ledger.budgets.settle({ ...attempt, cost, isEstimate: false })
    await ledger.flush()
    return told.splice(0).map(({ share, settled }) => [share, Number(settled)])
  }
  t.same(await spend(79n, '2026-03'), [])
  t.same(await spend(1n, '2026-03'), [[80, 80]])
  t.same(await spend(1n, '2026-03'), [])
  t.same(await spend(30n, '2026-03'), [[100, 111]])
  t.same(await spend(30n, '2026-03'), [])
  t.same(await spend(100n, '2026-04'), [[100, 100]])
})

t.test('amounts beyond what a number can count exactly are exact', async t => {
  const limit = 900_000_000_000_000_001n
  const ledger = await openWith(t, [{ ...budgets[0]!, limit }])
  const spender = { key: 'alice', tags: [], session: undefined, task: undefined }
  const buckets = bucketsOf([{ ...budgets[0]!, limit }], spender, place, { calendar, now: 0 })
  const attempt = { requestId: 'r', ordinal: 0 }
  const result = await ledger.budgets.reserve({ ...attempt, buckets, most: limit + 1n, least: limit, at: 0 })
  t.match(result, { granted: limit })
  ledger.budgets.settle({ ...attempt, cost: limit - 1n, isEstimate: false })
  t.match(await ledger.budgets.windows('all', undefined, 1), [{ settled: limit - 1n, held: 0n }])
  t.match(await ledger.budgets.load(), [{ limit }])
})

t.test(
  'a budget that counts otherwise than before begins afresh, and another limit changes nothing that was spent',
  async t => {
    const ledger = await openWith(t, budgets)
    const spender = { key: 'alice', tags: [], session: undefined, task: undefined }
    const attempt = { requestId: 'r', ordinal: 0 }
    await ledger.budgets.reserve({
      ...attempt,
      buckets: bucketsOf(budgets, spender, place, { calendar, now: 0 }),
      most: 50n,
      least: 0n,
      at: 0,
    })
    await ledger.budgets.put({ ...budgets[0]!, limit: 70n }, 0)
    await ledger.budgets.put({ ...budgets[1]!, period: 'week' }, 0)
    await ledger.budgets.remove('soft')
    ledger.budgets.settle({ ...attempt, cost: 40n, isEstimate: false })
    t.match(await ledger.budgets.windows('all', undefined, 10), [{ settled: 40n, held: 0n }])
    t.same(await ledger.budgets.windows('each-key', undefined, 10), [])
    t.same(await ledger.budgets.windows('soft', undefined, 10), [])
    t.same(
      (await ledger.budgets.load()).map(({ name, limit }) => [name, limit]),
      [
        ['all', 70n],
        ['each-key', 600n],
        ['tag', 400n],
      ],
    )
  },
)

t.test('windows that ended are deleted, those that last or hold money are not', async t => {
  const forever = { ...budgets[2]!, subject: null }
  const sessions: Budget = { ...forever, name: 'sessions', scope: 'session' }
  const ledger = await openWith(t, [budgets[0]!, forever, sessions])
  const spender = { key: 'alice', tags: ['ci'], session: 's', task: undefined }
  const reserveAt = async (requestId: string, at: number) => {
    const buckets = bucketsOf([budgets[0]!, forever, sessions], spender, place, { calendar, now: at })
    await ledger.budgets.reserve({ requestId, ordinal: 0, buckets, most: 5n, least: 0n, at })
  }
  await reserveAt('ended', Date.parse('2026-01-15'))
  await reserveAt('held', Date.parse('2026-02-15'))
  ledger.budgets.settle({ requestId: 'ended', ordinal: 0, cost: 5n, isEstimate: false })
  await ledger.flush()
  t.equal(await ledger.budgets.prune(Date.parse('2026-03-15')), 1)
  t.match(await ledger.budgets.windows('all', undefined, 10), [{ window: '2026-02', held: 5n }])
  ledger.budgets.settle({ requestId: 'held', ordinal: 0, cost: 5n, isEstimate: false })
  await ledger.flush()
  t.equal(await ledger.budgets.prune(Date.parse('2026-03-15')), 2)
  t.match(await ledger.budgets.windows('tag', undefined, 10), [{ settled: 10n }])
  t.same(await ledger.budgets.windows('sessions', undefined, 10), [])
})

async function openWith(t: Test, list: readonly Budget[], file?: string): Promise<Ledger> {
  const ledger = openTestLedger(t, file === undefined ? {} : { file })
  for (const budget of list) await ledger.budgets.put(budget, 0)
  return ledger
}
