import t from 'tap'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type TestGateway } from '../helpers/start-gateway.ts'

const messages = [{ role: 'user', content: 'Write a function in Python that parses ISO dates.' }]

/** The predicted quality of a model for `messages`, as `POST /v1/route` tells it. */
async function qualityOf(gateway: TestGateway, model: string): Promise<number> {
  const reply = await exchange(`${gateway.url}/v1/route`, {
    method: 'POST',
    body: JSON.stringify({ model: 'auto', messages }),
  })
  return reply.json.candidates.find((standing: { model: string }) => standing.model === model).quality
}

function qualitiesOf(candidates: readonly { model: string; quality: number }[]): Map<string, number> {
  return new Map(candidates.map(({ model, quality }) => [model, quality]))
}

t.test('the dry run names the model that the request then gets, and calls nobody', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'] })
  const gateway = await startGateway(t, { ...variablesFor(local), EXPLORATION_SHARE: '0' })
  const dry = await exchange(`${gateway.url}/v1/route`, { method: 'POST', body: JSON.stringify({ messages }) })
  t.equal(local.chats.length, 0)
  const real = await gateway.ask({ messages })
  t.equal(dry.json.chosen, real.headers['x-signalbox-model'])
  const stored = await gateway.get(`/v1/decisions/${String(real.headers['x-signalbox-request-id'])}`)
  t.match(stored.json, { outcome: 'ok', decision: { ranked: dry.json.decision.ranked, reason: dry.json.reason } })
  t.equal((await gateway.get('/v1/decisions/req_nothing')).status, 404)
})

t.test('feedback changes the prediction', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'] })
  const gateway = await startGateway(t, variablesFor(local))
  const before = await qualityOf(gateway, 'llama-cpp/qwen3-coder-30b')
  for (let request = 0; request < 8; request++) {
    const { headers } = await gateway.ask({ messages: [...messages, { role: 'user', content: `Variant ${request}` }] })
    const rated = await exchange(`${gateway.url}/v1/feedback`, {
      method: 'POST',
      body: JSON.stringify({ request_id: headers['x-signalbox-request-id'], score: 0 }),
    })
    t.equal(rated.status, 200)
  }
  t.ok((await qualityOf(gateway, 'llama-cpp/qwen3-coder-30b')) < before - 0.02)
})

t.test('a rating that is corrected ends up as the corrected one, however often it is changed', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'] })
  const model = 'llama-cpp/qwen3-coder-30b'
  const learnedFrom = async (scores: readonly number[]) => {
    const gateway = await startGateway(t, variablesFor(local))
    const { headers } = await gateway.ask({ messages })
    for (const score of scores) {
      const rated = await exchange(`${gateway.url}/v1/feedback`, {
        method: 'POST',
        body: JSON.stringify({ request_id: headers['x-signalbox-request-id'], score }),
      })
      t.equal(rated.status, 200)
    }
    const facts = (await gateway.get('/v1/evidence')).json.facts as Record<string, unknown>[]
    const outcomes = facts.filter(({ source }) => source === 'outcomes')
    return {
      quality: await qualityOf(gateway, model),
      values: outcomes.map(({ value }) => value as number),
      counts: outcomes.map(({ observations }) => observations as number),
    }
  }
  const once = await learnedFrom([0])
  const never = await learnedFrom([])
  t.ok(once.quality < never.quality)
  for (const scores of [
    [1, 0],
    [0, 0, 0],
    [0, 1, 0.5, 1, 0],
  ]) {
    const corrected = await learnedFrom(scores)
    t.strictSame(corrected.values, once.values, String(scores))
    t.ok(Math.abs(corrected.quality - once.quality) < (never.quality - once.quality) / 2, 'the prediction follows')
    for (const [at, count] of once.counts.entries()) t.ok(Math.abs(corrected.counts[at]! - count) < 1e-6, 'counts once')
  }
})

t.test('a request that is repeated a thousand times changes nothing for other prompts', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'] })
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'anthropic/claude-sonnet-4.5', price: { input: 3, output: 15 } }],
  })
  const gateway = await startGateway(t, {
    ...variablesFor(local, remote),
    QUALITY_THRESHOLD: '0.3',
    EXPLORATION_SHARE: '0',
  })
  const predicted = async () => {
    const { json } = await exchange(`${gateway.url}/v1/route`, {
      method: 'POST',
      body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Fix this function in Python.' }] }),
    })
    return { chosen: json.chosen as string, qualities: qualitiesOf(json.candidates) }
  }
  const before = await predicted()
  const turns = [...messages, { role: 'assistant', content: 'Done.' }, { role: 'user', content: 'Are you sure?' }]
  const bodies = [{ messages }, { messages: turns }, { messages: turns, model: 'llama-cpp/qwen3-coder-30b' }]
  for (const body of bodies) {
    for (let batch = 0; batch < 40; batch++) {
      await Promise.all(Array.from({ length: 25 }, () => gateway.ask(body)))
    }
  }
  const after = await predicted()
  t.equal(after.chosen, before.chosen)
  t.strictSame([...after.qualities.keys()].sort(), [...before.qualities.keys()].sort())
  for (const [model, quality] of before.qualities) t.ok(Math.abs(after.qualities.get(model)! - quality) < 1e-9, model)
})

