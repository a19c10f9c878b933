import OpenAI from 'openai'
import t from 'tap'
import { scriptedUpstream, type Script } from '../helpers/scripted-upstream.ts'
import { failureOf } from '../helpers/failure-of.ts'
import { startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

async function setUp(t: Teardown, script: Script = {}) {
  const local = await scriptedUpstream(t, 'llama-cpp', script)
  const gateway = await startGateway(t, variablesFor(local))
  return { local, gateway, client: new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 }) }
}

t.test('Responses answer, buffered and streamed', async t => {
  const { client } = await setUp(t, { answer: { text: ['Hel', 'lo.'] } })
  const whole = await client.responses.create({ model: 'auto', input: 'Hi' })
  t.equal(whole.output_text, 'Hello.')
  const kinds: string[] = []
  for await (const event of await client.responses.create({ model: 'auto', input: 'Hi', stream: true })) {
    kinds.push(event.type)
  }
  t.equal(kinds[0], 'response.created')
  t.ok(kinds.includes('response.output_text.delta'))
  t.equal(kinds.at(-1), 'response.completed')
})

t.test('a conversation continues from previous_response_id, buffered or streamed', async t => {
  const { client, local } = await setUp(t, {
    answer: [{ text: 'My name is Ada.' }, { text: 'Ada.' }, { text: 'Still Ada.' }],
  })
  const first = await client.responses.create({ model: 'auto', input: 'Who are you?' })
  const second = client.responses.stream({ model: 'auto', input: 'Again?', previous_response_id: first.id })
  const { id } = await second.finalResponse()
  await client.responses.create({ model: 'auto', input: 'And now?', previous_response_id: id })
  t.match(local.chats[2]?.body, {
    messages: [
      { role: 'user', content: 'Who are you?' },
      { role: 'assistant', content: 'My name is Ada.' },
      { role: 'user', content: 'Again?' },
      { role: 'assistant', content: 'Ada.' },
      { role: 'user', content: 'And now?' },
    ],
  })
})

t.test('a stored response can be read and deleted; one with store false is not found', async t => {
  const { client } = await setUp(t)
  const kept = await client.responses.create({ model: 'auto', input: 'Hi' })
  t.equal((await client.responses.retrieve(kept.id)).id, kept.id)
  await client.responses.delete(kept.id)
  t.match(await failureOf(client.responses.retrieve(kept.id)), { status: 404 })
  const unkept = await client.responses.create({ model: 'auto', input: 'Hi', store: false })
  t.match(await failureOf(client.responses.retrieve(unkept.id)), { status: 404 })
  t.match(await failureOf(client.responses.create({ model: 'auto', input: 'Hi', previous_response_id: unkept.id })), {
    status: 400,
    code: 'previous_response_not_found',
    param: 'previous_response_id',
  })
})
