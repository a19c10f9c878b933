import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { GatewayError } from '../../src/errors.ts'
import { chatFromMessages } from '../../src/wire/messages/request.ts'
import { messagesFromChat } from './messages-from-chat.ts'
import { seal } from '../../src/wire/chat/reasoning-details.ts'
import { jsonObject, words } from './answers.ts'
import { junk } from './junk.ts'

type Json = Record<string, unknown>

const cache = fc.option(fc.constantFrom({ type: 'ephemeral' }, { type: 'ephemeral', ttl: '1h' }), { nil: undefined })
const withCache = (block: fc.Arbitrary<Json>) =>
  fc.tuple(block, cache).map(([fields, mark]) => (mark === undefined ? fields : { ...fields, cache_control: mark }))

const base64 = fc.base64String({ minLength: 4, maxLength: 20 })
const textBlock = withCache(fc.record({ type: fc.constant('text'), text: words }))
const imageBlock = withCache(
  fc.record({
    type: fc.constant('image'),
    source: fc.oneof(
      fc.record({ type: fc.constant('base64'), media_type: fc.constantFrom('image/png', 'image/webp'), data: base64 }),
      fc.record({ type: fc.constant('url'), url: fc.webUrl() }),
      fc.record({ type: fc.constant('file'), file_id: fc.constant('file_1') }),
    ),
  }),
)
const documentBlock = withCache(
  fc.record({
    type: fc.constant('document'),
    title: words,
    source: fc.oneof(
      fc.record({ type: fc.constant('base64'), media_type: fc.constant('application/pdf'), data: base64 }),
      fc.record({ type: fc.constant('text'), media_type: fc.constant('text/plain'), data: words }),
      fc.record({
        type: fc.constant('content'),
        content: fc.array(fc.record({ type: fc.constant('text'), text: words })),
      }),
    ),
  }),
)
const oddBlock = withCache(
  fc.oneof(
    fc.record({ type: fc.constant('search_result'), source: words, title: words, content: fc.constant([]) }),
    fc.record({ type: fc.constant('tool_reference'), tool_name: words }),
    fc.record({ type: fc.constant('text'), text: words, citations: fc.constant([{ type: 'char_location' }]) }),
  ),
)
const content = fc.oneof(
  words,
  fc.array(fc.oneof(textBlock, imageBlock, documentBlock, oddBlock), { minLength: 1, maxLength: 3 }),
)
const thinking = fc.oneof(
  fc.record({ type: fc.constant('thinking'), thinking: words, signature: base64 }),
  fc.record({ type: fc.constant('redacted_thinking'), data: base64 }),
)
const toolUse = withCache(
  fc.record({ type: fc.constant('tool_use'), name: fc.constantFrom('read', 'mcp__x__y'), input: jsonObject }),
)
const result = fc.record(
  {
    content: fc.oneof(words, fc.array(fc.oneof(textBlock, imageBlock), { minLength: 1, maxLength: 2 })),
    is_error: fc.constant(true),
  },
  { requiredKeys: ['content'] },
)

/** An assistant's turn, with the results of its calls and what the user then says. */
const exchange = fc.record({
  thoughts: fc.array(thinking, { maxLength: 2 }),
  said: fc.array(textBlock, { minLength: 1, maxLength: 2 }),
  calls: fc.array(fc.tuple(toolUse, result), { maxLength: 3 }),
  reply: fc.array(textBlock, { minLength: 1, maxLength: 2 }),
  aside: fc.option(words),
})

const tool = withCache(
  fc.record(
    {
      name: fc.constantFrom('read', 'mcp__x__y'),
      description: words,
      input_schema: jsonObject,
      strict: fc.boolean(),
      type: fc.constant('custom'),
      eager_input_streaming: fc.boolean(),
    },
    { requiredKeys: ['name', 'input_schema'] },
  ),
)
const serverTool = fc.constant({ type: 'web_search_20250305', name: 'web_search', max_uses: 3 })

