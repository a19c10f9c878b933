import fc from 'fast-check'
import t from 'tap'
import { createSlots } from '../../src/gateway/slots.ts'
import { gate, scriptedUpstream, type ScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type TestGateway } from '../helpers/start-gateway.ts'

/** An Ollama with memory for one model; it loads `a` when it starts. */
async function oneModelInMemory(t: Parameters<typeof scriptedUpstream>[0]) {
  const first = gate()
  const upstream = await scriptedUpstream(t, 'ollama', {
    models: [{ name: 'a', loadedContextTokens: 8192 }, 'b'],
    answer: (_request, index) => (index === 0 ? { hold: { before: 'headers', until: first.opened } } : {}),
  })
  return { upstream, first }
}

/** The order in which models were called, and how often that made the server load one. */
function loadsOf({ chats }: ScriptedUpstream): { order: string; loads: number } {
  const order = chats.map(({ body }) => String(body['model'])).join('')
  return { order, loads: order.split('').filter((model, at) => model !== (order[at - 1] ?? 'a')).length }
}

/** Asks for the models in this order; each request is in the queue before the next is sent. */
async function askInOrder(
  gateway: TestGateway,
  upstream: ScriptedUpstream,
  order: string,
): Promise<Promise<unknown>[]> {
  const slots = gateway.core.slotsOf('ollama')
  const before = slots.busy() + slots.waiting()
  const asked: Promise<unknown>[] = []
  for (const [at, model] of order.split('').entries()) {
    asked.push(gateway.ask({ model: `ollama/${model}` }))
    while (slots.busy() + slots.waiting() <= before + at) await new Promise(resolve => setTimeout(resolve, 2))
  }
  await upstream.untilChats(1)
  return asked
}

t.test('models that evict each other, asked for in turn, are loaded once each and not at every request', async t => {
  const { upstream, first } = await oneModelInMemory(t)
  const gateway = await startGateway(t, variablesFor(upstream))
  const asked = await askInOrder(gateway, upstream, 'abababab')
  first.open()
  await Promise.all(asked)
  t.strictSame(loadsOf(upstream), { order: 'aaaabbbb', loads: 1 })
})

t.test('LOCAL_BATCH_MAX_WAIT_MS=0 keeps the order of arrival', async t => {
  const { upstream, first } = await oneModelInMemory(t)
  const gateway = await startGateway(t, { ...variablesFor(upstream), LOCAL_BATCH_MAX_WAIT_MS: '0' })
  const asked = await askInOrder(gateway, upstream, 'abab')
  first.open()
  await Promise.all(asked)
  t.strictSame(loadsOf(upstream), { order: 'abab', loads: 3 })
})

t.test('a request that has waited for as long as it may goes before others, whatever is loaded', async t => {
  let now = 1_700_000_000_000
  const { upstream, first } = await oneModelInMemory(t)
  const gateway = await startGateway(t, variablesFor(upstream), [], { now: () => now })
  const asked = await askInOrder(gateway, upstream, 'ab')
  now += 10_000
  asked.push(...(await askInOrder(gateway, upstream, 'aa')))
  first.open()
  await Promise.all(asked)
  t.equal(loadsOf(upstream).order, 'abaa')
})

t.test('models that are in memory together are served in order of arrival', async t => {
  const first = gate()
  const upstream = await scriptedUpstream(t, 'ollama', {
    models: [
      { name: 'a', loadedContextTokens: 8192 },
      { name: 'b', loadedContextTokens: 8192 },
    ],
    answer: (_request, index) => (index === 0 ? { hold: { before: 'headers', until: first.opened } } : {}),
  })
  const gateway = await startGateway(t, variablesFor(upstream))
  const asked = await askInOrder(gateway, upstream, 'abab')
  first.open()
  await Promise.all(asked)
  t.equal(loadsOf(upstream).order, 'abab')
})

t.test('nobody is passed over after the longest wait, and requests of low priority pass nobody', async () => {
  const arrival = fc.record({
    model: fc.constantFrom('a', 'b', 'c'),
    priority: fc.constantFrom('normal' as const, 'normal' as const, 'low' as const),
    pause: fc.nat(8),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(arrival, { maxLength: 25 }), fc.nat(20), async (arrivals, maxWait) => {
      let now = 0
      const batching = {
        maxWaitMs: () => maxWait,
        evicts: (next: string, last: string) => next !== last,
        now: () => now,
      }
      const slots = createSlots('one', () => ({ slots: 1, queueLimit: 100, queueTimeoutMs: 60_000 }), batching)
      const signal = new AbortController().signal
      let release = await slots.acquire(signal, { model: 'a' })
      const waiting: { place: number; since: number; priority: string }[] = []
      const admitted: number[] = []
      for (const [place, { model, priority, pause }] of arrivals.entries()) {
        now += pause
        waiting.push({ place, since: now, priority })
        const enter = async () => {
          release = await slots.acquire(signal, { model, priority })
          admitted.push(place)
        }
        void enter()
      }
      while (waiting.length > 0) {
        now += 3
        const overdue = waiting.find(({ since, priority }) => priority === 'normal' && now - since >= maxWait)
        release()
        await new Promise(resolve => setImmediate(resolve))
        const place = admitted.at(-1)!
        const served = waiting.splice(
          waiting.findIndex(each => each.place === place),
          1,
        )[0]!
        if (overdue !== undefined && served.place !== overdue.place)
          throw new Error('one that waited too long was passed over')
        if (served.priority === 'low' && waiting.some(({ priority }) => priority === 'normal')) {
          throw new Error('a request of low priority went first')
        }
      }
      release()
    }),
    { numRuns: 100 },
  )
})
