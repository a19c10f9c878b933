import * as fc from 'fast-check'
import t from 'tap'
import { scriptedUpstream, type ScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type Teardown, type TestGateway } from '../helpers/start-gateway.ts'

const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }]

for (const stream of [false, true]) {
  t.test(
    `thoughts before a tool call come back to the model although the client dropped them, stream: ${stream}`,
    async t => {
      const local = await scriptedUpstream(t, 'llama-cpp', {
        answer: {
          reasoning: ['I look ', 'first.'],
          toolCalls: [{ name: 'look', arguments: { at: 'it' }, id: 'call_7' }],
        },
      })
      const gateway = await startGateway(t, variablesFor(local))
      await gateway.ask({ tools, stream })
      const called = (written: string) => ({
        tools,
        messages: [
          { role: 'user', content: 'Hello?' },
          {
            role: 'assistant',
            content: null,
            tool_calls: [{ id: 'call_7', type: 'function', function: { name: 'look', arguments: written } }],
          },
          { role: 'tool', tool_call_id: 'call_7', content: 'seen' },
        ],
      })
      await gateway.ask(called('{ "at": "it" }'))
      await gateway.ask(called('{"at":"something else"}'))
      const thoughts = local.chats.map(({ body }) => (body['messages'] as { reasoning_content?: string }[])[1])
      t.equal(thoughts[1]?.reasoning_content, 'I look first.', 'however the arguments are spaced')
      t.equal(thoughts[2]?.reasoning_content, undefined, 'but not to another call that has the same id')
    },
  )
}

t.test('two agents that begin with the same command on a thinking model get their own thoughts back', async t => {
  const local = await thinkingOllama(t, index => `Thought ${index}.`)
  const gateway = await startGateway(t, variablesFor(local))
  const [ada, eve] = [await firstCall(gateway, {}), await firstCall(gateway, {})]
  t.not(ada.id, eve.id, 'their calls have different ids')
  await goOn(gateway, ada, {})
  await goOn(gateway, eve, {})
  t.same(thoughtsSeen(local).slice(2), ['Thought 0.', 'Thought 1.'])
})

t.test('the thoughts of one key never go into a prompt of another, whatever ids it sends', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', {
    answer: { reasoning: 'Ada’s secret.', toolCalls: [{ name: 'look', arguments: {}, id: 'call_0' }] },
  })
  const gateway = await startGateway(t, { ...variablesFor(local), SIGNALBOX_API_KEY: 'ada=a-key,eve=e-key' })
  const call = await firstCall(gateway, { authorization: 'Bearer a-key' })
  await goOn(gateway, call, { authorization: 'Bearer e-key' })
  await goOn(gateway, call, { authorization: 'Bearer a-key' })
  t.same(thoughtsSeen(local).slice(1), [undefined, 'Ada’s secret.'])
})

t.test('thoughts go to the model that had them and to no other', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', {
    models: ['thinker', 'other'],
    answer: { reasoning: 'Mine.', toolCalls: [{ name: 'look', arguments: {}, id: 'call_0' }] },
  })
  const gateway = await startGateway(t, variablesFor(local))
  const call = await firstCall(gateway, {}, 'llama-cpp/thinker')
  await goOn(gateway, call, {}, 'llama-cpp/other')
  await goOn(gateway, call, {}, 'llama-cpp/thinker')
  t.same(thoughtsSeen(local).slice(1), [undefined, 'Mine.'])
})

t.test('however conversations and keys interleave, each gets its own thoughts back and nobody else’s', async t => {
  const keys = ['ada', 'eve', 'bob']
  const counted = { at: 0 }
  // Half of the conversations are with a server that counts its ids up from the same start in each of them.
  const counting = await scriptedUpstream(t, 'llama-cpp', {
    answer: ({ body }) => ({
      reasoning: `Thought ${counted.at++}.`,
      toolCalls: [{ name: 'look', arguments: {}, id: `call_${callsIn(body)}` }],
    }),
  })
  const nameless = await thinkingOllama(t, () => `Thought ${counted.at++}.`)
  const gateway = await startGateway(t, {
    ...variablesFor(counting, nameless),
    SIGNALBOX_API_KEY: keys.map(key => `${key}=${key}-key`).join(','),
  })
  // Opening words are unlike where ids are counted: there nothing else could tell two conversations apart.
  const step = fc.record({ key: fc.constantFrom(...keys), talk: fc.integer({ min: 0, max: 2 }), ollama: fc.boolean() })
  let run = 0
  const property = fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), async steps => {
    run += 1
    const talks = new Map<string, { messages: object[]; thoughts: string[] }>()
    for (const { key, talk, ollama } of steps) {
      const name = `${key} ${talk} ${ollama}`
      const said = ollama ? `Look, run ${run}.` : `Look, run ${run}, talk ${talk}.`
      const { messages, thoughts } = talks.get(name) ?? { messages: [{ role: 'user', content: said }], thoughts: [] }
      const upstream = ollama ? nameless : counting
      const reply = await gateway.ask(
        { model: `${ollama ? 'ollama' : 'llama-cpp'}/scripted`, tools, messages },
        { headers: { authorization: `Bearer ${key}-key` } },
      )
      const seen = thoughtsIn(upstream.chats.at(-1)!.body)
      if (JSON.stringify(seen) !== JSON.stringify(thoughts)) return false
      const { content, tool_calls: calls, reasoning_content: thought } = reply.json.choices[0].message
      talks.set(name, {
        messages: [
          ...messages,
          { role: 'assistant', content, tool_calls: calls },
          { role: 'tool', tool_call_id: calls[0].id, content: 'seen' },
        ],
        thoughts: [...thoughts, thought],
      })
    }
    return true
  })
  await fc.assert(property, { numRuns: 40 })
  t.pass('40 interleavings')
})

interface MadeCall {
  id: string
  function: object
}

async function firstCall(gateway: TestGateway, headers: Record<string, string>, model = 'auto'): Promise<MadeCall> {
  const { json } = await gateway.ask({ model, tools }, { headers })
  return json.choices[0].message.tool_calls[0] as MadeCall
}

/** The second turn, of a client that dropped the thoughts. */
function goOn(gateway: TestGateway, call: MadeCall, headers: Record<string, string>, model = 'auto') {
  const messages = [
    { role: 'user', content: 'Hello?' },
    { role: 'assistant', content: '', tool_calls: [call] },
    { role: 'tool', tool_call_id: call.id, content: 'seen' },
  ]
  return gateway.ask({ model, tools, messages }, { headers })
}

/** An Ollama that gives its calls no ids, with what it thinks before the call that comes at `index`. */
function thinkingOllama(t: Teardown, thoughtAt: (index: number) => string) {
  return scriptedUpstream(t, 'ollama', {
    models: [{ name: 'scripted', tools: true, reasoning: true }],
    answer: (_request, index) => ({ reasoning: thoughtAt(index), toolCalls: [{ name: 'look', arguments: {} }] }),
  })
}

/** The thoughts that each prompt carried first. */
function thoughtsSeen({ chats }: ScriptedUpstream): (string | undefined)[] {
  return chats.map(({ body }) => thoughtsIn(body)[0])
}

function thoughtsIn(body: Readonly<Record<string, unknown>>): string[] {
  const messages = body['messages'] as { reasoning_content?: string; thinking?: string }[]
  return messages.flatMap(({ reasoning_content: thought, thinking }) => thought ?? thinking ?? [])
}

function callsIn(body: Readonly<Record<string, unknown>>): number {
  return (body['messages'] as { role: string }[]).filter(({ role }) => role === 'assistant').length
}
