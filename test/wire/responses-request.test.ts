import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { GatewayError } from '../../src/errors.ts'
import { responsesFormat, seal } from '../../src/wire/chat/reasoning-details.ts'
import { chatFromResponses } from '../../src/wire/responses/request.ts'
import { jsonObject, words } from './answers.ts'
import { junk } from './junk.ts'

type Json = Record<string, unknown>

const inputText = fc.record({ type: fc.constant('input_text'), text: words })
const inputImage = fc.record({
  type: fc.constant('input_image'),
  image_url: fc.webUrl(),
  detail: fc.constantFrom('auto', 'high'),
})
const inputFile = fc.record({
  type: fc.constant('input_file'),
  filename: words,
  file_data: fc.constant('data:application/pdf;base64,AAAA'),
})
const inputParts = fc.array(fc.oneof(inputText, inputImage, inputFile), { minLength: 1, maxLength: 3 })
const content = fc.oneof(words, inputParts)

const made = fc.oneof(
  fc.record({
    type: fc.constant('function_call'),
    name: fc.constant('read'),
    arguments: jsonObject.map(value => JSON.stringify(value)),
  }),
  fc.record({
    type: fc.constant('function_call'),
    name: fc.constant('spawn'),
    namespace: fc.constant('agents'),
    arguments: jsonObject.map(value => JSON.stringify(value)),
  }),
  fc.record({ type: fc.constant('custom_tool_call'), name: fc.constant('apply_patch'), input: words }),
)

/** Reasoning, text, calls with their results, and the user's next message. */
const exchange = fc.record({
  summary: fc.option(fc.array(words, { maxLength: 2 })),
  said: words,
  calls: fc.array(fc.tuple(made, content), { maxLength: 3 }),
  reply: content,
  aside: fc.option(words),
})

const requests: fc.Arbitrary<Json> = fc
  .record({
    instructions: fc.option(words, { nil: undefined }),
    first: content,
    exchanges: fc.array(exchange, { maxLength: 3 }),
    asked: fc.record(
      {
        stream: fc.boolean(),
        max_output_tokens: fc.constant(99),
        temperature: fc.constantFrom(0, 1),
        reasoning: fc.constant({ effort: 'high' }),
        text: fc.constantFrom(
          { verbosity: 'low' },
          { format: { type: 'json_schema', name: 'x', schema: { type: 'object' }, strict: true } },
          { format: { type: 'json_object' } },
        ),
        tool_choice: fc.constantFrom(
          'auto',
          'required',
          { type: 'function', name: 'read' },
          { type: 'custom', name: 'apply_patch' },
        ),
        parallel_tool_calls: fc.boolean(),
        prompt_cache_key: words,
        metadata: fc.constant({ a: 'b' }),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ instructions, first, exchanges, asked }) => ({
    model: 'm',
    ...(instructions === undefined ? {} : { instructions }),
    ...asked,
    tools,
    input: [{ type: 'message', role: 'user', content: first }, ...exchanges.flatMap(itemsOf)],
  }))
  .map(request => JSON.parse(JSON.stringify(request)) as Json)

const tools = [
  { type: 'function', name: 'read', description: 'Reads.', parameters: { type: 'object' }, strict: false },
  { type: 'custom', name: 'apply_patch', description: 'Patches.' },
  { type: 'namespace', name: 'agents', tools: [{ type: 'function', name: 'spawn', parameters: { type: 'object' } }] },
]

function itemsOf(
  { summary, said, calls, reply, aside }: typeof exchange extends fc.Arbitrary<infer E> ? E : never,
  position: number,
) {
  const ids = calls.map((_, index) => `call_${position}_${index}`)
  return [
    ...(summary === null
      ? []
      : [
          {
            type: 'reasoning',
            id: `rs_${position}`,
            summary: summary.map(text => ({ type: 'summary_text', text })),
            encrypted_content: `secret ${position}`,
          },
        ]),
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: said }] },
    ...calls.map(([call], index) => ({ ...call, call_id: ids[index] })),
    ...calls.map(([call, output], index) => ({
      type: call.type === 'custom_tool_call' ? 'custom_tool_call_output' : 'function_call_output',
      call_id: ids[index],
      output,
    })),
    { type: 'message', role: 'user', content: reply },
    ...(aside === null ? [] : [{ type: 'message', role: 'developer', content: aside }]),
  ]
}

