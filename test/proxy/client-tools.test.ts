import t from 'tap'
import { scriptedUpstream, type Answer } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

type Fields = Record<string, unknown>

async function setUp(t: Teardown, answer: Answer) {
  const upstream = await scriptedUpstream(t, 'llama-cpp', {
    models: [{ name: 'scripted', tools: true, vision: true }],
    answer,
  })
  const { url } = await startGateway(t, variablesFor(upstream))
  const post = (path: string, body: object) =>
    exchange(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'auto', ...body }),
    })
  const sent = () => (upstream.chats.at(-1)?.body ?? {}) as { messages: Fields[]; tools: { function: Fields }[] }
  return { post, sent }
}

const calls = (name: string, given: Fields): Answer => ({
  toolCalls: [{ name, arguments: given, id: 'call_1' }],
})

/** The tools that the caller's program runs: what a model writes, and the item that the program expects. */
const responsesTools: readonly { tool: Fields; given: Fields; item: Fields; output: Fields; read: RegExp }[] = [
  {
    tool: { type: 'local_shell' },
    given: { command: ['ls', '-l'], working_directory: '/src' },
    item: {
      type: 'local_shell_call',
      action: { type: 'exec', command: ['ls', '-l'], env: {}, working_directory: '/src' },
    },
    output: { type: 'local_shell_call_output', output: 'a.txt' },
    read: /a\.txt/,
  },
  {
    tool: { type: 'shell', environment: { type: 'local' } },
    given: { commands: ['ls'] },
    item: {
      type: 'shell_call',
      action: { commands: ['ls'], timeout_ms: null, max_output_length: null },
      environment: { type: 'local' },
    },
    output: {
      type: 'shell_call_output',
      output: [{ stdout: 'a.txt', stderr: 'warning', outcome: { type: 'exit', exit_code: 3 } }],
    },
    read: /a\.txt.*warning.*exit code 3/s,
  },
  {
    tool: { type: 'apply_patch' },
    given: { type: 'update_file', path: 'a.txt', diff: '@@\n-a\n+b' },
    item: { type: 'apply_patch_call', operation: { type: 'update_file', path: 'a.txt', diff: '@@\n-a\n+b' } },
    output: { type: 'apply_patch_call_output', status: 'failed', output: 'no such line' },
    read: /failed: no such line/,
  },
  {
    tool: { type: 'computer_use_preview', display_width: 800, display_height: 600, environment: 'browser' },
    given: { type: 'click', x: 10, y: 20, button: 'left' },
    item: {
      type: 'computer_call',
      action: { type: 'click', x: 10, y: 20, button: 'left' },
      pending_safety_checks: [],
    },
    output: {
      type: 'computer_call_output',
      output: { type: 'computer_screenshot', image_url: 'data:image/png;base64,AAAA' },
    },
    read: /AAAA/,
  },
]

for (const { tool, given, item, output, read } of responsesTools) {
  const name = String(tool['type'])
  for (const stream of [false, true]) {
    t.test(
      `${name} of Responses is offered as a function and called as its program expects, ${stream ? 'streamed' : 'whole'}`,
      async t => {
        const { post, sent } = await setUp(t, calls(name, given))
        const { json, events, headers } = await post('/v1/responses', { input: 'Go.', tools: [tool], stream })
        t.match(sent().tools, [{ type: 'function', function: { name, parameters: { type: 'object' } } }])
        t.notMatch(headers['x-signalbox-notes'], /omitted/)
        const response = stream ? events.at(-1).response : json
        t.match(response.output, [{ ...item, call_id: 'call_1', status: 'completed' }])
      },
    )
  }

  t.test(`the model reads its earlier ${name} call and the result`, async t => {
    const { post, sent } = await setUp(t, { text: 'Done.' })
    const { status } = await post('/v1/responses', {
      input: [
        { type: 'message', role: 'user', content: 'Go.' },
        { ...item, id: 'item_1', call_id: 'call_1', status: 'completed' },
        { ...output, call_id: 'call_1' },
      ],
      tools: [tool],
    })
    t.equal(status, 200)
    const [, call, result] = sent().messages
    const called = (call!['tool_calls'] as { function: { name: string; arguments: string } }[])[0]?.function
    t.equal(called?.name, name)
    t.match(JSON.parse(called?.arguments ?? ''), given)
    t.match(result, { role: 'tool', tool_call_id: 'call_1' })
    t.match(JSON.stringify(sent().messages.slice(2)).replaceAll('\\n', '\n'), read)
  })
}

t.test('a shell that OpenAI’s servers run is left out with a note', async t => {
  const { post, sent } = await setUp(t, { text: 'No shell.' })
  const { headers } = await post('/v1/responses', {
    input: 'Go.',
    tools: [{ type: 'shell', environment: { type: 'container_auto' } }],
  })
  t.equal(sent().tools, undefined)
  t.match(headers['x-signalbox-notes'], /shell/)
})

const messagesTools = [
  { type: 'bash_20250124', name: 'bash', given: { command: 'ls' } },
  {
    type: 'text_editor_20250728',
    name: 'str_replace_based_edit_tool',
    given: { command: 'view', path: '/a.txt', view_range: [1, 9] },
  },
  { type: 'memory_20250818', name: 'memory', given: { command: 'view', path: '/memories' } },
]

for (const { type, name, given } of messagesTools) {
  t.test(`${type} of Messages is offered with its schema, and its call comes back`, async t => {
    const { post, sent } = await setUp(t, calls(name, given))
    const { json, headers } = await post('/v1/messages', {
      max_tokens: 50,
      messages: [{ role: 'user', content: 'Go.' }],
      tools: [
        { type, name },
        { type: 'web_search_20250305', name: 'web_search' },
      ],
    })
    const properties = (sent().tools[0]!.function['parameters'] as { properties: Fields }).properties
    for (const argument of Object.keys(given)) t.ok(argument in properties, argument)
    t.equal(sent().tools.length, 1)
    t.match(json, { stop_reason: 'tool_use', content: [{ type: 'tool_use', name, input: given }] })
    t.match(headers['x-signalbox-notes'], /web_search/)
    t.notMatch(headers['x-signalbox-notes'], new RegExp(type))
  })
}
