import fc from 'fast-check'
import t from 'tap'
import { createSlots, type SlotPriority } from '../../src/gateway/slots.ts'
import { gate, scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

const live = () => new AbortController().signal
const limits = { slots: 1, queueLimit: 100, queueTimeoutMs: 60_000 }

t.test('one local slot serves requests one at a time, in order of arrival', async t => {
  const gates = Array.from({ length: 4 }, gate)
  const local = await scriptedUpstream(t, 'llama-cpp', {
    answer: (_request, index) => ({ hold: { before: 'headers', until: gates[index]!.opened } }),
  })
  const gateway = await startGateway(t, variablesFor(local))
  const slots = gateway.core.slotsOf('llama-cpp')
  const asked = []
  for (let index = 0; index < gates.length; index++) {
    asked.push(gateway.ask({ messages: [{ role: 'user', content: `number ${index}` }] }))
    while (slots.busy() + slots.waiting() <= index) await new Promise(resolve => setTimeout(resolve, 2))
  }
  for (let index = 0; index < gates.length; index++) {
    await local.untilChats(index + 1)
    t.equal(local.chats.length, index + 1)
    gates[index]!.open()
  }
  await Promise.all(asked)
  t.strictSame(
    local.chats.map(chat => (chat.body['messages'] as { content: string }[])[0]?.content),
    ['number 0', 'number 1', 'number 2', 'number 3'],
  )
})

t.test('a request that waits too long, or finds the queue full, gets an error', async t => {
  const held = gate()
  t.teardown(held.open)
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { hold: { before: 'headers', until: held.opened } } })
  const gateway = await startGateway(t, {
    ...variablesFor(local),
    PROVIDER_QUEUE_LIMIT: '1',
    PROVIDER_QUEUE_TIMEOUT_MS: '100',
  })
  const first = gateway.ask()
  await local.untilChats(1)
  const second = gateway.ask()
  while (gateway.core.slotsOf('llama-cpp').waiting() === 0) await new Promise(resolve => setTimeout(resolve, 2))
  t.match(await gateway.ask(), { status: 503, json: { error: { code: 'queue_full' } } })
  t.match(await second, { status: 503, json: { error: { code: 'queue_timeout' } } })
  held.open()
  t.equal((await first).status, 200)
})

t.test('a request cancelled in the queue frees its place', async t => {
  const slots = createSlots('one', () => limits)
  const release = await slots.acquire(live())
  const controller = new AbortController()
  const waiting = slots.acquire(controller.signal)
  t.equal(slots.waiting(), 1)
  controller.abort(new Error('gone'))
  await t.rejects(waiting)
  t.equal(slots.waiting(), 0)
  release()
  t.equal(slots.busy(), 0)
})

t.test('a higher priority is served first, and equal priorities in order of arrival', async t => {
  const slots = createSlots('one', () => limits)
  const release = await slots.acquire(live())
  const order: string[] = []
  const enter = async (name: string, priority: SlotPriority) => {
    const leave = await slots.acquire(live(), { priority })
    order.push(name)
    leave()
  }
  const all = [enter('a', 'low'), enter('b', 'normal'), enter('c', 'low'), enter('d', 'normal')]
  release()
  await Promise.all(all)
  t.strictSame(order, ['b', 'd', 'a', 'c'])
})

t.test('a low-priority request takes no place in the queue and has no time limit', async t => {
  const slots = createSlots('one', () => ({ slots: 1, queueLimit: 1, queueTimeoutMs: 10 }))
  const release = await slots.acquire(live())
  const low = slots.acquire(live(), { priority: 'low' })
  t.equal(slots.waiting(), 0)
  await t.rejects(slots.acquire(live()), { code: 'queue_timeout' })
  release()
  ;(await low)()
  t.equal(slots.busy(), 0)
})

t.test('no more slots than the limit are ever held, and none is lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.constantFrom('enter', 'leave', 'cancel', 'leave twice'), { maxLength: 60 }),
      async (count, moves) => {
        const slots = createSlots('some', () => ({ ...limits, slots: count }))
        const held: (() => void)[] = []
        const line: AbortController[] = []
        for (const move of moves) {
          if (move === 'enter') {
            const controller = new AbortController()
            line.push(controller)
            slots.acquire(controller.signal).then(
              release => held.push(release),
              () => undefined,
            )
          } else if (move === 'cancel') line.pop()?.abort(new Error('gone'))
          else {
            const release = held.shift()
            release?.()
            if (move === 'leave twice') release?.()
          }
          await new Promise(resolve => setImmediate(resolve))
          if (slots.busy() > count || slots.busy() !== held.length) throw new Error('slots do not add up')
          if (slots.waiting() > 0 && slots.busy() < count) throw new Error('a slot is free while a request waits')
        }
        // What still waits would keep the process alive until its time is over.
        for (const controller of line) controller.abort(new Error('the end'))
      },
    ),
    { numRuns: 100 },
  )
})