/** A conversation of one user: what they said, and "Done." after each of it but the last. */
function conversation(...said: string[]) {
  return said.flatMap((content, at) => [
    ...(at === 0 ? [] : [{ role: 'assistant', content: 'Done.' }]),
    { role: 'user', content },
  ])
}

const asked = messages[0]!.content
const anew = `${asked} I meant offsets such as +02:00.`

t.test('a turn that is written anew says nothing until the conversation goes on from the new answer', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'] })
  const gateway = await startGateway(t, { ...variablesFor(local), EXPLORATION_SHARE: '0' })
  const model = 'llama-cpp/qwen3-coder-30b'
  const before = await qualityOf(gateway, model)
  await gateway.ask({ messages: conversation('Hello.', asked) })
  await gateway.ask({ messages: conversation('Hello.', anew) })
  t.equal(await qualityOf(gateway, model), before, 'written anew')
  await gateway.ask({ messages: conversation('Hello.', asked, 'And in Go?') })
  t.equal(await qualityOf(gateway, model), before, 'went on from the old answer')
})

t.test(
  'a turn written anew counts a little against the answer that was left, but not often, and never for a named model',
  async t => {
    const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'] })
    const gateway = await startGateway(t, { ...variablesFor(local), EXPLORATION_SHARE: '0' })
    const model = 'llama-cpp/qwen3-coder-30b'
    const edit = async (number: number, named: string) => {
      const opening = `It is number ${number}.`
      for (const said of [
        [opening, asked],
        [opening, anew],
        [opening, anew, 'Thank you.'],
      ]) {
        t.equal((await gateway.ask({ model: named, messages: conversation(...said) })).status, 200)
      }
    }
    const before = await qualityOf(gateway, model)
    await edit(0, model)
    t.equal(await qualityOf(gateway, model), before, 'a model that the caller named')
    for (let number = 1; number <= 6; number++) await edit(number, 'auto')
    const after = await qualityOf(gateway, model)
    t.ok(after < before && after > before - 0.1, `${before} became ${after}`)
    for (let number = 7; number <= 12; number++) await edit(number, 'auto')
    t.equal(await qualityOf(gateway, model), after, 'six an hour are all that count')
  },
)

t.test('a grader that sends a request again and goes on from the answer proves nothing against it', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'] })
  const gateway = await startGateway(t, { ...variablesFor(local), EXPLORATION_SHARE: '0' })
  const before = await qualityOf(gateway, 'llama-cpp/qwen3-coder-30b')
  for (let time = 0; time < 20; time++) await gateway.ask({ messages: conversation('Hello.', asked) })
  for (let time = 0; time < 20; time++) await gateway.ask({ messages: conversation('Hello.', asked, 'Thank you.') })
  t.equal(await qualityOf(gateway, 'llama-cpp/qwen3-coder-30b'), before)
})

t.test('speeds and lengths are not moved by one request that is repeated a thousand times', async t => {
  let now = Date.now()
  const [slow, fast] = ['qwen3-coder-30b', 'gemma-3-27b']
  const local = await scriptedUpstream(t, 'ollama', {
    models: [slow, fast].map(name => ({ name, loadedContextTokens: 8192, parameters: '27B' })),
    answer: ({ body }) => {
      now += body['model'] === slow ? 4000 : 400
      return { text: ['One', ' two', ' three.'], usage: { promptTokens: 40, outputTokens: 30 } }
    },
  })
  const gateway = await startGateway(t, variablesFor(local), [], { now: () => now })
  const expected = async () => {
    const { json } = await exchange(`${gateway.url}/v1/route`, {
      method: 'POST',
      body: JSON.stringify({ model: 'auto:speed', messages: [{ role: 'user', content: 'Explain how tides work.' }] }),
    })
    const candidates = json.candidates as { model: string; seconds: number; cost_usd: number }[]
    const takes = Object.fromEntries(candidates.map(({ model, seconds, cost_usd }) => [model, [seconds, cost_usd]]))
    return { chosen: json.chosen as string, takes }
  }
  for (const model of [slow, fast]) await gateway.ask({ model: `ollama/${model}`, messages, stream: true })
  // A peak is forgotten within minutes.
  now += 600_000
  const before = await expected()
  t.match(before.chosen, /gemma/)
  for (let batch = 0; batch < 50; batch++) {
    await Promise.all(
      Array.from({ length: 20 }, () => gateway.ask({ model: `ollama/${slow}`, messages, stream: true })),
    )
  }
  await gateway.core.gateway.idle()
  t.strictSame(await expected(), before)
})

