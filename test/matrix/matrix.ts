import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'undici'
import {
  gate,
  scriptedUpstream,
  upstreamKinds,
  type ScriptedUpstream,
  type UpstreamKind,
} from '../helpers/scripted-upstream.ts'
import {
  exchange,
  startGateway,
  variablesFor,
  type Reply,
  type Teardown,
  type TestGateway,
} from '../helpers/start-gateway.ts'
import { lateTurns, toolSchema } from './client-protocol.ts'
import type { ClientProtocol, Feature, ReceivedAnswer, TestRequest } from './client-protocol.ts'
import { clientProtocols } from './client-protocols.ts'

/** One combination: a protocol, a kind of server behind it, streamed or buffered, and a scenario. */
export interface Cell {
  protocol: ClientProtocol
  kind: UpstreamKind
  stream: boolean
  scenario: ScenarioName
}

interface Scene {
  gateway: TestGateway
  upstream: ScriptedUpstream
  ask: (question: TestRequest) => Promise<ReceivedAnswer>
  cell: Cell
}

/** Each plays one scenario over real HTTP and throws when the client receives something unexpected. */
const scenarios = {
  async text({ upstream, ask }: Scene) {
    upstream.script.answer = { text: ['Grüß ', 'dich.'], usage: { promptTokens: 9, outputTokens: 2 } }
    const heard = await ask({ text: 'Hello?' })
    assert.deepEqual(heard, {
      text: 'Grüß dich.',
      reasoning: '',
      calls: [],
      usage: { input: 9, output: 2 },
      complete: true,
    })
  },
  async tools({ upstream, ask }: Scene) {
    const tools = ['look', 'weather']
    const asked = { name: 'look', arguments: { at: 'the "door"' } }
    upstream.script.answer = { toolCalls: [{ ...asked, id: 'call_1' }] }
    const { calls, complete } = await ask({ text: 'Look.', tools })
    assert.ok(complete)
    assert.deepEqual(calls.map(parsed), [asked])
    await returnResults({ upstream, ask }, calls, tools)
  },
  async parallel({ upstream, ask }: Scene) {
    const tools = ['look', 'weather']
    const asked = [
      { name: 'look', arguments: { at: 'one' } },
      { name: 'weather', arguments: { at: 'Bern' } },
      { name: 'look', arguments: { at: 'two' } },
    ]
    upstream.script.answer = { toolCalls: asked.map((call, index) => ({ ...call, id: `call_${index}` })) }
    const { calls, complete } = await ask({ text: 'Look at both.', tools })
    assert.ok(complete)
    assert.deepEqual(calls.map(parsed), asked)
    assert.equal(new Set(calls.map(({ id }) => id)).size, 3)
    await returnResults({ upstream, ask }, calls, tools)
  },
  async forced({ upstream, ask, cell }: Scene) {
    const wanted = { name: 'weather', arguments: { at: 'Bern' } }
    // Ollama is held to the parameters' schema instead, and answers in text.
    upstream.script.answer =
      cell.kind === 'ollama' ? { text: ['{"at":', '"Bern"}'] } : { toolCalls: [{ ...wanted, id: 'call_1' }] }
    const { text, calls, complete } = await ask({ text: 'Weather?', tools: ['look', 'weather'], forced: 'weather' })
    assert.ok(complete)
    assert.deepEqual({ text, calls: calls.map(parsed) }, { text: '', calls: [wanted] })
    const { tool_choice: choice, tools, format } = upstream.chats.at(-1)!.body
    if (cell.kind === 'ollama') assert.deepEqual(format, toolSchema)
    else if (choice === 'required') assert.deepEqual((tools as unknown[]).length, 1)
    else assert.deepEqual(choice, { type: 'function', function: { name: 'weather' } })
  },
  async structured({ upstream, ask, cell }: Scene) {
    const format = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
    upstream.script.answer = { text: ['{"city":', '"Bern"}'] }
    const { text, calls } = await ask({ text: 'Which city?', format })
    assert.deepEqual({ text, calls }, { text: '{"city":"Bern"}', calls: [] })
    const { format: held, response_format: asked } = upstream.chats.at(-1)!.body
    const { json_schema: described } = (asked ?? {}) as { json_schema?: { schema?: unknown } }
    assert.deepEqual(cell.kind === 'ollama' ? held : described?.schema, format)
  },
  async lateSystem({ upstream, ask }: Scene) {
    upstream.script.answer = { text: 'Yes.' }
    assert.equal((await ask({ text: 'Hello?', lateSystem: 'Be very brief.' })).text, 'Yes.')
    const sent = upstream.chats.at(-1)!.body['messages'] as { role: string }[]
    assert.ok(sent.slice(1).every(({ role }) => role === 'user' || role === 'assistant'))
    const told = sent.map(message => JSON.stringify(message))
    assert.ok(told.some((text, index) => text.includes('Be very brief.') && index > 1))
    assert.ok(told.at(-1)?.includes(lateTurns.question))
  },
  async document({ gateway, upstream, ask, cell }: Scene) {
    const document = Buffer.from('a document on doors').toString('base64')
    upstream.script.answer = { text: 'On doors.' }
    if (cell.kind === 'ollama') {
      // It reads none, and an answer without the document would be a wrong one.
      const refused = await send(gateway, cell, { text: 'What is it on?', document })
      assert.equal(refused.status, 400)
      assert.ok(cell.protocol.isError(refused.json))
      return
    }
    assert.equal((await ask({ text: 'What is it on?', document })).text, 'On doors.')
    assert.ok(JSON.stringify(upstream.chats.at(-1)?.body).includes(document))
  },
  async image({ upstream, ask }: Scene) {
    const image = Buffer.from('an image of a door').toString('base64')
    upstream.script.answer = { text: 'A door.' }
    assert.equal((await ask({ text: 'What is it?', image })).text, 'A door.')
    assert.ok(JSON.stringify(upstream.chats.at(-1)?.body).includes(image))
  },
  async reasoning({ upstream, ask }: Scene) {
    upstream.script.answer = { reasoning: ['Is it ', 'so?'], text: ['It ', 'is.'] }
    const { text, reasoning, complete } = await ask({ text: 'Think.' })
    assert.deepEqual({ text, reasoning, complete }, { text: 'It is.', reasoning: 'Is it so?', complete: true })
  },
  async abort(scene: Scene) {
    const { upstream, cell } = scene
    const held = gate()
    upstream.script.answer = cell.stream
      ? { text: ['a'], endless: true }
      : { text: 'a', hold: { before: 'headers', until: held.opened } }
    const [chats, hangUps] = [upstream.chats.length + 1, upstream.hangUps + 1]
    const controller = new AbortController()
    const asked = post(scene, controller.signal)
    if (cell.stream) await once((await asked).body, 'readable')
    else await upstream.untilChats(chats)
    controller.abort()
    await asked.then(({ body }) => body.dump()).catch(() => undefined)
    await upstream.untilHangUps(hangUps)
    held.open()
  },
  async error({ gateway, upstream, cell }: Scene) {
    const { protocol, stream } = cell
    const body = JSON.stringify(protocol.ask({ text: 'Hello?' }, stream))
    const exchanged = () => exchange(gateway.url + protocol.path(stream), { method: 'POST', body })
    upstream.script.answer = { error: { status: 400, message: 'the script refuses' } }
    const refused = await exchanged()
    assert.equal(refused.status, 400)
    assert.ok(protocol.isError(refused.json) && refused.text.includes('the script refuses'))
    if (!stream) return
    upstream.script.answer = { text: ['a', 'b'], errorBefore: { piece: 1, message: 'the script stops' } }
    const broken = await exchanged()
    assert.equal(broken.status, 200)
    assert.ok(protocol.isError(protocol.objectsOf(broken).at(-1)) && broken.text.includes('the script stops'))
    assert.ok(!protocol.hear(broken, stream).complete)
  },
}
export type ScenarioName = keyof typeof scenarios