const requests: fc.Arbitrary<Json> = fc
  .record({
    first: content,
    exchanges: fc.array(exchange, { maxLength: 3 }),
    asked: fc.record(
      {
        system: fc.oneof(words, fc.array(textBlock, { minLength: 1, maxLength: 2 })),
        stream: fc.boolean(),
        stop_sequences: fc.array(words, { minLength: 1, maxLength: 2 }),
        temperature: fc.constantFrom(0, 0.5),
        top_p: fc.constantFrom(0.1, 1),
        top_k: fc.nat(9),
        thinking: fc.constantFrom(
          { type: 'adaptive', display: 'omitted' },
          { type: 'disabled' },
          { type: 'enabled', budget_tokens: 9000 },
        ),
        output_config: fc.constantFrom(
          { effort: 'high' },
          { effort: 'max', format: { type: 'json_schema', schema: { type: 'object' } } },
        ),
        metadata: fc.constantFrom({ user_id: 'u' }, { user_id: 'u', other: 'x' }),
        tool_choice: fc.constantFrom(
          { type: 'auto' },
          { type: 'any', disable_parallel_tool_use: true },
          { type: 'tool', name: 'read', disable_parallel_tool_use: false },
          { type: 'none' },
        ),
        cache_control: fc.constant({ type: 'ephemeral' }),
        service_tier: fc.constant('auto'),
        context_management: fc.constant({ edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] }),
      },
      { requiredKeys: [] },
    ),
    tools: fc.tuple(fc.array(tool, { maxLength: 2 }), fc.array(serverTool, { maxLength: 1 })),
  })
  .map(({ first, exchanges, asked, tools }) => ({
    model: 'm',
    max_tokens: 100,
    ...asked,
    ...(tools.flat().length === 0 ? {} : { tools: tools.flat() }),
    messages: [{ role: 'user', content: first }, ...exchanges.flatMap(turnsOf)],
  }))
  .map(request => JSON.parse(JSON.stringify(request)) as Json)

function turnsOf(
  { thoughts, said, calls, reply, aside }: typeof exchange extends fc.Arbitrary<infer E> ? E : never,
  position: number,
) {
  const ids = calls.map((_, index) => `toolu_${position}_${index}`)
  const results = calls.map(([, given], index) => ({ type: 'tool_result', tool_use_id: ids[index], ...given }))
  return [
    {
      role: 'assistant',
      content: [...thoughts, ...said, ...calls.map(([call], index) => ({ ...call, id: ids[index] }))],
    },
    { role: 'user', content: [...results, ...reply] },
    ...(aside === null ? [] : [{ role: 'system', content: aside }]),
  ]
}

/** One text and one text block mean the same to Anthropic. */
function inBlocks(request: Json): Json {
  const blocks = (value: unknown) => (typeof value === 'string' ? [{ type: 'text', text: value }] : value)
  const messages = (request['messages'] as { role: string; content: unknown }[]).map(({ role, content }) => ({
    role,
    content: (blocks(content) as Json[]).map(block =>
      block['type'] === 'tool_result' ? { ...block, content: blocks(block['content']) } : block,
    ),
  }))
  return { ...request, messages }
}

t.test('Messages to chat and back loses nothing that chat can represent', async () => {
  fc.assert(
    fc.property(requests, request => {
      const { request: chat } = chatFromMessages(request)
      assert.deepEqual(inBlocks(messagesFromChat(chat, 1)), inBlocks(request))
    }),
  )
})

t.test('invalid input is either rejected with its field named or kept', async () => {
  fc.assert(
    fc.property(junk(requests), body => {
      try {
        const { request } = chatFromMessages(body)
        messagesFromChat(request, 1)
      } catch (error) {
        assert.ok(error instanceof GatewayError, String(error))
        assert.equal(error.code, 'invalid_request')
      }
    }),
    { numRuns: 500 },
  )
})

t.test('an invalid field is named by its path', async t => {
  const ask = (content: unknown) => () =>
    chatFromMessages({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content }] })
  t.throws(ask([{ type: 'text' }]), { code: 'invalid_request', param: 'messages.0.content.0.text' })
  t.throws(ask(7), { code: 'invalid_request', param: 'messages.0.content' })
  t.throws(() => chatFromMessages({ model: 'm', messages: [{ role: 'tool', content: '' }] }), {
    code: 'invalid_request',
    param: 'messages.0.role',
  })
  t.throws(() => chatFromMessages([]), { code: 'invalid_request', message: 'The request body must be a JSON object.' })
})

