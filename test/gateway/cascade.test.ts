import t, { type Test } from 'tap'
import { request as send } from 'undici'
import { gate, scriptedUpstream, type Answer } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type Reply, type TestGateway } from '../helpers/start-gateway.ts'

const weak = 'llama-cpp/qwen3-coder-30b'
const strong = 'openrouter/anthropic/claude-sonnet-4.5'
const messages = [{ role: 'user', content: 'Write a function in Python that parses ISO dates.' }]
const cutOff: Answer = { text: 'Half an answ', finishReason: 'length' }
const usage = { promptTokens: 1_000, outputTokens: 100, costUsd: 0.0045 }

/** A local model that is good enough to begin with, and a dearer and better one. */
async function twoModels(t: Test, variables: Record<string, string> = {}) {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'] })
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'anthropic/claude-sonnet-4.5', price: { input: 3, output: 15 } }],
    answer: { text: 'All of it.', usage },
  })
  const gateway = await startGateway(t, { ...variablesFor(local, remote), QUALITY_THRESHOLD: '0', ...variables })
  return { local, remote, gateway }
}

function askFor(
  gateway: TestGateway,
  verify: string,
  body: Record<string, unknown> = {},
  options = {},
): Promise<Reply> {
  return gateway.ask({ messages, metadata: { verify }, ...body }, options)
}

async function booked(gateway: TestGateway, reply: Reply) {
  const record = await gateway.core.ledger.request(String(reply.headers['x-signalbox-request-id']))
  if (record === undefined) throw new Error('the request is not in the books')
  // eslint-disable-next-line typescript/no-explicit-any
  return { ...record, decision: record.decision as any }
}

async function settled({ core }: TestGateway): Promise<void> {
  while (core.gateway.active() > 0) await new Promise(resolve => setTimeout(resolve, 5))
}

t.test(
  'an answer that fails its check is thrown away and a better model asked; the books have and pay both',
  async t => {
    const { local, remote, gateway } = await twoModels(t)
    local.script.answer = cutOff
    const reply = await askFor(gateway, 'not_truncated')
    t.equal(reply.status, 200)
    t.equal(reply.json.choices[0].message.content, 'All of it.')
    t.match(reply.headers, {
      'x-signalbox-model': strong,
      'x-signalbox-reason': 'escalated',
      'x-signalbox-attempts': '2',
      'x-signalbox-verified': 'passed',
    })
    const { request, attempts, decision } = await booked(gateway, reply)
    t.match(attempts, [
      {
        model: weak,
        outcome: 'error',
        failure_code: 'answer_rejected',
        message: /not_truncated.*cut off/,
        output_tokens: 5,
      },
      { model: strong, outcome: 'ok', failure_code: null, output_tokens: 100 },
    ])
    t.match(request, { outcome: 'ok', model: strong, reason: 'escalated', input_tokens: 1_012, output_tokens: 105 })
    t.equal(request.cost_usd, attempts[0]!.cost_usd! + attempts[1]!.cost_usd!)
    t.equal(request.cost_usd, (1_000 * 3 + 100 * 15) / 1e6)
    t.match(decision.cascade, { checks: ['not_truncated'], retryBudget: 1, skipped: [] })
    t.match(decision.verification, {
      passed: true,
      answers: [
        { model: weak, verdicts: [{ verifier: 'not_truncated', counts: true, verdict: { accepted: false } }] },
        { model: strong, verdicts: [{ verifier: 'not_truncated', counts: true, verdict: { accepted: true } }] },
      ],
    })
    t.equal(remote.chats.length, 1)
  },
)

t.test('what a rejected answer cost is part of what the request cost', async t => {
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [
      { name: 'meta-llama/llama-3.1-8b-instruct', price: { input: 1, output: 2 } },
      { name: 'anthropic/claude-sonnet-4.5', price: { input: 3, output: 15 } },
    ],
    answer: ({ body }) =>
      body['model'] === 'meta-llama/llama-3.1-8b-instruct'
        ? { ...cutOff, usage: { ...usage, costUsd: 0.0012 } }
        : { text: 'All of it.', usage },
  })
  const gateway = await startGateway(t, variablesFor(remote))
  // Models that the caller named are asked in his order.
  const [model, better] = ['meta-llama/llama-3.1-8b-instruct', 'anthropic/claude-sonnet-4.5']
  const reply = await askFor(gateway, 'all', { model, models: [model, better] })
  t.equal(reply.headers['x-signalbox-model'], strong)
  const { request, attempts } = await booked(gateway, reply)
  t.match(attempts, [
    { cost_usd: 0.0012, outcome: 'error' },
    { cost_usd: 0.0045, outcome: 'ok' },
  ])
  t.equal(request.cost_usd, 0.0012 + 0.0045)
})

t.test('an answer that passes is the only one asked for', async t => {
  const { remote, gateway } = await twoModels(t)
  const reply = await askFor(gateway, 'all')
  t.match(reply.headers, { 'x-signalbox-model': weak, 'x-signalbox-verified': 'passed', 'x-signalbox-attempts': '1' })
  t.equal(remote.chats.length, 0)
})

