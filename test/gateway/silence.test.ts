import t from 'tap'
import { gate, scriptedUpstream, upstreamKinds } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

const clocks = { PROVIDER_TIMEOUT_MS: '500', PROVIDER_IDLE_TIMEOUT_MS: '500' }

t.test('a server that hangs over a whole answer is left for another, before and after its first token', async t => {
  for (const kind of upstreamKinds) {
    for (const before of ['headers', 0, 1] as const) {
      const held = gate()
      t.teardown(held.open)
      const hung = await scriptedUpstream(t, kind, {
        models: ['hung'],
        answer: { text: ['a', 'b'], hold: { before, until: held.opened } },
      })
      const good = await scriptedUpstream(t, kind === 'llama-cpp' ? 'lm-studio' : 'llama-cpp', { models: ['good'] })
      const gateway = await startGateway(t, { ...variablesFor(hung, good), ...clocks })
      const reply = await gateway.ask({ model: `${kind}/hung`, models: [`${good.kind}/good`] })
      t.equal(reply.status, 200)
      t.equal(reply.headers['x-signalbox-model'], `${good.kind}/good`, `${kind}, before ${before}`)
      await hung.untilHangUps(1)
    }
  }
})

t.test('a whole answer of a server that streams keeps usage, calls, thoughts and what stands beside them', async t => {
  for (const kind of upstreamKinds) {
    const upstream = await scriptedUpstream(t, kind, {
      models: [{ name: 'm', reasoning: true }],
      answer: { reasoning: ['h', 'm'], text: ['a', 'b'], toolCalls: [{ name: 'f', arguments: { x: 1 } }] },
    })
    const gateway = await startGateway(t, variablesFor(upstream))
    const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }]
    const { json } = await gateway.ask({ tools })
    t.match(
      json,
      {
        object: 'chat.completion',
        choices: [{ finish_reason: 'tool_calls', message: { tool_calls: [{ function: { name: 'f' } }] } }],
        usage: { prompt_tokens: 12, completion_tokens: 5 },
      },
      kind,
    )
    const { message } = json.choices[0]
    t.equal(message.reasoning_content ?? message.reasoning, 'hm', kind)
    t.equal(message.content, 'ab', kind)
  }
})

t.test('an answer in one piece is left when it takes far longer than expected', async t => {
  const held = gate()
  t.teardown(held.open)
  const hung = await scriptedUpstream(t, 'llama-cpp', {
    models: ['embedder'],
    route: ({ path }) => (path.endsWith('/embeddings') ? { json: {}, until: held.opened } : undefined),
  })
  const gateway = await startGateway(t, { ...variablesFor(hung), ...clocks })
  const reply = await gateway.post('/v1/embeddings', { model: 'llama-cpp/embedder', input: 'x' })
  t.match(reply, { status: 504, json: { error: { code: 'upstream_timeout' } } })
})

t.test('a model that does not stream is asked for the whole answer', async t => {
  const upstream = await scriptedUpstream(t, 'openai-compatible', {
    answer: ({ body }) =>
      body.stream === true ? { error: { status: 400, message: 'This model does not support streaming.' } } : {},
  })
  const gateway = await startGateway(t, variablesFor(upstream))
  t.match((await gateway.ask()).json.choices, [{ message: { content: 'Hello from openai-compatible.' } }])
  t.equal((await gateway.ask({ stream: true })).status, 400)
})
