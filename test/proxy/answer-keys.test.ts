import t from 'tap'
import { scriptedUpstream, upstreamKinds } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

const question = { model: 'auto', messages: [{ role: 'user', content: 'Hello?' }] }
const usage = { promptTokens: 1000, outputTokens: 500 }

for (const kind of upstreamKinds) {
  t.test(`${kind}: an answer names its model alike in every protocol, whole and streamed`, async t => {
    const upstream = await scriptedUpstream(t, kind, { answer: { text: ['{"model":', '"other"} "model": "x"'] } })
    const gateway = await startGateway(t, variablesFor(upstream))
    const id = `${kind}/scripted`
    for (const stream of [false, true]) {
      const [chat, messages, responses] = await Promise.all([
        gateway.post('/v1/chat/completions', { ...question, stream }),
        gateway.post('/v1/messages', { ...question, max_tokens: 50, stream }),
        gateway.post('/v1/responses', { model: 'auto', input: 'Hello?', stream }),
      ])
      const names = stream
        ? [
            ...chat.events.map(event => event.model),
            messages.events[0].message.model,
            ...responses.events.flatMap(({ response }) => response?.model ?? []),
          ]
        : [chat.json.model, messages.json.model, responses.json.model]
      t.same([...new Set(names)], [id])
      const text = stream
        ? chat.events.map(({ choices: [choice] }) => choice?.delta.content ?? '').join('')
        : chat.json.choices[0].message.content
      t.equal(text, '{"model":"other"} "model": "x"', 'the same words in the text stay')
    }
  })

  t.test(`${kind}: a chat answer has the keys refusal and logprobs, and details of its usage`, async t => {
    const upstream = await scriptedUpstream(t, kind, { answer: { usage } })
    const gateway = await startGateway(t, variablesFor(upstream))
    const { json } = await gateway.ask()
    t.match(json, {
      id: /./,
      object: 'chat.completion',
      choices: [{ logprobs: null, message: { refusal: null } }],
      usage: {
        prompt_tokens: 1000,
        total_tokens: 1500,
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
    })
    const { events } = await gateway.ask({ stream: true, stream_options: { include_usage: true } })
    t.match(events.at(-1), {
      usage: { prompt_tokens_details: { cached_tokens: 0 }, completion_tokens_details: { reasoning_tokens: 0 } },
    })
  })
}

t.test('usage: {include: true} brings the cost, whole and streamed, and no server is sent it', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['small'], answer: { usage } })
  const price = { input: 3, output: 15 }
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'lab/bright', price }],
    answer: { usage: { ...usage, costUsd: null } },
  })
  const gateway = await startGateway(t, variablesFor(local, remote))
  for (const [model, cost] of [
    ['llama-cpp/small', 0],
    ['openrouter/lab/bright', (1000 * 3 + 500 * 15) / 1e6],
  ] as const) {
    const ask = { model, usage: { include: true } }
    t.equal((await gateway.ask(ask)).json.usage.cost, cost)
    t.equal((await gateway.ask({ ...ask, stream: true })).events.at(-1).usage.cost, cost)
  }
  remote.script.answer = { usage: { ...usage, costUsd: 0.5 } }
  const charged = await gateway.ask({ model: 'openrouter/lab/bright', usage: { include: true } })
  t.equal(charged.json.usage.cost, 0.5, 'what the provider says it charged')
  t.notOk('cost' in (await gateway.ask({ model: 'llama-cpp/small' })).json.usage)
  t.notOk([...local.chats, ...remote.chats].some(({ body }) => 'usage' in body))
})

t.test('what a server leaves out of its answers is completed, whole and streamed', async t => {
  const chunk = (delta: object, more = {}) => `data: ${JSON.stringify({ choices: [{ index: 0, delta, ...more }] })}\n\n`
  const upstream = await scriptedUpstream(t, 'openai-compatible', {
    answer: { raw: { body: `${chunk({ content: 'Hi' })}${chunk({}, { finish_reason: 'stop' })}data: [DONE]\n\n` } },
  })
  const gateway = await startGateway(t, variablesFor(upstream))
  const { json } = await gateway.ask()
  t.match(json, {
    id: /^chatcmpl-req_/,
    object: 'chat.completion',
    created: Number,
    model: 'openai-compatible/scripted',
  })
  const { events } = await gateway.ask({ stream: true })
  t.equal(events.length, 2)
  for (const event of events) {
    t.match(event, { id: events[0].id, object: 'chat.completion.chunk', created: Number })
    t.ok('finish_reason' in event.choices[0])
  }
})