t.test('without verify nothing is checked, and nothing is said about it', async t => {
  const { local, gateway } = await twoModels(t)
  local.script.answer = cutOff
  const reply = await gateway.ask({ messages })
  t.equal(reply.json.choices[0].message.content, 'Half an answ')
  t.equal(reply.headers['x-signalbox-verified'], undefined)
  t.equal((await booked(gateway, reply)).decision.verification, undefined)
})

t.test('when all fail, the best there is is handed over and said to have failed', async t => {
  const { local, remote, gateway } = await twoModels(t)
  local.script.answer = cutOff
  remote.script.answer = { text: 'Also half', finishReason: 'length', usage }
  const reply = await askFor(gateway, 'not_truncated')
  t.equal(reply.status, 200)
  t.equal(reply.json.choices[0].message.content, 'Also half')
  t.match(reply.headers, {
    'x-signalbox-model': strong,
    'x-signalbox-reason': 'unverified',
    'x-signalbox-verified': 'failed',
    'x-signalbox-notes': /not_truncated.*cut off.*no retries are left/,
  })
  const { request, attempts, decision } = await booked(gateway, reply)
  t.match(request, { outcome: 'ok', status: 200, model: strong })
  t.match(attempts, [{ failure_code: 'answer_rejected' }, { failure_code: 'answer_rejected' }])
  t.match(decision.verification, { passed: false, why: /no retries/ })
})

t.test('VALIDATION_RETRY_BUDGET=0 checks and tells, but asks nobody else', async t => {
  const { local, remote, gateway } = await twoModels(t, { VALIDATION_RETRY_BUDGET: '0' })
  local.script.answer = cutOff
  const reply = await askFor(gateway, 'not_truncated')
  t.match(reply.headers, { 'x-signalbox-model': weak, 'x-signalbox-verified': 'failed' })
  t.equal(remote.chats.length, 0)
})

t.test('the same model elsewhere is no better, so nobody is asked twice for the same', async t => {
  const first = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'], answer: cutOff })
  const second = await scriptedUpstream(t, 'lm-studio', { models: ['qwen3-coder-30b'], answer: cutOff })
  const gateway = await startGateway(t, { ...variablesFor(first, second), VALIDATION_RETRY_BUDGET: '5' })
  const reply = await askFor(gateway, 'not_truncated')
  t.match(reply.headers, { 'x-signalbox-verified': 'failed', 'x-signalbox-notes': /no better model is left/ })
  t.equal(first.chats.length + second.chats.length, 1)
})

t.test('a better model that fails outright leaves the answer that there is', async t => {
  const { local, remote, gateway } = await twoModels(t)
  local.script.answer = cutOff
  remote.script.answer = { error: { status: 500, message: 'overloaded' } }
  const reply = await askFor(gateway, 'not_truncated')
  t.equal(reply.status, 200)
  t.match(reply.headers, { 'x-signalbox-model': weak, 'x-signalbox-verified': 'failed', 'x-signalbox-attempts': '2' })
})

const weather = {
  type: 'function',
  function: {
    name: 'weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}
const schema = { type: 'object', properties: { age: { type: 'integer' } }, required: ['age'] }

const bad: [check: string, answer: Answer, good: Answer, body: Record<string, unknown>][] = [
  [
    'schema',
    { text: '{"age": "three"}' },
    { text: '{"age": 3}' },
    { response_format: { type: 'json_schema', json_schema: { name: 'person', schema } } },
  ],
  ['parses', { text: 'Here: {}' }, { text: '{}' }, { response_format: { type: 'json_object' } }],
  [
    'tool_arguments',
    { toolCalls: [{ name: 'weather', arguments: { town: 'Oslo' } }] },
    { toolCalls: [{ name: 'weather', arguments: { city: 'Oslo' } }] },
    { tools: [weather] },
  ],
  ['not_truncated', cutOff, { text: 'Whole.' }, {}],
  ['not_refusal', { text: "I'm sorry, but I can't help with that." }, { text: 'Sure.' }, {}],
  ['not_loop', { text: 'and so on '.repeat(60) }, { text: 'And so on.' }, {}],
  ['not_empty', { text: ' ' }, { text: 'Something.' }, {}],
]

for (const stream of [false, true]) {
  for (const [check, worse, better, body] of bad) {
    t.test(`${check} sends ${stream ? 'a stream' : 'an answer'} on to a better model`, async t => {
      const { local, remote, gateway } = await twoModels(t)
      local.script.answer = worse
      remote.script.answer = { ...better, usage }
      const reply = await askFor(gateway, check, { ...body, stream })
      t.equal(reply.status, 200)
      t.equal(reply.headers['x-signalbox-model'], strong)
      t.match((await booked(gateway, reply)).attempts[0], { model: weak, message: new RegExp(`^Rejected by ${check}`) })
    })
  }
}

t.test('of a stream nothing reaches the caller before it has passed, while comments keep him waiting', async t => {
  const held = gate()
  const { local, gateway } = await twoModels(t, { KEEPALIVE_INTERVAL_MS: '20' })
  local.script.answer = { text: ['one ', 'two ', 'three'], hold: { before: 2, until: held.opened } }
  const reply = await send(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ messages, stream: true, metadata: { verify: 'all' } }),
  })
  let text = ''
  for await (const bytes of reply.body) {
    text += String(bytes)
    // Two comments while it is held: so none of the words that are there already was sent.
    if (text === ': keep-alive\n\n'.repeat(2)) held.open()
  }
  t.match(text, /^(: keep-alive\n\n){2}/)
  t.match(text, /: x-signalbox-verified: passed\n/)
  t.ok(text.indexOf('x-signalbox-verified') < text.indexOf('one '))
  for (const word of ['one ', 'two ', 'three', '[DONE]']) t.ok(text.includes(word), word)
})

