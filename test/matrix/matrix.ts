import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as send } from 'undici'
import {
  gate,
  scriptedUpstream,
  upstreamKinds,
  type ScriptedUpstream,
  type UpstreamKind,
} from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type Teardown, type TestGateway } from '../helpers/start-gateway.ts'
import { clientProtocols, type ReceivedAnswer, type TestRequest, type ClientProtocol } from './client-protocols.ts'

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
    upstream.script.answer = {
      toolCalls: [
        { name: 'look', arguments: { at: 'the "door"' }, id: 'call_1' },
        { name: 'weather', arguments: { at: 'Bern' }, id: 'call_2' },
      ],
    }
    const { calls, complete } = await ask({ text: 'Look.', tools })
    assert.ok(complete)
    assert.deepEqual(
      calls.map(({ name, arguments: written }) => [name, JSON.parse(written)]),
      [
        ['look', { at: 'the "door"' }],
        ['weather', { at: 'Bern' }],
      ],
    )
    assert.equal(new Set(calls.map(({ id }) => id)).size, 2)
    upstream.script.answer = { text: 'Done.' }
    const results = calls.map(call => ({ ...call, result: `result of ${call.name}` }))
    assert.equal((await ask({ text: 'Look.', tools, results })).text, 'Done.')
    const sent = (upstream.chats.at(-1)?.body['messages'] ?? []) as { role: string }[]
    const told = sent.filter(({ role }) => role === 'tool').map(message => JSON.stringify(message))
    assert.equal(told.length, 2)
    assert.ok(told[0]!.includes('result of look') && told[1]!.includes('result of weather'))
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
    const exchanged = () => exchange(gateway.url + protocol.path, { method: 'POST', body })
    upstream.script.answer = { error: { status: 400, message: 'the script refuses' } }
    const refused = await exchanged()
    assert.equal(refused.status, 400)
    assert.ok(protocol.isError(refused.json) && refused.text.includes('the script refuses'))
    if (!stream) return
    upstream.script.answer = { text: ['a', 'b'], errorBefore: { piece: 1, message: 'the script stops' } }
    const broken = await exchanged()
    assert.equal(broken.status, 200)
    assert.ok(protocol.isError(broken.events.at(-1)) && broken.text.includes('the script stops'))
    assert.ok(!protocol.hear(broken, stream).complete)
  },
}
export type ScenarioName = keyof typeof scenarios
export const scenarioNames = Object.keys(scenarios) as ScenarioName[]

export interface Result {
  cell: Cell
  failure?: unknown
}

/** Every cell, one after another, each on scripted servers of its kind. */
export async function* playMatrix(t: Teardown): AsyncGenerator<Result, void, void> {
  for (const kind of upstreamKinds) {
    for (const protocol of clientProtocols) {
      for (const stream of [false, true]) {
        const models = [{ name: 'scripted', tools: true, vision: true, reasoning: true }]
        const upstream = await scriptedUpstream(t, kind, { models })
        const gateway = await startGateway(t, variablesFor(upstream))
        for (const scenario of scenarioNames) {
          const cell = { protocol, kind, stream, scenario }
          yield { cell, ...(await play({ gateway, upstream, cell, ask: question => ask(gateway, cell, question) })) }
        }
      }
    }
  }
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

async function ask({ url }: TestGateway, { protocol, stream }: Cell, question: TestRequest): Promise<ReceivedAnswer> {
  const body = JSON.stringify(protocol.ask(question, stream))
  const reply = await exchange(url + protocol.path, { method: 'POST', body })
  assert.equal(reply.status, 200, reply.text)
  return protocol.hear(reply, stream)
}

function post({ gateway, cell: { protocol, stream } }: Scene, signal: AbortSignal) {
  const body = JSON.stringify(protocol.ask({ text: 'Hello?' }, stream))
  return send(gateway.url + protocol.path, { method: 'POST', body, signal })
}