/** Converts chat back to Responses, written from OpenAI's description of both and not from the code under test. */
function responsesFromChat(chat: Json): Json {
  const messages = chat['messages'] as Json[]
  const first = messages[0]!
  const instructions = first['role'] === 'system' ? { instructions: first['content'] } : {}
  const kinds = new Map<unknown, string>()
  const input = (first['role'] === 'system' ? messages.slice(1) : messages).flatMap((message): Json[] => {
    const { role, content, tool_call_id: call_id } = message
    if (role === 'tool') return [{ type: `${kinds.get(call_id)}_output`, call_id, output: partsBack(content) }]
    if (role !== 'assistant') return [{ type: 'message', role, content: partsBack(content) }]
    const details = (message['reasoning_details'] ?? []) as Json[]
    const secret = details.find(({ type }) => type === 'reasoning.encrypted')
    const calls = (
      (message['tool_calls'] ?? []) as { id: string; function: { name: string; arguments: string } }[]
    ).map(({ id, function: called }) => {
      const freeform = called.name === 'apply_patch'
      kinds.set(id, freeform ? 'custom_tool_call' : 'function_call')
      if (freeform) {
        const { input: text } = JSON.parse(called.arguments) as Json
        return { type: 'custom_tool_call', name: 'apply_patch', input: text, call_id: id }
      }
      const [namespace, name] = called.name.includes('__') ? called.name.split('__') : [undefined, called.name]
      return {
        type: 'function_call',
        name,
        ...(namespace ? { namespace } : {}),
        arguments: called.arguments,
        call_id: id,
      }
    })
    return [
      ...(secret === undefined
        ? []
        : [
            {
              type: 'reasoning',
              id: secret['id'],
              summary: details
                .filter(({ type }) => type === 'reasoning.summary')
                .map(({ summary: text }) => ({ type: 'summary_text', text })),
              encrypted_content: secret['data'],
            },
          ]),
      { type: 'message', role, content: [{ type: 'output_text', text: content }] },
      ...calls,
    ]
  })
  return { ...instructions, input }
}

function partsBack(content: unknown): unknown {
  if (!Array.isArray(content)) return content
  return (content as { type: string; text?: string; image_url: Json; file: Json }[]).map(part => {
    if (part.type === 'text') return { type: 'input_text', text: part.text }
    if (part.type === 'file') return { type: 'input_file', ...part.file }
    return { type: 'input_image', image_url: part.image_url['url'], detail: part.image_url['detail'] }
  })
}

t.test('translation to chat loses no item of a Responses conversation', async () => {
  fc.assert(
    fc.property(requests, request => {
      const { request: chat, notes } = chatFromResponses(request)
      const { input, instructions } = request
      assert.deepEqual(responsesFromChat(chat), { input, ...(instructions === undefined ? {} : { instructions }) })
      assert.deepEqual(notes, [])
    }),
  )
})

t.test('invalid input is either rejected with its field named or kept', async () => {
  fc.assert(
    fc.property(junk(requests), body => {
      try {
        chatFromResponses(body)
      } catch (error) {
        assert.ok(error instanceof GatewayError, String(error))
        assert.equal(error.code, 'invalid_request')
      }
    }),
    { numRuns: 500 },
  )
})

t.test('a request is translated field by field', async t => {
  const { request } = chatFromResponses({
    model: 'm',
    instructions: 'be brief',
    input: 'hello',
    stream: true,
    max_output_tokens: 7,
    reasoning: { effort: 'high', summary: 'auto' },
    text: { verbosity: 'low', format: { type: 'json_schema', name: 'x', schema: {} } },
    top_logprobs: 2,
    store: false,
    include: ['reasoning.encrypted_content'],
    prompt_cache_key: 'k',
    truncation: 'auto',
  })
  t.same(request, {
    model: 'm',
    messages: [
      { role: 'system', content: 'be brief' },
      { role: 'user', content: 'hello' },
    ],
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: 7,
    reasoning_effort: 'high',
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } },
    verbosity: 'low',
    logprobs: true,
    top_logprobs: 2,
    prompt_cache_key: 'k',
  })
})

t.test('a freeform tool becomes a function with one text argument and its grammar as text', async t => {
  const { request } = chatFromResponses({
    input: 'x',
    tools: [
      {
        type: 'custom',
        name: 'apply_patch',
        description: 'Edits files.',
        format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
      },
    ],
  })
  t.match(request.tools, [
    {
      type: 'function',
      function: {
        name: 'apply_patch',
        description: /Edits files\.[^]*lark grammar:\nstart: "x"/,
        parameters: { required: ['input'] },
      },
    },
  ])
})

