import t from 'tap'
import { prepare, type Target } from '../../src/gateway/prepare.ts'
import type { Model } from '../../src/providers/provider.ts'
import type { ChatRequest } from '../../src/wire/chat/schema.ts'

const model: Model = {
  id: 'here/small',
  provider: 'here',
  name: 'small',
  tier: 'local',
  price: undefined,
  free: true,
  contextTokens: 4096,
  loaded: true,
  capabilities: {},
}
const request = (fields: Record<string, unknown> = {}): ChatRequest => ({
  model: 'auto',
  messages: [{ role: 'user', content: 'Hi' }],
  ...fields,
})
const target = (fields: Partial<Target> = {}, about: Partial<Model> = {}): Target => ({
  model: { ...model, ...about },
  provider: {},
  promptTokens: 96,
  ...fields,
})

t.test('a request that needs no change stays the same object', async t => {
  const asked = request({ temperature: 0, max_tokens: 4000 })
  const prepared = prepare(asked, target())
  t.equal(prepared.request, asked)
  t.same(prepared.notes, [])
})

t.test(
  'a limit beyond the remaining context is lowered with a note, and the caller’s request is not modified',
  async t => {
    const asked = request({ max_tokens: 64_000, max_completion_tokens: 10 })
    const prepared = prepare(asked, target())
    t.match(prepared.request, { max_tokens: 4000, max_completion_tokens: 10 })
    t.match(prepared.notes, [/max_tokens lowered from 64000 to 4000 for here\/small/])
    t.equal(asked.max_tokens, 64_000)
    t.match(prepare(asked, target({}, { maxOutputTokens: 1000 })).request, { max_tokens: 1000 })
    t.match(prepare(asked, target({}, { contextTokens: undefined })).request, { max_tokens: 64_000 })
  },
)

t.test('Claude Code’s billing block is sent only to Anthropic', async t => {
  const billing = 'x-anthropic-billing-header: cc_version=2.1; cch=12ab;'
  const parts = request({
    messages: [
      {
        role: 'system',
        content: [
          { type: 'text', text: billing },
          { type: 'text', text: 'You help.' },
        ],
      },
      { role: 'user', content: `What is ${billing}?` },
    ],
  })
  const text = request({ messages: [{ role: 'system', content: `${billing}\nYou help.` }] })
  t.same(prepare(parts, target()).request.messages, [
    { role: 'system', content: [{ type: 'text', text: 'You help.' }] },
    parts.messages[1],
  ])
  t.same(prepare(text, target()).request.messages, [{ role: 'system', content: 'You help.' }])
  t.equal(prepare(parts, target({ provider: { anthropics: true } })).request, parts)
})

t.test('cache_control is sent only to servers that support it', async t => {
  const cache_control = { type: 'ephemeral' }
  const asked = request({
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', cache_control }] }],
    tools: [{ type: 'function', function: { name: 'f' }, cache_control }],
  })
  t.notMatch(JSON.stringify(prepare(asked, target()).request), /cache_control/)
  t.equal(prepare(asked, target({ provider: { cacheControl: true } })).request, asked)
})

t.test('internal fields are sent to no server', async t => {
  const asked = request({
    anthropic: { thinking: { type: 'adaptive' } },
    messages: [{ role: 'tool', content: 'x', tool_call_id: '1', is_error: true }],
  })
  t.same(prepare(asked, target({ provider: { cacheControl: true } })).request, {
    model: 'auto',
    messages: [{ role: 'tool', content: 'x', tool_call_id: '1' }],
  })
})

t.test('a model without reasoning gets no effort and no other model’s reasoning', async t => {
  const asked = request({
    reasoning_effort: 'high',
    messages: [{ role: 'assistant', content: 'Yes.', reasoning_content: 'Hm.', reasoning_details: [] }],
  })
  const prepared = prepare(asked, target({}, { capabilities: { reasoning: false } }))
  t.same(prepared.request, { model: 'auto', messages: [{ role: 'assistant', content: 'Yes.' }] })
  t.match(prepared.notes, [/does not reason/])
  t.equal(prepare(asked, target({}, { capabilities: { reasoning: true } })).request, asked)
})

t.test('an effort is mapped to the nearest one that the server supports', async t => {
  const prepared = prepare(request({ reasoning_effort: 'max' }), target({ provider: { efforts: ['low', 'high'] } }))
  t.equal(prepared.request['reasoning_effort'], 'high')
  t.match(prepared.notes, [/max became high/])
})

t.test('images in tool results follow the results if the server accepts them only from users', async t => {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }
  const asked = {
    model: 'm',
    messages: [
      { role: 'assistant', tool_calls: [{ id: 'a' }, { id: 'b' }] },
      { role: 'tool', tool_call_id: 'a', content: [{ type: 'text', text: 'here' }, image] },
      { role: 'tool', tool_call_id: 'b', content: [image] },
      { role: 'user', content: 'And?' },
    ],
  }
  t.equal(prepare(asked, target({ provider: { toolImages: true } })).request, asked)
  t.same(prepare(asked, target()).request.messages.slice(1), [
    { role: 'tool', tool_call_id: 'a', content: [{ type: 'text', text: 'here' }] },
    { role: 'tool', tool_call_id: 'b', content: 'The image is in the next user message.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Images from tool call a:' },
        image,
        { type: 'text', text: 'Images from tool call b:' },
        image,
      ],
    },
    { role: 'user', content: 'And?' },
  ])
})
