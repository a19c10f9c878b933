import fc from 'fast-check'
import t from 'tap'
import { prepare } from '../../src/gateway/prepare.ts'
import type { ChatMessage } from '../../src/wire/chat/schema.ts'
import { withOneSystemMessage } from '../../src/wire/chat/system-messages.ts'
import { scriptedUpstream, upstreamKinds, type SeenRequest, type UpstreamKind } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

/** What chat templates of recent models do with a conversation that is not as they want it. */
function strictTemplate({ body }: SeenRequest) {
  const messages = body['messages'] as ChatMessage[]
  const isWrong = messages.some(
    ({ role }, index) => role === 'developer' || (role === 'system' && index > 0) || role === 'function',
  )
  return isWrong ? { error: { status: 500, message: 'System message must be at the beginning.' } } : { text: 'Fine.' }
}

async function behindStrictTemplate(t: Teardown, kind: UpstreamKind) {
  const upstream = await scriptedUpstream(t, kind, {
    models: [{ name: 'scripted', contextTokens: 16_384, loadedContextTokens: 16_384, tools: true }],
    answer: strictTemplate,
  })
  const gateway = await startGateway(t, variablesFor(upstream))
  const post = async (path: string, body: object) => {
    const { status } = await exchange(gateway.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { status, messages: (upstream.chats.at(-1)?.body['messages'] ?? []) as ChatMessage[] }
  }
  return { post }
}

for (const kind of upstreamKinds) {
  t.test(`${kind}: a system message after the first user turn of the Messages protocol reaches the model`, async t => {
    const { post } = await behindStrictTemplate(t, kind)
    const { status, messages } = await post('/v1/messages', {
      model: 'auto',
      max_tokens: 50,
      system: 'You are an agent.',
      messages: [
        { role: 'user', content: 'List the files.' },
        { role: 'system', content: 'The date is 3 May.' },
      ],
    })
    t.equal(status, 200)
    t.same(
      messages.map(({ role }) => role),
      ['system', 'user'],
    )
    t.match(JSON.stringify(messages[1]), /List the files.*The date is 3 May/)
  })

  t.test(`${kind}: two developer messages of the Responses protocol become one system message`, async t => {
    const { post } = await behindStrictTemplate(t, kind)
    const { status, messages } = await post('/v1/responses', {
      model: 'auto',
      instructions: 'You are an agent.',
      input: [
        { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'Ask before you write.' }] },
        { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'The sandbox is read-only.' }] },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'List the files.' }] },
      ],
    })
    t.equal(status, 200)
    t.same(
      messages.map(({ role }) => role),
      ['system', 'user'],
    )
    t.match(JSON.stringify(messages[0]), /You are an agent.*Ask before you write.*The sandbox is read-only/)
  })

  t.test(`${kind}: a developer message between a call and its result does not part them`, async t => {
    const { post } = await behindStrictTemplate(t, kind)
    const { status, messages } = await post('/v1/chat/completions', {
      model: 'auto',
      messages: [
        { role: 'user', content: 'Read a.txt.' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'read', arguments: '{}' } }],
        },
        { role: 'developer', content: 'Be brief.' },
        { role: 'tool', tool_call_id: 'call_1', content: 'hello' },
      ],
      tools: [{ type: 'function', function: { name: 'read', parameters: { type: 'object' } } }],
    })
    t.equal(status, 200)
    t.same(
      messages.map(({ role }) => role),
      ['user', 'assistant', 'tool', 'user'],
    )
    t.match(JSON.stringify(messages[3]), /Be brief/)
  })
}

t.test('OpenAI’s own API gets the messages as they were written', async t => {
  const messages = [
    { role: 'developer', content: 'One.' },
    { role: 'user', content: 'Hi' },
    { role: 'developer', content: 'Two.' },
  ]
  const model = {
    id: 'openai/m',
    provider: 'openai',
    name: 'm',
    tier: 'remote',
    price: undefined,
    free: false,
  } as const
  const asked = { model: 'auto', messages }
  const target = {
    model: { ...model, contextTokens: undefined, loaded: undefined, capabilities: {} },
    provider: { openAis: true },
    promptTokens: 9,
  }
  t.equal(prepare(asked, target).request, asked)
})

/** Every message has a text of its own, so that what became of it can be found again. */
const conversations = fc
  .array(fc.constantFrom('system', 'developer', 'user', 'assistant', 'tool'), { minLength: 1, maxLength: 12 })
  .map(roles => roles.map((role, index): ChatMessage => ({ role, content: `text ${String(index)}.` })))
const rolesOf = (messages: readonly ChatMessage[]) => messages.map(({ role }) => role)

t.test('any conversation ends up with at most one system message, first, and every text is there once', async t => {
  fc.assert(
    fc.property(conversations, messages => {
      const placed = withOneSystemMessage(messages)
      const text = JSON.stringify(placed)
      return (
        !rolesOf(placed.slice(1)).includes('system') &&
        !rolesOf(placed).includes('developer') &&
        messages.every(({ content }) => text.split(JSON.stringify(content).slice(1, -1)).length === 2)
      )
    }),
    { seed: 7, numRuns: 2000 },
  )
  t.pass('2,000 conversations')
})

t.test('a conversation that grows by an answer keeps what was sent before', async t => {
  fc.assert(
    fc.property(conversations, messages => {
      const before = withOneSystemMessage(messages)
      const after = withOneSystemMessage([...messages, { role: 'assistant', content: 'an answer' }])
      return JSON.stringify(after.slice(0, -1)) === JSON.stringify(before)
    }),
    { seed: 7, numRuns: 2000 },
  )
  t.pass('2,000 conversations')
})