t.test('every protocol gets the answer that passed, whole or as a stream', async t => {
  const { local, gateway } = await twoModels(t)
  local.script.answer = cutOff
  const bodies: Record<string, object> = {
    '/v1/chat/completions': { messages },
    '/v1/messages': { messages, max_tokens: 500, model: 'auto' },
    '/v1/responses': { input: messages[0]!.content, model: 'auto' },
  }
  for (const [path, body] of Object.entries(bodies)) {
    for (const stream of [false, true]) {
      const reply = await exchange(gateway.url + path, {
        method: 'POST',
        body: JSON.stringify({ ...body, stream }),
        headers: { 'x-signalbox-verify': 'not_truncated', 'x-signalbox-session': `${path} ${stream}` },
      })
      t.match(reply.headers, { 'x-signalbox-model': strong, 'x-signalbox-verified': 'passed' }, path)
      t.ok(reply.text.includes('All of it.'), path)
      t.notOk(reply.text.includes('Half an answ'), path)
    }
  }
})

t.test('a caller that hangs up in the middle of a held stream frees the upstream', async t => {
  const { local, remote, gateway } = await twoModels(t)
  const [held, reached] = [gate(), gate()]
  t.teardown(held.open)
  const hold = {
    before: 2,
    get until() {
      reached.open()
      return held.opened
    },
  }
  local.script.answer = { text: ['one ', 'two ', 'three'], hold }
  const controller = new AbortController()
  const asked = askFor(gateway, 'all', { stream: true }, { signal: controller.signal })
  await reached.opened
  controller.abort()
  await t.rejects(asked)
  await local.untilHangUps(1)
  await settled(gateway)
  const [row] = await gateway.core.ledger.recent(1)
  t.match(row, { outcome: 'cancelled', status: 499, attempts: 1 })
  t.equal(remote.chats.length, 0)
  t.equal(gateway.core.slotsOf('llama-cpp').busy(), 0)
})

t.test('a stream that breaks while it is held falls back, and what was used of it stays in the books', async t => {
  const { local, gateway } = await twoModels(t)
  local.script.answer = { text: ['one ', 'two ', 'three'], breakBefore: 2 }
  const reply = await askFor(gateway, 'all', { stream: true })
  t.equal(reply.headers['x-signalbox-model'], strong)
  t.notOk(reply.text.includes('one '))
  const { attempts, request } = await booked(gateway, reply)
  t.match(attempts[0], { model: weak, outcome: 'error', failure_code: /^upstream_/, usage_estimated: true })
  t.ok(attempts[0]!.output_tokens > 0)
  t.equal(
    request.output_tokens,
    attempts.reduce((sum, each) => sum + each.output_tokens, 0),
  )
})

t.test('a stream without an end is given up at a bound and another model asked', async t => {
  const { local, gateway } = await twoModels(t)
  local.script.answer = { text: ['word '.repeat(20_000)], endless: true }
  const reply = await askFor(gateway, 'not_empty', { stream: true })
  t.equal(reply.headers['x-signalbox-model'], strong)
  await local.untilHangUps(1)
  t.match((await booked(gateway, reply)).attempts[0], { failure_code: 'answer_rejected', message: /length/ })
})

t.test('a check that does not exist is refused before anybody is asked, and the known ones are named', async t => {
  const { local, gateway } = await twoModels(t)
  for (const path of ['/v1/chat/completions', '/v1/route']) {
    const reply = await exchange(gateway.url + path, {
      method: 'POST',
      body: JSON.stringify({ messages }),
      headers: { 'x-signalbox-verify': 'schema, vibes' },
    })
    t.equal(reply.status, 400, path)
    t.match(reply.json.error, { param: 'verify', message: /'vibes'.*not_truncated.*schema.*judge:<model>/ })
  }
  t.equal(local.chats.length, 0)
})

t.test('VERIFY checks every request that does not say otherwise', async t => {
  const { local, gateway } = await twoModels(t, { VERIFY: 'not_truncated' })
  local.script.answer = cutOff
  const verifiedOf = async (metadata: object) =>
    (await gateway.ask({ messages, metadata })).headers['x-signalbox-verified']
  t.equal(await verifiedOf({}), 'passed')
  t.equal(await verifiedOf({ verify: 'none' }), undefined)
  await t.rejects(startGateway(t, { VERIFY: 'vibes' }), { name: 'ConfigError', message: /VERIFY.*vibes/ })
})
