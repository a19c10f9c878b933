import t from 'tap'
import type { ChatDelta, ToolCallDelta } from '../../src/wire/chat/schema.ts'
import { scriptedUpstream, type Answer } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }]
const written = '<tool_call>\n{"name": "look", "arguments": {"at": "it"}}\n</tool_call>'

async function setUp(t: Teardown, answer: Answer, name = 'scripted') {
  const upstream = await scriptedUpstream(t, 'openai-compatible', { models: [name], answer })
  const gateway = await startGateway(t, variablesFor(upstream))
  const post = (path: string, body: object) =>
    exchange(gateway.url + path, { method: 'POST', body: JSON.stringify(body) })
  return { upstream, gateway, post }
}

/** One piece a letter. */
const letters = (text: string) => text.split('')

for (const stream of [false, true]) {
  t.test(`a tool call in text becomes a tool call in every protocol, stream: ${stream}`, async t => {
    const { gateway, post } = await setUp(t, { text: letters(`I look.\n${written}`) })
    const chat = await gateway.ask({ tools, stream })
    const call = { id: /^[a-z0-9]{9}$/, function: { name: 'look', arguments: '{"at": "it"}' } }
    if (stream) {
      const deltas = chat.events.flatMap(event => (event.choices as { delta: ChatDelta }[]).map(({ delta }) => delta))
      t.equal(deltas.map(({ content }) => content ?? '').join(''), 'I look.\n')
      t.match(
        deltas.filter(({ tool_calls: calls }) => calls !== undefined),
        [{ tool_calls: [{ index: 0, ...call }] }],
      )
      t.equal(chat.events.findLast(event => event.choices[0] !== undefined).choices[0].finish_reason, 'tool_calls')
    } else {
      t.match(chat.json.choices, [
        { message: { content: 'I look.\n', tool_calls: [call] }, finish_reason: 'tool_calls' },
      ])
    }

    const message = await post('/v1/messages', {
      model: 'auto',
      max_tokens: 99,
      messages: [{ role: 'user', content: 'look' }],
      tools: [{ name: 'look', input_schema: { type: 'object' } }],
      stream,
    })
    if (stream) {
      t.match(
        message.events
          .filter(({ type }) => type === 'content_block_start')
          .map(({ content_block: block }) => block.type),
        ['text', 'tool_use'],
      )
      t.match(
        message.events.find(({ type }) => type === 'message_delta'),
        { delta: { stop_reason: 'tool_use' } },
      )
    } else {
      t.match(message.json, {
        content: [{ type: 'text' }, { name: 'look', input: { at: 'it' } }],
        stop_reason: 'tool_use',
      })
    }

    const response = await post('/v1/responses', {
      model: 'auto',
      input: 'look',
      tools: [{ type: 'function', name: 'look', parameters: { type: 'object' } }],
      stream,
    })
    const { output } = stream ? response.events.at(-1).response : response.json
    t.match(output, [{ type: 'message' }, { type: 'function_call', name: 'look', arguments: '{"at": "it"}' }])
  })

  t.test(`reasoning in text becomes reasoning in every protocol, stream: ${stream}`, async t => {
    const { gateway, post } = await setUp(t, { text: letters('<think>\nTwo and two.\n</think>\n\nFour.') })
    const chat = await gateway.ask({ stream })
    if (stream) {
      const deltas = chat.events.flatMap(event => (event.choices as { delta: ChatDelta }[]).map(({ delta }) => delta))
      t.equal(deltas.map(delta => delta['reasoning_content'] ?? '').join(''), 'Two and two.')
      t.equal(deltas.map(delta => delta['content'] ?? '').join(''), 'Four.')
    } else t.match(chat.json.choices[0].message, { content: 'Four.', reasoning_content: 'Two and two.' })

    const message = await post('/v1/messages', {
      model: 'auto',
      max_tokens: 99,
      messages: [{ role: 'user', content: '2+2' }],
      stream,
    })
    const blocks = stream
      ? message.events.filter(({ type }) => type === 'content_block_start').map(event => event.content_block)
      : message.json.content
    t.match(blocks, [{ type: 'thinking' }, { type: 'text' }])

    const response = await post('/v1/responses', { model: 'auto', input: '2+2', stream })
    const { output } = stream ? response.events.at(-1).response : response.json
    t.match(output, [
      { type: 'reasoning', summary: [{ text: 'Two and two.' }] },
      { type: 'message', content: [{ text: 'Four.' }] },
    ])
  })
}

t.test('without tools, with other tools, or with tool_choice none, the same text stays content', async t => {
  const { gateway } = await setUp(t, { text: letters(written) })
  const others = [{ type: 'function', function: { name: 'listen' } }]
  for (const body of [{}, { tools: others }, { tools, tool_choice: 'none' }]) {
    t.match((await gateway.ask(body)).json.choices[0], { message: { content: written }, finish_reason: 'stop' })
    const { events } = await gateway.ask({ ...body, stream: true })
    t.equal(events.map(event => event.choices[0]?.delta.content ?? '').join(''), written)
  }
})

t.test('a stream without inline calls keeps its server’s bytes unchanged', async t => {
  const said = ['Hel', 'lo <b>', ' [1] ', '`code` {', '}']
  const { gateway } = await setUp(t, { text: said })
  const frames = (text: string) => text.split('\n\n').filter(frame => frame.startsWith('data: {'))
  const options = { stream: true, stream_options: { include_usage: true } }
  const plain = await gateway.ask(options)
  const offering = await gateway.ask({ ...options, tools })
  t.same(frames(offering.text), frames(plain.text))
  t.equal(offering.events.map(event => event.choices[0]?.delta.content ?? '').join(''), said.join(''))
})

t.test('an answer of a model whose template opens the reasoning starts inside it', async t => {
  const { gateway } = await setUp(t, { text: letters('Two and two.\n</think>\nFour.') }, 'qwq-32b')
  t.match((await gateway.ask()).json.choices[0].message, { content: 'Four.', reasoning_content: 'Two and two.' })
})

t.test('inline calls and the server’s calls form one list', async t => {
  const { gateway } = await setUp(t, { text: written, toolCalls: [{ name: 'look', arguments: { at: 'us' } }] })
  const { events } = await gateway.ask({ tools, stream: true })
  const calls = events.flatMap(event => (event.choices[0]?.delta.tool_calls ?? []) as ToolCallDelta[])
  t.same([...new Set(calls.map(({ index }) => index))], [0, 1])
})
