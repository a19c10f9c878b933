import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { failureOf } from '../helpers/failure-of.ts'
import { scriptedUpstream, type Script } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

// eslint-disable-next-line typescript/no-explicit-any
type Json = any

const conversation = [
  { type: 'message', role: 'user', content: 'My name is Ada.' },
  { type: 'message', role: 'assistant', content: 'Hello, Ada.' },
  { type: 'function_call', call_id: 'c1', name: 'read', arguments: '{}' },
  { type: 'function_call_output', call_id: 'c1', output: 'A long file.' },
]
const summary = 'The user is Ada. One file was read.'

t.test('a compacted conversation goes on from the user’s messages and the summary', async t => {
  const { client, local } = await setUp(t, { answer: [{ text: summary }, { text: 'Ada.' }] })
  const made: Json = await client.post('/responses/compact', { body: { model: 'auto', input: conversation } })
  t.match(made, {
    object: 'response.compaction',
    output: [{ type: 'message', role: 'user', content: [{ text: 'My name is Ada.' }] }, { type: 'compaction' }],
    usage: { input_tokens: 12, output_tokens: 5 },
  })
  t.equal(made.output.length, 2)
  t.match(lastOf(local.chats[0]?.body), { role: 'user', content: /Write a summary/ })
  t.notOk(local.chats[0]?.body['tools'])
  await client.responses.create({ model: 'auto', input: [...made.output, { role: 'user', content: 'Who am I?' }] })
  t.match(local.chats[1]?.body['messages'], [
    { role: 'user', content: [{ text: 'My name is Ada.' }] },
    { role: 'user', content: new RegExp(summary) },
    { role: 'user', content: 'Who am I?' },
  ])
})

t.test('a stream that ends with compaction_trigger answers with one compaction item, as Codex needs it', async t => {
  const { client, local } = await setUp(t, {
    answer: [{ reasoning: 'Hm.', text: [summary.slice(0, 9), summary.slice(9)] }, { text: 'Ada.' }],
  })
  const events: Json[] = []
  const stream = await client.responses.create({
    model: 'auto',
    stream: true,
    tools: [{ type: 'function', name: 'read', parameters: {}, strict: false }],
    input: [...conversation, { type: 'compaction_trigger' }] as OpenAI.Responses.ResponseInput,
  })
  for await (const event of stream) events.push(event)
  const items = events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item)
  t.match(items, [{ type: 'compaction', encrypted_content: /^signalbox\./ }])
  t.equal(items.length, 1)
  t.match(events.at(-1), { type: 'response.completed', response: { output: items } })
  const { id } = events.at(-1).response
  await client.responses.create({ model: 'auto', input: 'Who am I?', previous_response_id: id })
  t.match(local.chats[1]?.body['messages'], [
    { content: 'My name is Ada.' },
    { content: new RegExp(summary) },
    { content: 'Who am I?' },
  ])
})

t.test('a model that writes no summary fails the compaction, streamed or not', async t => {
  const { client } = await setUp(t, { answer: { text: ' ' } })
  t.match(await failureOf(client.post('/responses/compact', { body: { model: 'auto', input: conversation } })), {
    status: 502,
    message: /empty summary/,
  })
  const events: Json[] = []
  const input = [...conversation, { type: 'compaction_trigger' }] as OpenAI.Responses.ResponseInput
  for await (const event of await client.responses.create({ model: 'auto', stream: true, input })) events.push(event)
  t.match(events.at(-1), { type: 'response.failed', response: { output: [] } })
})

t.test('a compaction item that another server made is left out, and a note says so', async t => {
  const { gateway } = await setUp(t)
  const reply = await gateway.post('/v1/responses', {
    model: 'auto',
    input: [
      { type: 'compaction', encrypted_content: 'gAAAAA' },
      { role: 'user', content: 'Hi' },
    ],
  })
  t.equal(reply.status, 200)
  t.match(reply.headers['x-signalbox-notes'], /input\.0: an item of type compaction/)
})

t.test('the items that a response answered are listed in pages, newest first', async t => {
  const { client } = await setUp(t)
  const first = await client.responses.create({ model: 'auto', input: conversation as OpenAI.Responses.ResponseInput })
  const second = await client.responses.create({ model: 'auto', input: 'And?', previous_response_id: first.id })
  const listed: Json[] = []
  for await (const item of client.responses.inputItems.list(second.id, { limit: 2, order: 'asc' })) listed.push(item)
  t.match(
    listed.map(({ type, content }) => [type as string, content?.[0].text as string]),
    [
      ['message', 'My name is Ada.'],
      ['message', 'Hello, Ada.'],
      ['function_call', undefined],
      ['function_call_output', undefined],
      ['message', /Hello from/],
      ['message', 'And?'],
    ],
  )
  t.equal(new Set(listed.map(({ id }) => id as string)).size, 6, 'each has an id of its own')
  const newest: Json = await client.responses.inputItems.list(second.id)
  t.match(newest.data[0], { content: [{ text: 'And?' }] })
  t.match(await failureOf(client.responses.inputItems.list('resp_none').asResponse()), { status: 404 })
})

t.test('cancelling a response that is complete changes nothing, and an unknown one is not found', async t => {
  const { client } = await setUp(t)
  const { id } = await client.responses.create({ model: 'auto', input: 'Hi' })
  t.match(await client.responses.cancel(id), { id, status: 'completed' })
  t.match(await client.responses.retrieve(id), { id, status: 'completed' })
  t.match(await failureOf(client.responses.cancel('resp_none')), { status: 404 })
})

t.test('the tokens of a Responses request are counted without a model, with what it continues', async t => {
  const { client, local } = await setUp(t)
  const { id } = await client.responses.create({ model: 'auto', input: 'A question of some length, say.' })
  const count = async (body: object) => (await client.responses.inputTokens.count(body)).input_tokens
  const alone = await count({ model: 'auto', input: 'And?' })
  t.ok(alone > 0)
  t.ok((await count({ model: 'auto', input: 'And?', previous_response_id: id })) > alone + 5)
  t.ok(
    (await count({ model: 'auto', input: 'And?', tools: [{ type: 'function', name: 'read', parameters: {} }] })) >
      alone,
  )
  t.equal(local.chats.length, 1)
  t.match(await failureOf(client.responses.inputTokens.count({ model: 'auto' })), { status: 400, param: 'input' })
})

async function setUp(t: Test, script: Script = {}) {
  const local = await scriptedUpstream(t, 'llama-cpp', script)
  const gateway = await startGateway(t, variablesFor(local))
  return { local, gateway, client: new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 }) }
}

function lastOf(body: Readonly<Record<string, unknown>> | undefined): unknown {
  return (body?.['messages'] as unknown[] | undefined)?.at(-1)
}