/** What a protocol must be able to say for a scenario. */
const needs: Partial<Record<ScenarioName, Feature>> = {
  tools: 'tools',
  parallel: 'tools',
  forced: 'forced tools',
  document: 'documents',
  lateSystem: 'late system messages',
}
export const scenarioNames = Object.keys(scenarios) as ScenarioName[]

export interface Result {
  cell: Cell
  failure?: unknown
}

/** Every cell, one after another; all protocols of a kind of server use the same scripted one. */
export async function* playMatrix(t: Teardown): AsyncGenerator<Result, void, void> {
  for (const kind of upstreamKinds) {
    const models = [{ name: 'scripted', tools: true, vision: true, reasoning: true }]
    const upstream = await scriptedUpstream(t, kind, { models })
    const gateway = await startGateway(t, variablesFor(upstream))
    for (const cell of cellsOf(kind)) {
      yield { cell, ...(await play({ gateway, upstream, cell, ask: question => ask(gateway, cell, question) })) }
    }
  }
}

function cellsOf(kind: UpstreamKind): Cell[] {
  return clientProtocols.flatMap(protocol =>
    [false, true].flatMap(stream =>
      scenarioNames
        .filter(scenario => needs[scenario] === undefined || !protocol.lacks.includes(needs[scenario]))
        .map(scenario => ({ protocol, kind, stream, scenario })),
    ),
  )
}

