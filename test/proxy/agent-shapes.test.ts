import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { scriptedUpstream, upstreamKinds, type Answer, type UpstreamKind } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

/**
 * What agents really send, captured from them by ourselves: Claude Code 2.1.197, Codex 0.169.0, Qwen Code 0.15.10. Only the shape
 * is kept – headers, fields, order, names, schemas; their words, ids and paths are replaced, and of long lists of tools a few stay.
 */
function captured(name: string): {
  method: 'POST' | 'HEAD'
  path: string
  headers: Record<string, string>
  body?: Fields
} {
  const file = path.join(import.meta.dirname, 'fixtures', `${name}.json`)
  return JSON.parse(readFileSync(file, 'utf8')) as ReturnType<typeof captured>
}

type Fields = Record<string, unknown>

/** Sends a captured request to a gateway before one server of `kind`; tells what that was asked and what came back. */
async function replay(t: Teardown, kind: UpstreamKind, name: string, answer: Answer) {
  const upstream = await scriptedUpstream(t, kind, {
    models: [{ name: 'scripted', contextTokens: 16_384, loadedContextTokens: 16_384, tools: true, reasoning: true }],
    answer,
  })
  const gateway = await startGateway(t, variablesFor(upstream))
  const { method, path: where, headers, body } = captured(name)
  const reply = await exchange(gateway.url + where, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const asked = (upstream.chats[0]?.body ?? {}) as { messages: Fields[]; tools: { type: string; function: Fields }[] }
  return {
    upstream,
    reply,
    asked,
    sent: JSON.stringify(asked),
    notes: String(reply.headers['x-signalbox-notes'] ?? ''),
  }
}

const thoughtful = (name: string, input: Fields): Answer => ({
  reasoning: ['I look ', 'first.'],
  toolCalls: [{ name, arguments: input, id: 'call_9' }],
})
const names = ({ tools }: { tools: { function: Fields }[] }) => tools.map(tool => tool.function['name'])
const roles = ({ messages }: { messages: Fields[] }) => messages.map(({ role }) => role)

for (const kind of upstreamKinds) {
  t.test(`Claude Code's first turn before ${kind}`, async t => {
    const { reply, asked, sent, notes } = await replay(
      t,
      kind,
      'claude-code-first',
      thoughtful('Read', { file_path: '/home/user/project/greeting.txt' }),
    )
    t.equal(reply.status, 200)
    t.notMatch(sent, /billing-header/)
    t.equal(
      sent.includes('cache_control'),
      kind === 'openrouter',
      'cache_control is sent only to servers that support it',
    )
    t.notMatch(sent, /"(anthropic|context_management|output_config|thinking|system)":/)
    t.same(names(asked), ['Bash', 'Edit', 'Read', 'TaskList', 'WebSearch'])
    t.same(roles(asked), ['system', 'user'])
    t.match(asked.tools[2]?.function['parameters'], { required: ['file_path'] })
    if (kind !== 'openai-compatible') t.match(notes, /max_tokens lowered from 64000/)

    const types = reply.events.map(({ type }) => String(type))
    t.equal(types[0], 'message_start')
    t.equal(types.filter(type => type === 'message_start').length, 1)
    t.equal(types.at(-1), 'message_stop')
    const blocks = reply.events.filter(({ type }) => type === 'content_block_start').map(event => event.content_block)
    t.match(blocks, [{ type: 'thinking' }, { type: 'tool_use', name: 'Read' }])
    const json = reply.events.map(({ delta }) => String(delta?.partial_json ?? '')).join('')
    t.same(JSON.parse(json), { file_path: '/home/user/project/greeting.txt' })
    t.match(reply.events.at(-2), { type: 'message_delta', delta: { stop_reason: 'tool_use' } })
  })

  t.test(`Claude Code's tool result before ${kind}`, async t => {
    const { reply, asked, sent } = await replay(t, kind, 'claude-code-tool-result', { text: ['Hel', 'lo.'] })
    t.same(roles(asked), ['system', 'user', 'assistant', 'tool'])
    t.match(asked.messages[2], { content: 'Looking.', tool_calls: [{ function: { name: 'Read' } }] })
    t.match(JSON.stringify(asked.messages[3]), /1\\thello/)
    t.equal(
      sent.includes('c2lnbmF0dXJlK29mL3RoZT09'),
      kind !== 'ollama',
      'the signature is sent where extra fields are allowed',
    )
    t.match(reply.events.at(-2), { delta: { stop_reason: 'end_turn' } })
  })

  t.test(`Codex's first turn before ${kind}`, async t => {
    const patch = '*** Begin Patch\n*** Add File: note.txt\n+hello\n*** End Patch\n'
    const { reply, asked, sent, notes } = await replay(
      t,
      kind,
      'codex-first',
      thoughtful('apply_patch', { input: patch }),
    )
    t.equal(reply.status, 200)
    t.same(names(asked).slice(0, 5), ['exec_command', 'write_stdin', 'request_user_input', 'apply_patch', 'view_image'])
    t.ok(asked.tools.every(({ type }) => type === 'function'))
    t.match(asked.tools[3]?.function['parameters'], { required: ['input'] })
    t.match(notes, /web_search/)
    t.notMatch(sent, /"(include|store|client_metadata|web_search)":/)
    t.notMatch(sent, /"developer"/)
    t.equal(roles(asked).filter(role => role === 'system').length, 1)
    const done = reply.events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item)
    t.match(done, [{ type: 'reasoning' }, { type: 'custom_tool_call', name: 'apply_patch', input: patch }])
    t.match(reply.events.at(-1), { type: 'response.completed', response: { usage: { total_tokens: 17 } } })
  })

  t.test(`what Codex sends after a search for tools, before ${kind}`, async t => {
    const { reply, asked } = await replay(
      t,
      kind,
      'codex-search-result',
      thoughtful('multi_agent_v1__spawn_agent', { message: 'go' }),
    )
    t.ok(names(asked).includes('multi_agent_v1__close_agent'), 'the tools of the namespace are flattened')
    t.equal(asked.messages.at(-1)?.['role'], 'tool')
    const done = reply.events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item)
    t.match(done.at(-1), { type: 'function_call', name: 'spawn_agent', namespace: 'multi_agent_v1' })
  })

  for (const [fixture, called] of [
    ['codex-tool-result', /exec_command/],
    ['codex-patch-result', /\*\*\* Begin Patch/],
  ] as const) {
    t.test(`${fixture} before ${kind}`, async t => {
      const { reply, asked } = await replay(t, kind, fixture, { text: 'Done.' })
      const [call, result] = asked.messages.slice(-2)
      t.match(call, { role: 'assistant', tool_calls: [{}] })
      t.match(JSON.stringify(call), called)
      t.match(result, { role: 'tool', content: /exited with code 0/ })
      t.match(reply.events.at(-1).response.output, [{ type: 'message', content: [{ text: 'Done.' }] }])
    })
  }

  t.test(`Qwen Code before ${kind}`, async t => {
    const first = await replay(t, kind, 'qwen-code-first', thoughtful('read_file', { file_path: 'greeting.txt' }))
    t.same(roles(first.asked), ['system', 'user', 'assistant', 'user'])
    const deltas = first.reply.events.flatMap(event => event.choices.map((choice: { delta: Fields }) => choice.delta))
    t.match(
      deltas.find((delta: Fields) => delta['tool_calls'] !== undefined),
      { tool_calls: [{ index: 0, id: /./, function: { name: 'read_file' } }] },
    )
    t.match(first.reply.events.at(-1), { choices: [], usage: { prompt_tokens: 12 } })
    const second = await replay(t, kind, 'qwen-code-tool-result', { text: 'hello' })
    t.same(roles(second.asked), ['system', 'user', 'assistant', 'user', 'assistant', 'tool'])
    t.match(JSON.stringify(second.asked.messages[4]), /I look first/, 'the reasoning it stored is sent back')
  })
}

t.test("Claude Code's first question, whether anybody is there, is answered", async t => {
  const { reply } = await replay(t, 'llama-cpp', 'claude-code-probe', {})
  t.equal(reply.status, 200)
})
