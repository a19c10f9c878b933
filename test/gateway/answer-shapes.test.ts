import t from 'tap'
import { type Answer, scriptedUpstream, type UpstreamKind } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

const json = (body: unknown): Answer => ({
  raw: { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
})
const events = (...payloads: unknown[]): Answer => ({
  raw: {
    headers: { 'content-type': 'text/event-stream' },
    body: payloads.map(payload => `data: ${typeof payload === 'string' ? payload : JSON.stringify(payload)}\n\n`),
  },
})
const lines = (...values: unknown[]): Answer => ({
  raw: {
    headers: { 'content-type': 'application/x-ndjson' },
    body: values.map(value => `${JSON.stringify(value)}\n`),
  },
})

/** What stands for a message, whole or as a delta, in an answer that nobody can read. */
const messages: unknown[] = [
  null,
  7,
  'text',
  [],
  { role: 'assistant', content: 7 },
  { role: 'assistant', content: true },
  { role: 'assistant', content: { text: 'x' } },
  { role: 'assistant', content: [null] },
  { role: 'assistant', content: null, tool_calls: [null] },
  { role: 'assistant', content: null, tool_calls: { 0: {} } },
  { role: 'assistant', content: null, tool_calls: [{ function: 7 }] },
  { role: 'assistant', content: null, tool_calls: [{ function: { name: { a: 1 }, arguments: '{}' } }] },
  { role: 'assistant', content: null, tool_calls: [{ index: 4e9, function: { name: 'f', arguments: '{}' } }] },
  { role: 'assistant', content: 'x', reasoning_content: {} },
]
const choices: unknown[] = [{}, 'x', 7, null, [null], ['x'], [[]]]
const wholes: unknown[] = [
  ...messages.map(message => ({ choices: [{ index: 0, message, finish_reason: 'stop' }] })),
  ...choices.map(wrong => ({ choices: wrong })),
  { choices: [{ message: { content: 'x' }, finish_reason: { reason: 'stop' } }] },
  {},
  [],
  null,
  'text',
]
const deltas: unknown[] = [
  ...messages.filter(each => each !== null).map(delta => ({ choices: [{ index: 0, delta, finish_reason: null }] })),
  ...choices.filter(each => each !== null).map(wrong => ({ choices: wrong })),
]

const broken: [UpstreamKind, string, Answer][] = [
  ...wholes.map((body): [UpstreamKind, string, Answer] => ['openai-compatible', JSON.stringify(body), json(body)]),
  ...deltas.map((chunk): [UpstreamKind, string, Answer] => [
    'openai-compatible',
    `data: ${JSON.stringify(chunk)}`,
    events(chunk, '[DONE]'),
  ]),
  ...[...messages, undefined].map((message): [UpstreamKind, string, Answer] => [
    'ollama',
    `line: ${JSON.stringify(message)}`,
    lines({ message: remade(message), done: true }),
  ]),
]

/** Ollama's own names for the same. */
function remade(message: unknown): unknown {
  if (typeof message !== 'object' || message === null || !('reasoning_content' in message)) return message
  return { role: 'assistant', content: 7 }
}

t.test('an answer of a wrong shape is an upstream error, another model answers, and its breaker opens', async t => {
  for (const kind of ['openai-compatible', 'ollama'] as const) {
    const bad = await scriptedUpstream(t, kind, { models: ['bad'] })
    const good = await scriptedUpstream(t, 'llama-cpp', { models: ['good'] })
    const gateway = await startGateway(t, { ...variablesFor(bad, good), PROVIDER_TIMEOUT_MS: '2000' })
    const cases = broken.filter(([each]) => each === kind)
    for (const [, name, answer] of cases) {
      if (kind === 'ollama' && name.includes('4000000000')) continue
      for (const stream of [false, true]) {
        bad.script.answer = answer
        const reply = await gateway.ask({ model: `${kind}/bad`, models: ['llama-cpp/good'], stream })
        t.equal(reply.status, 200, name)
        t.equal(reply.headers['x-signalbox-model'], 'llama-cpp/good', `${name}, ${stream ? 'streamed' : 'whole'}`)
        // Something in order closes the breaker again.
        bad.script.answer = {}
        const { id } = (await gateway.core.ledger.recent(1))[0]!
        const record = await gateway.core.ledger.request(id)
        t.match(record?.attempts[0], { outcome: 'error', failure_code: 'upstream_error' }, name)
        t.equal((await gateway.ask({ model: `${kind}/bad` })).headers['x-signalbox-model'], `${kind}/bad`)
      }
    }
    bad.script.answer = cases[0]![2]
    for (let request = 0; request < 4; request++)
      await gateway.ask({ model: `${kind}/bad`, models: ['llama-cpp/good'] })
    t.match(
      (await gateway.get('/v1/models')).json.data.find(({ id }: { id: string }) => id === `${kind}/bad`),
      { available: false, unavailable_reason: /3 times in a row/ },
      `${kind}: shown as out of service`,
    )
  }
})

t.test('a wrong shape in the middle of a stream ends it with an error event, and the row says so', async t => {
  const start = { id: 'c', choices: [{ index: 0, delta: { role: 'assistant', content: 'Once' }, finish_reason: null }] }
  const bad = await scriptedUpstream(t, 'openai-compatible', { models: ['bad'] })
  const gateway = await startGateway(t, variablesFor(bad))
  for (const wrong of [...deltas, '{"choices":[{"index":0,"delta":{"content":"cut o']) {
    bad.script.answer = events(start, wrong, '[DONE]')
    for (const path of ['chat/completions', 'messages', 'responses']) {
      const reply = await gateway.post(`/v1/${path}`, bodyFor(path))
      t.match(reply.text, /Once/, path)
      t.match(reply.text, /"?error"?/, `${path}: ${JSON.stringify(wrong)}`)
      t.notMatch(reply.text, /"message_stop"|"response.completed"|\[DONE\]/, path)
      t.match((await gateway.core.ledger.recent(1))[0], { outcome: 'error', failure_code: 'upstream_error' })
      bad.script.answer = {}
      await gateway.ask()
      bad.script.answer = events(start, wrong, '[DONE]')
    }
  }
})

function bodyFor(path: string): object {
  const messages = [{ role: 'user', content: 'Hello?' }]
  if (path === 'responses') return { model: 'auto', input: 'Hello?', stream: true }
  return { model: 'auto', messages, stream: true, max_tokens: 50 }
}

t.test('usage that no request can have is bounded, and the row is kept', async t => {
  const absurd = [1e308, 2 ** 60, -5, 1.5, '12', null, {}, [], true]
  const bad = await scriptedUpstream(t, 'openai-compatible', { models: ['bad'] })
  const gateway = await startGateway(t, variablesFor(bad))
  for (const value of absurd) {
    const usage = { prompt_tokens: value, completion_tokens: value, total_tokens: value, cost: value }
    const delta = { role: 'assistant', content: 'hi' }
    bad.script.answer = events(
      { choices: [{ index: 0, delta, finish_reason: 'stop' }] },
      { choices: [], usage },
      '[DONE]',
    )
    for (const stream of [false, true]) {
      const reply = await gateway.ask({ stream, stream_options: { include_usage: true } })
      t.equal(reply.status, 200)
      const told = stream ? reply.events.at(-1).usage : reply.json.usage
      const row = (await gateway.core.ledger.recent(1))[0]!
      for (const tokens of [
        row.input_tokens,
        row.output_tokens,
        told.prompt_tokens ?? 0,
        told.completion_tokens ?? 0,
      ]) {
        t.ok(Number.isSafeInteger(tokens) && tokens >= 0, `${JSON.stringify(value)} became ${tokens}`)
      }
    }
  }
  t.match((await gateway.get('/health')).json.ledger, { lost: 0, rejected: 0 })
  t.equal((await gateway.core.ledger.recent(100)).length, absurd.length * 2)
})

t.test('a stream that just ends is never reported as whole', async t => {
  const start = { id: 'c', choices: [{ index: 0, delta: { role: 'assistant', content: 'Once' }, finish_reason: null }] }
  const bad = await scriptedUpstream(t, 'openai-compatible', { models: ['bad'], answer: events(start) })
  const good = await scriptedUpstream(t, 'llama-cpp', { models: ['good'] })
  const gateway = await startGateway(t, variablesFor(bad, good))
  for (const path of ['chat/completions', 'messages', 'responses']) {
    const reply = await gateway.post(`/v1/${path}`, { ...bodyFor(path), model: 'openai-compatible/bad' })
    t.match(reply.text, /Once/, path)
    t.match(reply.text, /ended its stream before the answer was complete/, path)
    t.notMatch(reply.text, /"stop"|"end_turn"|"response.completed"|\[DONE\]/, path)
    t.match((await gateway.core.ledger.recent(1))[0], { outcome: 'error', failure_code: 'upstream_error' }, path)
    bad.script.answer = {}
    await gateway.ask({ model: 'openai-compatible/bad' })
    bad.script.answer = events(start)
  }
  const whole = await gateway.ask({ model: 'openai-compatible/bad', models: ['llama-cpp/good'] })
  t.equal(whole.headers['x-signalbox-model'], 'llama-cpp/good', 'a caller who waits for all of it gets another answer')
})

t.test('a reason to stop or [DONE] is enough to know that a stream is whole', async t => {
  const delta = { role: 'assistant', content: 'Once' }
  const bad = await scriptedUpstream(t, 'openai-compatible', { models: ['bad'] })
  const gateway = await startGateway(t, variablesFor(bad))
  for (const answer of [
    events({ choices: [{ index: 0, delta, finish_reason: null }] }, '[DONE]'),
    events({ choices: [{ index: 0, delta, finish_reason: 'stop' }] }),
  ]) {
    bad.script.answer = answer
    const reply = await gateway.ask()
    t.match(reply.json.choices, [{ message: { content: 'Once' }, finish_reason: 'stop' }])
  }
})

t.test('an event that is broken inside gives a buffered request another model, not a disconnect', async t => {
  const start = { id: 'c', choices: [{ index: 0, delta: { role: 'assistant', content: 'Once' }, finish_reason: null }] }
  const bad = await scriptedUpstream(t, 'openai-compatible', {
    models: ['bad'],
    answer: events(start, '{"choices":[{]}]}', start, '[DONE]'),
  })
  const good = await scriptedUpstream(t, 'llama-cpp', { models: ['good'] })
  const gateway = await startGateway(t, variablesFor(bad, good))
  const reply = await gateway.ask({ model: 'openai-compatible/bad', models: ['llama-cpp/good'] })
  t.equal(reply.headers['x-signalbox-model'], 'llama-cpp/good')
})
