import OpenAI from 'openai'
import fc from 'fast-check'
import t from 'tap'
import { forcedCallOf } from '../../src/providers/ollama/forced-call.ts'
import type { ToolCallDelta } from '../../src/wire/chat/schema.ts'
import { scriptedUpstream, type Answer } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

const functionTool = (name: string) => ({
  type: 'function' as const,
  function: {
    name,
    description: `Does ${name}.`,
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
})
const messages = [{ role: 'user' as const, content: 'How is the weather in Bern?' }]
const weatherOnly = { type: 'function' as const, function: { name: 'weather' } }

async function beforeOllama(t: Teardown, answer: Answer) {
  const upstream = await scriptedUpstream(t, 'ollama', { models: [{ name: 'scripted', tools: true }], answer })
  const { url } = await startGateway(t, variablesFor(upstream))
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 })
  return { upstream, client, sent: () => upstream.chats.at(-1)?.body ?? {} }
}

t.test('a named function becomes a schema for the answer, and the answer its call', async t => {
  const { client, sent } = await beforeOllama(t, { text: ['{"ci', 'ty":"Bern"}'] })
  const tools = [functionTool('weather'), functionTool('news')]
  const answer = await client.chat.completions.create({ model: 'auto', messages, tools, tool_choice: weatherOnly })
  t.match(answer.choices[0], {
    finish_reason: 'tool_calls',
    message: { tool_calls: [{ type: 'function', function: { name: 'weather', arguments: '{"city":"Bern"}' } }] },
  })
  t.same(sent()['format'], tools[0]?.function.parameters)
  t.equal(sent()['tools'], undefined, 'a model that sees tools writes calls in its own syntax')
})

t.test('the same streamed: the arguments arrive as they are written', async t => {
  const { client } = await beforeOllama(t, { text: [' {"ci', 'ty":', '"Bern"}'] })
  const stream = await client.chat.completions.create({
    model: 'auto',
    messages,
    tools: [functionTool('weather')],
    tool_choice: 'required',
    stream: true,
  })
  const pieces: string[] = []
  let reason: string | null = null
  for await (const { choices } of stream) {
    const called = choices[0]?.delta.tool_calls?.[0]?.function
    if (called?.arguments !== undefined) pieces.push(called.arguments)
    reason = choices[0]?.finish_reason ?? reason
  }
  t.same(JSON.parse(pieces.join('')), { city: 'Bern' })
  t.ok(pieces.length > 1)
  t.equal(reason, 'tool_calls')
})

t.test('one of several functions is called by its name', async t => {
  const { client, sent } = await beforeOllama(t, { text: ['{"name": "ne', 'ws", "arguments": {"city":"Bern"', '}}'] })
  const answer = await client.chat.completions.create({
    model: 'auto',
    messages,
    tools: [functionTool('weather'), functionTool('news')],
    tool_choice: 'required',
  })
  t.match(answer.choices[0]?.message.tool_calls, [{ function: { name: 'news', arguments: '{"city":"Bern"}' } }])
  const { anyOf } = sent()['format'] as { anyOf: { properties: { name: { enum: string[] } } }[] }
  t.same(
    anyOf.map(({ properties }) => properties.name.enum),
    [['weather'], ['news']],
  )
})

t.test('a server that does not keep to the schema is an upstream error, not a call of nonsense', async t => {
  const { client } = await beforeOllama(t, { text: 'It is sunny.' })
  await t.rejects(
    client.chat.completions.create({
      model: 'auto',
      messages,
      tools: [functionTool('weather')],
      tool_choice: 'required',
    }),
    { status: 502, message: /forced tool call/ },
  )
})

t.test('allowed_tools with the mode auto forces nothing and leaves the other tools out', async t => {
  const { client, sent } = await beforeOllama(t, { text: 'Sunny.' })
  const answer = await client.chat.completions.create({
    model: 'auto',
    messages,
    tools: [functionTool('weather'), functionTool('news')],
    tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [weatherOnly] } },
  })
  t.equal(answer.choices[0]?.message.content, 'Sunny.')
  t.equal(sent()['format'], undefined)
  t.match(sent()['tools'], [{ function: { name: 'weather' } }])
  t.equal((sent()['tools'] as unknown[]).length, 1)
})

t.test('however the answer is cut, the call is the same', async t => {
  const tools = [functionTool('weather'), functionTool('news')]
  const forced = forcedCallOf({ model: 'm', messages, tools, tool_choice: 'required' })
  const texts = fc.tuple(fc.constantFrom('weather', 'news'), fc.json({ maxDepth: 3 }), fc.constantFrom('', ' ', '\n  '))
  fc.assert(
    fc.property(texts, fc.array(fc.nat(400)), ([name, value, space], cuts) => {
      const written = JSON.stringify({ v: value })
      const text = `${space}{${space}"name":${space}"${name}",${space}"arguments":${space}${written}${space}}${space}`
      const reader = forced!.createReader()
      const deltas: ToolCallDelta[] = []
      let from = 0
      for (const to of [...cuts.filter(cut => cut < text.length).sort((a, b) => a - b), text.length]) {
        deltas.push(...reader.push(text.slice(from, to)))
        from = to
      }
      deltas.push(...reader.end())
      const joined = deltas.map(delta => delta.function?.arguments ?? '').join('')
      return deltas[0]?.function?.name === name && joined.trimEnd() === written
    }),
    { seed: 11, numRuns: 1000 },
  )
  t.pass('1,000 texts and cuts')
})