t.test('a request that is repeated with checks teaches no more than once', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', {
    models: ['qwen3-coder-30b'],
    answer: { text: 'I cannot do that.' },
  })
  const gateway = await startGateway(t, { ...variablesFor(local), EXPLORATION_SHARE: '0' })
  const body = { messages, metadata: { verify: 'all' } }
  await gateway.ask(body)
  const once = (await gateway.get('/v1/evidence')).json.facts as { source: string; observations: number }[]
  for (let time = 0; time < 30; time++) await gateway.ask(body)
  const often = (await gateway.get('/v1/evidence')).json.facts as { source: string; observations: number }[]
  const counts = (facts: typeof once) => facts.map(({ source, observations }) => [source, observations])
  t.strictSame(counts(often), counts(once))
})

t.test('what was learned of a model is listed with where it came from, and can be forgotten for good', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'] })
  const gateway = await startGateway(t, variablesFor(local))
  const model = 'llama-cpp/qwen3-coder-30b'
  const before = await qualityOf(gateway, model)
  const { headers } = await gateway.ask({ messages })
  const rating = JSON.stringify({ request_id: headers['x-signalbox-request-id'], score: 0 })
  await exchange(`${gateway.url}/v1/feedback`, { method: 'POST', body: rating })
  const listed = (await gateway.get('/v1/evidence')).json.facts as Record<string, unknown>[]
  t.match(
    listed.find(({ source }) => source === 'outcomes'),
    { model, value: 0, updated_at: /^\d{4}-/ },
  )
  for (const { source, observations, origins } of listed) {
    const name = source === 'outcomes' ? 'feedback' : source === 'benchmarks' ? 'benchmark' : 'traffic'
    t.strictSame(origins, { [name]: observations }, String(source))
  }
  t.ok(listed.some(({ source }) => source === 'answers'))
  t.ok((await qualityOf(gateway, model)) < before)
  gateway.core.learner.close()
  const { learner } = gateway.core
  t.equal(learner.forget(gateway.core.inventory.models().find(({ id }) => id === model)!), listed.length)
  t.strictSame((await gateway.get('/v1/evidence')).json.facts, [])
  t.strictSame(learner.learned(gateway.core.inventory.models()[0]!), [])
  const kept = gateway.core.ledger.learned.load().map(({ kind }) => kind)
  t.notOk(kept.includes('belief') || kept.includes('output'))
})

t.test('what was learned is still known after a restart', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'] })
  const gateway = await startGateway(t, variablesFor(local))
  const { headers } = await gateway.ask({ messages })
  await exchange(`${gateway.url}/v1/feedback`, {
    method: 'POST',
    body: JSON.stringify({ request_id: headers['x-signalbox-request-id'], score: 0 }),
  })
  const learned = await qualityOf(gateway, 'llama-cpp/qwen3-coder-30b')
  gateway.core.learner.close()
  const facts = gateway.core.ledger.learned.load()
  t.ok(facts.some(({ kind }) => kind === 'belief'))
  t.type(learned, 'number')
})

t.test("a caller's own limits are kept", async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'] })
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'anthropic/claude-sonnet-4.5', price: { input: 3, output: 15 } }],
  })
  const gateway = await startGateway(t, { ...variablesFor(local, remote), EXPLORATION_SHARE: '0' })
  const servedBy = async (body: Record<string, unknown>, headers: Record<string, string> = {}) =>
    (await gateway.ask({ messages, ...body }, { headers })).headers['x-signalbox-model']
  t.equal(
    await servedBy({}, { 'x-signalbox-min-quality': '0.85', 'x-signalbox-session': 'a' }),
    'openrouter/anthropic/claude-sonnet-4.5',
  )
  t.equal(await servedBy({ metadata: { local_only: true, session: 'b' } }), 'llama-cpp/qwen3-coder-30b')
  t.equal(
    await servedBy({ metadata: { min_quality: 0.85, max_cost: 0.000001, session: 'c' } }),
    'llama-cpp/qwen3-coder-30b',
  )
  t.equal((await gateway.ask({ metadata: { priority: 'luck' } })).status, 400)
})
