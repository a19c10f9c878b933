import path from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { openLedger } from '../../src/ledger/ledger.ts'

const kinds = ['route_task', 'benchmark'] as const
const providers = ['ollama', 'openrouter'] as const

type Step =
  | { do: 'add'; kind: number; provider: number }
  | { do: 'start' | 'complete' | 'fail' | 'cancel' | 'rerun'; job: number }
  | { do: 'prune'; age: number }
  | { do: 'look' }

const step = fc.oneof<fc.Arbitrary<Step>[]>(
  fc.record({ do: fc.constant('add' as const), kind: fc.nat(1), provider: fc.nat(1) }),
  fc.record({ do: fc.constantFrom('start', 'complete', 'fail', 'cancel', 'rerun'), job: fc.nat(30) }),
  fc.record({ do: fc.constant('prune' as const), age: fc.nat(40) }),
  fc.constant({ do: 'look' as const }),
)

t.test('running totals equal a fresh count of the ledger', async t => {
  const folder = t.testdir()
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120 }), fc.boolean(), async (steps, pruning) => {
      const file = path.join(folder, `${String(run++)}.db`)
      const ledger = openLedger({ file, now: () => 0 })
      const store = ledger.tasks
      const figures = (from: typeof store) => ({
        counts: from.counts(),
        typical: kinds.flatMap(kind => providers.map(provider => from.typicalMs(kind, provider))),
      })
      const jobs: string[] = []
      for (const [index, step] of steps.entries()) {
        const job = 'job' in step ? jobs[step.job] : undefined
        if (step.do === 'look') figures(store)
        else if (step.do === 'prune') await store.prune(pruning ? index - step.age : 0)
        else if (step.do === 'add') {
          const id = `job_${String(index)}`
          jobs.push(id)
          store.add(
            { id: `task_${String(index)}`, kind: kinds[step.kind]!, createdAt: index, askedBy: 'me', spec: {} },
            { id, provider: providers[step.provider]!, model: 'm' },
          )
        } else if (job === undefined || store.job(job) === undefined) continue
        else if (step.do === 'start') store.start(job, index)
        else if (step.do === 'complete') store.finish(job, index, { state: 'completed', outcome: {} })
        else if (step.do === 'fail') store.finish(job, index, { state: 'failed', outcome: undefined })
        else if (step.do === 'cancel') store.finish(job, index, { state: 'cancelled', outcome: undefined })
        else if (store.job(job)?.state === 'in_progress') {
          jobs.push(`again_${String(index)}`)
          store.rerun(job, index, 'again', `again_${String(index)}`)
        }
      }
      const carried = figures(store)
      await ledger.close()
      const fresh = openLedger({ file, now: () => 0 })
      t.same(figures(fresh.tasks).counts, carried.counts)
      // Pruned jobs are forgotten by a new look; until then they still say how long such a thing takes.
      if (!pruning) t.same(figures(fresh.tasks), carried)
      await fresh.close()
    }),
    { numRuns: 40 },
  )
})