export function nameOf({ protocol, kind, stream, scenario }: Cell): string {
  return `${protocol.name} × ${kind}, ${stream ? 'streamed' : 'whole'}: ${scenario}`
}

async function play(scene: Scene): Promise<{ failure?: unknown }> {
  try {
    await scenarios[scene.cell.scenario](scene)
    return {}
  } catch (failure) {
    return { failure }
  }
}

/** The results of calls, sent back, reach the model in their order. */
async function returnResults(
  { upstream, ask }: Pick<Scene, 'upstream' | 'ask'>,
  calls: ReceivedAnswer['calls'],
  tools: readonly string[],
): Promise<void> {
  upstream.script.answer = { text: 'Done.' }
  const results = calls.map((call, index) => ({ ...call, result: `result ${index} of ${call.name}` }))
  assert.equal((await ask({ text: 'Look.', tools, results })).text, 'Done.')
  const sent = (upstream.chats.at(-1)?.body['messages'] ?? []) as { role: string }[]
  const told = sent.filter(({ role }) => role === 'tool').map(message => JSON.stringify(message))
  assert.equal(told.length, results.length)
  for (const [index, { result }] of results.entries()) assert.ok(told[index]!.includes(result))
}

function parsed({ name, arguments: written }: ReceivedAnswer['calls'][number]) {
  return { name, arguments: JSON.parse(written) as unknown }
}

async function ask(gateway: TestGateway, cell: Cell, question: TestRequest): Promise<ReceivedAnswer> {
  const reply = await send(gateway, cell, question)
  assert.equal(reply.status, 200, reply.text)
  return cell.protocol.hear(reply, cell.stream)
}

function send({ url }: TestGateway, { protocol, stream }: Cell, question: TestRequest): Promise<Reply> {
  const body = JSON.stringify(protocol.ask(question, stream))
  return exchange(url + protocol.path(stream), { method: 'POST', body })
}

/** The same, for a request whose answer is not read to its end. */
function post({ gateway, cell: { protocol, stream } }: Scene, signal: AbortSignal) {
  const body = JSON.stringify(protocol.ask({ text: 'Hello?' }, stream))
  return request(gateway.url + protocol.path(stream), { method: 'POST', body, signal })
}
