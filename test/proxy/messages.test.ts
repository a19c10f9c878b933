import Anthropic from '@anthropic-ai/sdk'
import t from 'tap'
import { scriptedUpstream, type Script } from '../helpers/scripted-upstream.ts'
import { failureOf } from '../helpers/failure-of.ts'
import { exchange, startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

async function setUp(t: Teardown, script: Script = {}) {
  const local = await scriptedUpstream(t, 'llama-cpp', script)
  const gateway = await startGateway(t, variablesFor(local))
  return { local, gateway, client: new Anthropic({ baseURL: gateway.url, apiKey: 'none', maxRetries: 0 }) }
}

const ask = { model: 'claude-sonnet-4-5', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hi' }] }
const weather = {
  name: 'weather',
  input_schema: { type: 'object' as const, properties: { city: { type: 'string' } } },
}

t.test('the Anthropic package chats, buffered and streamed', async t => {
  const { client } = await setUp(t, { answer: { text: ['Hel', 'lo.'], usage: { promptTokens: 9, outputTokens: 2 } } })
  const whole = await client.messages.create(ask)
  t.match(whole.content, [{ type: 'text', text: 'Hello.' }])
  t.match(whole, { stop_reason: 'end_turn', usage: { input_tokens: 9, output_tokens: 2 } })
  const streamed = await client.messages.stream(ask).finalMessage()
  t.match(streamed.content, [{ type: 'text', text: 'Hello.' }])
  t.match(streamed.usage, { output_tokens: 2 })
})

t.test('the Anthropic package gets tool calls and returns their results', async t => {
  const { client, local } = await setUp(t, {
    answer: [{ toolCalls: [{ name: 'weather', arguments: { city: 'Bern' } }] }, { text: 'Sunny.' }],
  })
  const first = await client.messages.stream({ ...ask, tools: [weather] }).finalMessage()
  const call = first.content.find(block => block.type === 'tool_use')
  t.match(call, { name: 'weather', input: { city: 'Bern' } })
  t.equal(first.stop_reason, 'tool_use')
  await client.messages.create({
    ...ask,
    tools: [weather],
    messages: [
      ...ask.messages,
      { role: 'assistant', content: first.content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: call?.id ?? '', content: 'sun' }] },
    ],
  })
  t.match(local.chats[1]?.body['messages'], [{}, { tool_calls: [{ id: call?.id }] }, { role: 'tool', content: /sun/ }])
})

t.test('errors come in the shape of Anthropic, before the stream and in it', async t => {
  const { client, local, gateway } = await setUp(t, { answer: { text: ['a', 'b'], breakBefore: 1 } })
  t.ok((await failureOf(client.messages.stream(ask).finalMessage())) instanceof Anthropic.APIError)
  local.script.answer = { error: { status: 429, message: 'slow' }, headers: { 'retry-after': '1' } }
  t.match(await failureOf(client.messages.create(ask)), {
    status: 429,
    error: { type: 'error', error: { type: 'rate_limit_error' } },
  })
  const broken = await exchange(`${gateway.url}/v1/messages`, { method: 'POST', body: '{' })
  t.match(broken.json, { type: 'error', error: { type: 'invalid_request_error' } })
})

t.test('counting tokens always gives a number', async t => {
  const { client, gateway } = await setUp(t)
  t.ok((await client.messages.countTokens(ask)).input_tokens > 0)
  for (const body of ['{}', '{"messages":7}', '[]', '"x"', '']) {
    const reply = await exchange(`${gateway.url}/v1/messages/count_tokens`, { method: 'POST', body })
    t.type(reply.json.input_tokens, 'number', body)
  }
})

t.test('models are listed in Anthropic’s shape for its clients, with names that Claude Code accepts', async t => {
  const { client } = await setUp(t, { models: ['small'] })
  const ids = []
  for await (const model of client.models.list()) ids.push(model.id)
  t.ok(ids.includes('claude/auto') && ids.includes('claude/llama-cpp/small'))
  const answer = await client.messages.create({ ...ask, model: 'claude/llama-cpp/small' })
  t.equal(answer.model, 'llama-cpp/small')
})