t.test("a model's own reasoning is kept byte for byte, and its text is given to models without signatures", async t => {
  const thought = { type: 'thinking', thinking: 'a\u2028 b', signature: 'c2ln+/==' }
  const { request } = chatFromMessages({
    messages: [
      { role: 'user', content: 'x' },
      {
        role: 'assistant',
        content: [thought, { type: 'redacted_thinking', data: 'ZGF0YQ==' }, { type: 'text', text: 'y' }],
      },
    ],
  })
  t.match(request.messages[1], {
    content: 'y',
    reasoning_content: 'a\u2028 b',
    reasoning_details: [
      { type: 'reasoning.text', text: 'a\u2028 b', signature: 'c2ln+/==', format: 'anthropic-claude-v1' },
      { type: 'reasoning.encrypted', data: 'ZGF0YQ==', format: 'anthropic-claude-v1' },
    ],
  })
})

t.test("another vendor's encrypted reasoning is restored from its sealed block", async t => {
  const secret = { type: 'reasoning.encrypted', data: 'abc', id: 'rs_1', format: 'openai-responses-v1' }
  const content = [{ type: 'redacted_thinking', data: seal([secret]) }]
  const { request } = chatFromMessages({
    messages: [
      { role: 'user', content: 'x' },
      { role: 'assistant', content },
    ],
  })
  t.same(request.messages[1]?.['reasoning_details'], [secret])
  t.same(messagesFromChat(request, 1)['messages'], [{ role: 'user', content: 'x' }], 'it is never sent to Anthropic')
})

t.test('tool results precede the user’s text, each as its own message', async t => {
  const { request } = chatFromMessages({
    messages: [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'read', input: { of: 1 } }] },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'go on' },
          { type: 'tool_result', tool_use_id: 'a', content: 'r', cache_control: { type: 'ephemeral' } },
        ],
      },
    ],
  })
  t.same(request.messages.slice(1), [
    {
      role: 'assistant',
      content: '',
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'read', arguments: '{"of":1}' } }],
    },
    { role: 'tool', tool_call_id: 'a', content: [{ type: 'text', text: 'r', cache_control: { type: 'ephemeral' } }] },
    { role: 'user', content: [{ type: 'text', text: 'go on' }] },
  ])
})

t.test('tools that only Anthropic runs are left out with a note', async t => {
  const { request, notes } = chatFromMessages({
    messages: [{ role: 'user', content: 'x' }],
    tools: [{ type: 'web_search_20250305', name: 'web_search' }],
  })
  t.equal(request.tools, undefined)
  t.match(notes, [/web_search/])
})

t.test('thinking budgets and efforts map to one effort', async t => {
  const effort = (asked: Json) =>
    chatFromMessages({ messages: [{ role: 'user', content: 'x' }], ...asked }).request['reasoning_effort']
  t.equal(effort({ thinking: { type: 'enabled', budget_tokens: 1024 } }), 'minimal')
  t.equal(effort({ thinking: { type: 'enabled', budget_tokens: 10_000 } }), 'medium')
  t.equal(effort({ thinking: { type: 'disabled' }, output_config: { effort: 'high' } }), 'none')
  t.equal(effort({ thinking: { type: 'adaptive' }, output_config: { effort: 'max' } }), 'max')
  t.equal(effort({}), undefined)
})

t.test('a chat request is translated for a server that supports only Messages', async t => {
  const sent = messagesFromChat(
    {
      model: 'm',
      messages: [
        { role: 'developer', content: 'be brief' },
        { role: 'system', content: 'really' },
        { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] },
        {
          role: 'assistant',
          content: null,
          reasoning_content: 'unsigned',
          tool_calls: [chatCall('call:1', 'not json')],
        },
        { role: 'tool', tool_call_id: 'call:1', content: 'r' },
      ],
      stop: 'END',
      tools: [{ type: 'function', function: { name: 'now' } }],
      tool_choice: 'required',
      parallel_tool_calls: false,
      reasoning_effort: 'minimal',
      n: 2,
    },
    4096,
  )
  t.same(sent, {
    model: 'm',
    system: [
      { type: 'text', text: 'be brief' },
      { type: 'text', text: 'really' },
    ],
    messages: [
      { role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }] },
      {
        role: 'assistant',
        content: [{ type: 'tool_use', id: 'call_1', name: 'read', input: { arguments: 'not json' } }],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: 'r' }] },
    ],
    max_tokens: 4096,
    stop_sequences: ['END'],
    tools: [{ name: 'now', input_schema: { type: 'object', properties: {} } }],
    tool_choice: { type: 'any', disable_parallel_tool_use: true },
    thinking: { type: 'adaptive' },
    output_config: { effort: 'low' },
  })
})

function chatCall(id: string, text: string): Json {
  return { id, type: 'function', function: { name: 'read', arguments: text } }
}