t.test('tools that only OpenAI runs are left out with a note', async t => {
  const { request, notes } = chatFromResponses({
    input: [
      { role: 'user', content: 'x' },
      { type: 'compaction', encrypted_content: 'y' },
    ],
    tools: [{ type: 'web_search' }],
    tool_choice: 'auto',
  })
  t.same(request, { model: 'auto', messages: [{ role: 'user', content: 'x' }] })
  t.match(notes, [/web_search/, /^input\.1: an item of type compaction/])
})

t.test('tools that a search found can be called from then on', async t => {
  const found = { type: 'namespace', name: 'agents', tools: [{ type: 'function', name: 'spawn', parameters: {} }] }
  const { request } = chatFromResponses({
    input: [
      { role: 'user', content: 'x' },
      { type: 'tool_search_call', call_id: 'c', execution: 'client', arguments: { query: 'spawn' } },
      { type: 'tool_search_output', call_id: 'c', execution: 'client', tools: [found] },
    ],
    tools: [{ type: 'tool_search', execution: 'client', parameters: { type: 'object' } }],
  })
  t.match(request.messages.slice(1), [
    { role: 'assistant', tool_calls: [{ id: 'c', function: { name: 'tool_search', arguments: '{"query":"spawn"}' } }] },
    { role: 'tool', tool_call_id: 'c', content: 'Found: agents__spawn' },
  ])
  t.match(request.tools, [{ function: { name: 'tool_search' } }, { function: { name: 'agents__spawn' } }])
})

t.test('long and invalid names become distinct function names', async t => {
  const long = 'n'.repeat(70)
  const { request, bridge } = chatFromResponses({
    input: 'x',
    tools: [`${long}a`, 'b.c', 'b_c']
      .map(name => ({ type: 'function', name }))
      .concat({ type: 'function', name: `x${long}a` }),
  })
  const names = request.tools!.map(tool => (tool['function'] as Json)['name'] as string)
  t.equal(new Set(names).size, 4)
  for (const name of names) t.match(name, /^[a-zA-Z0-9_-]{1,64}$/)
  const back = names.map(
    functionName => bridge.callItem({ itemId: 'i', callId: 'c', functionName, arguments: '' })['name'],
  )
  t.same(back, [`${long}a`, 'b.c', 'b_c', `x${long}a`])
})

t.test('a choice among tools is kept where those tools exist', async t => {
  const choice = (tool_choice: unknown) => {
    const { request } = chatFromResponses({ input: 'x', tools, tool_choice })
    return [request.tool_choice, request.tools?.length]
  }
  t.same(choice({ type: 'function', name: 'spawn', namespace: 'agents' }), [
    { type: 'function', function: { name: 'agents__spawn' } },
    3,
  ])
  t.same(choice({ type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'read' }] }), [
    'required',
    1,
  ])
  t.same(choice({ type: 'web_search' }), ['auto', 3])
  t.same(choice('none'), ['none', 3])
})

t.test('a late result still follows its call', async t => {
  const { request } = chatFromResponses({
    input: [
      { role: 'user', content: 'x' },
      { type: 'function_call', call_id: 'a', name: 'read', arguments: '{}' },
      { type: 'message', role: 'assistant', content: 'reading' },
      { type: 'function_call', call_id: 'b', name: 'read', arguments: '{}' },
      { role: 'user', content: 'hurry' },
      { type: 'function_call_output', call_id: 'a', output: '1' },
      { type: 'function_call_output', call_id: 'b', output: '2' },
    ],
  })
  t.match(request.messages.slice(1), [
    { role: 'assistant', content: 'reading', tool_calls: [{ id: 'a' }, { id: 'b' }] },
    { role: 'tool', tool_call_id: 'a' },
    { role: 'tool', tool_call_id: 'b' },
    { role: 'user', content: 'hurry' },
  ])
})

t.test('sealed reasoning is restored, the rest is marked as OpenAI’s', async t => {
  const claude = { type: 'reasoning.text', text: 'hm', signature: 's', format: 'anthropic-claude-v1', index: 0 }
  const detailsOf = (encrypted_content: string | null, summary: Json[] = []) =>
    chatFromResponses({
      input: [
        { role: 'user', content: 'x' },
        { type: 'reasoning', id: 'rs_1', summary, content: null, encrypted_content },
        { role: 'assistant', content: 'y' },
      ],
    }).request.messages[1]
  t.same(detailsOf(seal([claude]))?.['reasoning_details'], [claude])
  t.same(detailsOf('abc')?.['reasoning_details'], [
    { type: 'reasoning.encrypted', data: 'abc', format: responsesFormat, id: 'rs_1', index: 0 },
  ])
  t.match(detailsOf(null, [{ type: 'summary_text', text: 'hm' }]), {
    reasoning_content: 'hm',
    reasoning_details: undefined,
  })
})
