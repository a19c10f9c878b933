import t from 'tap'
import { WebSocket } from 'undici'
import { operations } from '../../src/operations/index.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

t.test('every field of the answers of Signalbox itself is written in snake_case', async t => {
  const { gateway, id } = await asked(t)
  for (const path of ['/health', '/v1/models', '/v1/usage?period=all', `/v1/decisions/${id}`, '/api/tasks']) {
    const reply = await gateway.get(path)
    t.equal(reply.status, 200, path)
    t.strictSame(camelCaseFields(reply.json), [], path)
  }
  const body = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hi' }] })
  const route = await exchange(`${gateway.url}/v1/route`, { method: 'POST', body })
  t.strictSame(camelCaseFields(route.json), [])
  t.ok(route.json.decision.ranked_count > 0, 'the decision itself is there too')
  for (const { name } of operations.filter(({ effect }) => effect === 'read')) {
    const reply = await exchange(`${gateway.url}/admin/${name}`, { method: 'POST', body: '{}' })
    t.strictSame(camelCaseFields(reply.json), [], name)
  }
})

t.test('the first message on /ws is written in snake_case', async t => {
  const { gateway } = await asked(t)
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/ws`)
  const message = await new Promise<unknown>((resolve, reject) => {
    socket.addEventListener('message', ({ data }) => resolve(JSON.parse(String(data))))
    socket.addEventListener('error', ({ message }) => reject(new Error(message)))
  })
  socket.close()
  t.match(message, { type: 'snapshot' })
  t.strictSame(camelCaseFields(message), [])
})

t.test('names of models and kinds of tasks are no field names and stay as they are', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', {
    models: [{ name: 'gpt-oss-20B', contextTokens: 2000 }],
    route: ({ path }) =>
      path === '/apply-template'
        ? { json: { prompt: 'x' } }
        : path === '/tokenize'
          ? { json: { tokens: Array.from({ length: 1700 }, (_, token) => token) } }
          : undefined,
  })
  const gateway = await startGateway(t, variablesFor(local))
  const body = JSON.stringify({
    model: 'auto',
    max_tokens: 10,
    messages: [{ role: 'user', content: 'word '.repeat(2050).trim() }],
  })
  const { json } = await exchange(`${gateway.url}/v1/route`, { method: 'POST', body })
  t.strictSame(json.decision.measured.server_counts, { 'llama-cpp/gpt-oss-20B': 1700 })
})

async function asked(t: Teardown) {
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'lab/big-70b', price: { input: 3, output: 15 }, vision: true }],
  })
  const gateway = await startGateway(t, variablesFor(remote))
  const reply = await gateway.ask({ metadata: { verify: 'not_truncated' } })
  await gateway.core.ledger.flush()
  return { gateway, id: String(reply.headers['x-signalbox-request-id']) }
}

/** Where a field's name is in camelCase. */
function camelCaseFields(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const here = `${path}/${name}`
    return [...(/^[a-z][a-z0-9]*[A-Z]\w*$/.test(name) ? [here] : []), ...camelCaseFields(inner, here)]
  })
}
