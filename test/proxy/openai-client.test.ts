import OpenAI from 'openai'
import t from 'tap'
import { gate, scriptedUpstream, type Script } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

const messages = [{ role: 'user' as const, content: 'Hello?' }]
const weather = {
  type: 'function' as const,
  function: {
    name: 'weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}

async function setUp(t: Teardown, script: Script) {
  const local = await scriptedUpstream(t, 'llama-cpp', script)
  const gateway = await startGateway(t, variablesFor(local))
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
  return { local, gateway, client }
}

t.test('the openai package chats', async t => {
  const { client } = await setUp(t, { answer: { text: 'Hi.', usage: { promptTokens: 3, outputTokens: 2 } } })
  const completion = await client.chat.completions.create({ model: 'auto', messages })
  t.equal(completion.choices[0]?.message.content, 'Hi.')
  t.match(completion.usage, { prompt_tokens: 3, completion_tokens: 2 })
})

t.test('the openai package streams', async t => {
  const { client } = await setUp(t, { answer: { text: ['One ', 'two ', 'three.'], writeBytes: 1 } })
  const stream = await client.chat.completions.create({
    model: 'auto',
    messages,
    stream: true,
    stream_options: { include_usage: true },
  })
  let text = ''
  let tokens = 0
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? ''
    tokens = chunk.usage?.completion_tokens ?? tokens
  }
  t.equal(text, 'One two three.')
  t.ok(tokens > 0)
})

t.test('the openai package gets parallel tool calls, buffered and streamed', async t => {
  const toolCalls = [
    { name: 'weather', arguments: { city: 'Bern' } },
    { name: 'weather', arguments: { city: 'Zürich' } },
  ]
  const { client, local } = await setUp(t, { answer: { toolCalls } })
  const request = { model: 'auto', messages, tools: [weather], tool_choice: 'auto' as const, parallel_tool_calls: true }
  const whole = await client.chat.completions.create(request)
  t.equal(whole.choices[0]?.finish_reason, 'tool_calls')
  const streamed = await client.chat.completions.stream(request).finalChatCompletion()
  for (const completion of [whole, streamed]) {
    const calls = completion.choices[0]?.message.tool_calls ?? []
    t.strictSame(
      calls.map(call => call.type === 'function' && JSON.parse(call.function.arguments)),
      [{ city: 'Bern' }, { city: 'Zürich' }],
    )
  }
  t.match(local.chats[0]?.body, { tool_choice: 'auto', parallel_tool_calls: true, tools: [weather] })
})

t.test('the openai package requests JSON by schema', async t => {
  const { client, local } = await setUp(t, { answer: { text: '{"city":"Bern"}' } })
  const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
  const completion = await client.chat.completions.create({
    model: 'auto',
    messages,
    response_format: { type: 'json_schema', json_schema: { name: 'place', schema, strict: true } },
  })
  t.strictSame(JSON.parse(completion.choices[0]?.message.content ?? ''), { city: 'Bern' })
  t.match(local.chats[0]?.body, { response_format: { json_schema: { schema } } })
})

t.test('the openai package aborts, and the upstream is freed', async t => {
  const held = gate()
  t.teardown(held.open)
  const { client, local } = await setUp(t, { answer: { text: ['a', 'b'], hold: { before: 1, until: held.opened } } })
  const stream = await client.chat.completions.create({ model: 'auto', messages, stream: true })
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta.content === 'a') break
  }
  await local.untilHangUps(1)
})

t.test('the openai package raises its own error types', async t => {
  const { client, local } = await setUp(t, { models: ['only'] })
  const failure = (request: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming>) =>
    client.chat.completions.create({ model: 'auto', messages, ...request }).catch((error: unknown) => error)
  t.ok((await failure({ model: 'nothing' })) instanceof OpenAI.NotFoundError)
  t.ok((await failure({ messages: [] })) instanceof OpenAI.BadRequestError)
  local.script.answer = { error: { status: 429, message: 'slow down' }, headers: { 'retry-after': '1' } }
  t.ok((await failure({})) instanceof OpenAI.RateLimitError)
})

t.test('the openai package reports a broken stream as an error', async t => {
  const { client } = await setUp(t, { answer: { text: ['a', 'b'], breakBefore: 1 } })
  const stream = await client.chat.completions.create({ model: 'auto', messages, stream: true })
  let text = ''
  try {
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    t.fail('the stream ended as if it were complete')
  } catch (error) {
    t.ok(error instanceof OpenAI.APIError)
  }
  t.equal(text, 'a')
})

t.test('the openai package lists and looks up models', async t => {
  const { client } = await setUp(t, { models: ['only'] })
  const ids = []
  for await (const model of client.models.list()) ids.push(model.id)
  t.ok(ids.includes('llama-cpp/only') && ids.includes('auto'))
  t.equal((await client.models.retrieve('llama-cpp/only')).owned_by, 'llama-cpp')
})
