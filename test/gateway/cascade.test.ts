import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
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

async function recorded(gateway: TestGateway, reply: Reply) {
  const record = await gateway.core.ledger.request(String(reply.headers['x-signalbox-request-id']))
  if (record === undefined) throw new Error('the request is not in the ledger')
  // eslint-disable-next-line typescript/no-explicit-any
  return { ...record, decision: record.decision as any }
}

async function settled({ core }: TestGateway): Promise<void> {
  await core.gateway.idle()
}

t.test(
  'an answer that fails its check is discarded and a better model called; the ledger records and charges both',
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
    const { request, attempts, decision } = await recorded(gateway, reply)
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
        { model: weak, verdicts: [{ verifier: 'not_truncated', binding: true, verdict: { accepted: false } }] },
        { model: strong, verdicts: [{ verifier: 'not_truncated', binding: true, verdict: { accepted: true } }] },
      ],
    })
    t.equal(remote.chats.length, 1)
  },
)

t.test('the cost of a rejected answer is part of the request cost', async t => {
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
  // Models that the caller named are asked in the caller's order.
  const [model, better] = ['meta-llama/llama-3.1-8b-instruct', 'anthropic/claude-sonnet-4.5']
  const reply = await askFor(gateway, 'all', { model, models: [model, better] })
  t.equal(reply.headers['x-signalbox-model'], strong)
  const { request, attempts } = await recorded(gateway, reply)
  t.match(attempts, [
    { cost_usd: 0.0012, outcome: 'error' },
    { cost_usd: 0.0045, outcome: 'ok' },
  ])
  t.equal(request.cost_usd, 0.0057)
})

t.test('an answer that passes ends the cascade', async t => {
  const { remote, gateway } = await twoModels(t)
  const reply = await askFor(gateway, 'all')
  t.match(reply.headers, { 'x-signalbox-model': weak, 'x-signalbox-verified': 'passed', 'x-signalbox-attempts': '1' })
  t.equal(remote.chats.length, 0)
})

t.test('without verify nothing is checked or reported', async t => {
  const { local, gateway } = await twoModels(t)
  local.script.answer = cutOff
  const reply = await gateway.ask({ messages })
  t.equal(reply.json.choices[0].message.content, 'Half an answ')
  t.equal(reply.headers['x-signalbox-verified'], undefined)
  t.equal((await recorded(gateway, reply)).decision.verification, undefined)
})

t.test('when all answers fail, the best one is returned and marked as failed', async t => {
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
  const { request, attempts, decision } = await recorded(gateway, reply)
  t.match(request, { outcome: 'ok', status: 200, model: strong })
  t.match(attempts, [{ failure_code: 'answer_rejected' }, { failure_code: 'answer_rejected' }])
  t.match(decision.verification, { passed: false, why: /no retries/ })
})

t.test('VALIDATION_RETRY_BUDGET=0 checks and reports, but calls no other model', async t => {
  const { local, remote, gateway } = await twoModels(t, { VALIDATION_RETRY_BUDGET: '0' })
  local.script.answer = cutOff
  const reply = await askFor(gateway, 'not_truncated')
  t.match(reply.headers, { 'x-signalbox-model': weak, 'x-signalbox-verified': 'failed' })
  t.equal(remote.chats.length, 0)
})

t.test('the same model on another endpoint is not called as a better one', async t => {
  const first = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'], answer: cutOff })
  const second = await scriptedUpstream(t, 'lm-studio', { models: ['qwen3-coder-30b'], answer: cutOff })
  const gateway = await startGateway(t, { ...variablesFor(first, second), VALIDATION_RETRY_BUDGET: '5' })
  const reply = await askFor(gateway, 'not_truncated')
  t.match(reply.headers, { 'x-signalbox-verified': 'failed', 'x-signalbox-notes': /no better model is left/ })
  t.equal(first.chats.length + second.chats.length, 1)
})

t.test('when the better model fails outright, the first answer is returned', async t => {
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
      t.match((await recorded(gateway, reply)).attempts[0], {
        model: weak,
        message: new RegExp(`^Rejected by ${check}`),
      })
    })
  }
}

t.test('no part of a stream reaches the caller before it has passed, except keep-alive comments', async t => {
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

t.test('every protocol gets the answer that passed, buffered or streamed', async t => {
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

t.test('a disconnect in the middle of a buffered stream frees the upstream', async t => {
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

t.test('a stream that breaks while buffered falls back, and its usage stays in the ledger', async t => {
  const { local, gateway } = await twoModels(t)
  local.script.answer = { text: ['one ', 'two ', 'three'], breakBefore: 2 }
  const reply = await askFor(gateway, 'all', { stream: true })
  t.equal(reply.headers['x-signalbox-model'], strong)
  t.notOk(reply.text.includes('one '))
  const { attempts, request } = await recorded(gateway, reply)
  t.match(attempts[0], { model: weak, outcome: 'error', failure_code: /^upstream_/, usage_estimated: true })
  t.ok(attempts[0]!.output_tokens > 0)
  t.equal(
    request.output_tokens,
    attempts.reduce((sum, each) => sum + each.output_tokens, 0),
  )
})

t.test('an endless stream is aborted at a limit and another model called', async t => {
  const { local, gateway } = await twoModels(t)
  local.script.answer = { text: ['word '.repeat(20_000)], endless: true }
  const reply = await askFor(gateway, 'not_empty', { stream: true })
  t.equal(reply.headers['x-signalbox-model'], strong)
  await local.untilHangUps(1)
  t.match((await recorded(gateway, reply)).attempts[0], { failure_code: 'answer_rejected', message: /length/ })
})

t.test('an unknown check is rejected before any model is called, with the known ones listed', async t => {
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
  const unknownJudge = await askFor(gateway, 'judge:nobody/here')
  t.match(unknownJudge.json.error, { code: 'model_not_found', message: /nobody\/here/ })
  t.equal(local.chats.length, 0)
})

t.test('VERIFY applies to every request without its own checks', async t => {
  const { local, gateway } = await twoModels(t, { VERIFY: 'not_truncated' })
  local.script.answer = cutOff
  const verifiedOf = async (metadata: object) =>
    (await gateway.ask({ messages, metadata })).headers['x-signalbox-verified']
  t.equal(await verifiedOf({}), 'passed')
  t.equal(await verifiedOf({ verify: 'none' }), undefined)
  await t.rejects(startGateway(t, { VERIFY: 'vibes' }), { name: 'ConfigError', message: /VERIFY.*vibes/ })
})

/** The same question as another request: repeated ones teach nothing. */
function numbered(number: number) {
  return { messages: [{ role: 'user', content: `${messages[0]!.content} Case ${number}.` }] }
}

t.test('verdicts change where the next cascade starts, also after a restart', async t => {
  const variables = { DATA_DIR: t.testdir(), VALIDATION_RETRY_BUDGET: '1' }
  const { local, remote, gateway } = await twoModels(t, variables)
  local.script.answer = cutOff
  const routeOf = async ({ url }: TestGateway, metadata: object) =>
    (await exchange(`${url}/v1/route`, { method: 'POST', body: JSON.stringify({ messages, metadata }) })).json
  for (let request = 0; request < 5; request++) {
    const reply = await askFor(gateway, 'not_truncated', numbered(request), {
      headers: { 'x-signalbox-session': String(request) },
    })
    t.match(reply.headers, { 'x-signalbox-model': strong, 'x-signalbox-attempts': '2' })
  }
  const reply = await askFor(gateway, 'not_truncated')
  t.match(reply.headers, {
    'x-signalbox-model': strong,
    'x-signalbox-attempts': '1',
    'x-signalbox-reason': 'cascade',
  })
  t.equal(local.chats.length, 5)
  const verify = { verify: 'not_truncated', session: 'new' }
  const before = await routeOf(gateway, verify)
  t.match(before.cascade.skipped, [{ model: weak, check: 'not_truncated', answers: 5 }])
  t.equal((await routeOf(gateway, { session: 'new' })).chosen, weak, 'without checks it is still the first')
  await gateway.close(0)

  const next = await startGateway(t, { ...variablesFor(local, remote), QUALITY_THRESHOLD: '0', ...variables })
  const after = await routeOf(next, verify)
  t.equal(after.chosen, strong)
  t.strictSame(after.cascade, before.cascade)
})

t.test('rejections lower a model’s predicted quality in proportion to their weight', async t => {
  const { local, gateway } = await twoModels(t)
  const qualityOf = async () => {
    const { json } = await exchange(`${gateway.url}/v1/route`, { method: 'POST', body: JSON.stringify({ messages }) })
    return json.candidates.find(({ model }: { model: string }) => model === weak).quality as number
  }
  const before = await qualityOf()
  for (let request = 0; request < 4; request++)
    await askFor(gateway, 'not_empty', {
      ...numbered(request),
      metadata: { verify: 'not_empty', session: String(request) },
    })
  const passed = await qualityOf()
  t.ok(Math.abs(passed - before) < 0.05, 'to be not empty proves next to nothing')
  local.script.answer = cutOff
  for (let request = 0; request < 4; request++)
    await askFor(gateway, 'not_truncated', {
      ...numbered(request + 10),
      metadata: { verify: 'not_truncated', session: `cut ${request}` },
    })
  t.ok((await qualityOf()) < passed - 0.02)
})

const judge = 'openrouter/mistralai/mistral-large'

t.test('a judge’s verdict is recorded, but binding only once ratings have confirmed its accuracy', async t => {
  const { local, remote, gateway } = await twoModels(t)
  local.script.answer = { text: 'Nonsense.' }
  remote.script = {
    models: [
      { name: 'anthropic/claude-sonnet-4.5', price: { input: 3, output: 15 } },
      { name: 'mistralai/mistral-large', price: { input: 2, output: 6 } },
    ],
    answer({ body }) {
      if (body['model'] === 'anthropic/claude-sonnet-4.5') return { text: 'All of it.', usage }
      const [rules, material] = body['messages'] as { content: string }[]
      t.match(rules?.content, /ACCEPT.*REJECT/)
      t.match(material?.content, /parses ISO dates/)
      return {
        text: material?.content.includes('Nonsense.') ? 'REJECT' : 'Accept.',
        usage: { ...usage, costUsd: 0.001 },
      }
    },
  }
  await gateway.core.inventory.refetch(
    gateway.core.inventory.providers().find(({ name }) => name === 'openrouter')!,
    new AbortController().signal,
  )
  // The judge is no candidate himself.
  const model = 'qwen3-coder-30b'
  const models = [model, 'anthropic/claude-sonnet-4.5']
  const ask = (session: number) =>
    gateway.ask({ messages, model, models, metadata: { verify: `judge:${judge}`, session: String(session) } })
  for (let request = 0; request < 20; request++) {
    const reply = await ask(request)
    t.match(reply.headers, { 'x-signalbox-model': weak, 'x-signalbox-verified': 'passed' })
    const rate = () =>
      exchange(`${gateway.url}/v1/feedback`, {
        method: 'POST',
        body: JSON.stringify({ request_id: reply.headers['x-signalbox-request-id'], score: 0 }),
      })
    t.equal((await rate()).status, 200)
    t.equal((await rate()).status, 200, 'a repeated rating is not counted again')
    if (request > 0) continue
    const { request: row, decision } = await recorded(gateway, reply)
    t.equal(row.cost_usd, 0)
    t.match(decision.verification.answers[0].verdicts, [{ binding: false, verdict: { accepted: false } }])
    const judged = await gateway.core.ledger.request(`${row.id}.judge-1`)
    t.match(judged?.request, { endpoint: 'judge', model: judge, cost_usd: 0.001, outcome: 'ok' })
  }
  const reply = await ask(20)
  t.match(reply.headers, { 'x-signalbox-model': strong, 'x-signalbox-verified': 'passed' })
})

t.test('a failing judge rejects no answer, and a local-only request never calls a remote judge', async t => {
  const { remote, gateway } = await twoModels(t)
  const metadata = { verify: `judge:${strong}`, local_only: true }
  const reply = await gateway.ask({ messages, metadata })
  t.match(reply.headers, { 'x-signalbox-model': weak, 'x-signalbox-verified': 'passed' })
  t.match((await recorded(gateway, reply)).decision.verification.answers[0].verdicts, [
    { verifier: `judge:${strong}`, problem: /not local/ },
  ])
  t.equal(remote.chats.length, 0)
})

/** A program that reads the answer and says what it thinks of it by its status. */
const program = (script: string) => ({ run: [process.execPath, '-e', script], cwd: import.meta.dirname })
const reading = `let text = ''; process.stdin.on('data', part => { text += part }).on('end', () => {`

t.test('the operator’s tests check an answer by name, and their verdict weighs most', async t => {
  const unit = program(`${reading} process.exit(text.includes('def ') && !process.env.OPENROUTER_API_KEY ? 0 : 3) })`)
  const { local, remote, gateway } = await twoModels(t, { VERIFY_COMMANDS: JSON.stringify({ unit }) })
  local.script.answer = { text: 'I would write a function.' }
  remote.script.answer = { text: `def parse(text): pass # ${'x'.repeat(300_000)}`, usage }
  const reply = await askFor(gateway, 'tests:unit')
  t.match(reply.headers, { 'x-signalbox-model': strong, 'x-signalbox-verified': 'passed' })
  const { attempts } = await recorded(gateway, reply)
  t.match(attempts[0]?.message, /Rejected by tests:unit: they ended with status 3/)
  const belief = gateway.core.ledger.learned.load
  gateway.core.learner.close()
  t.ok(belief().some(({ kind, category }) => kind === 'accept' && category.startsWith('tests:unit ')))
  const refused = await askFor(gateway, 'tests:other')
  t.match(refused.json.error, { param: 'verify', message: /tests:unit/ })
})

t.test('tests that exceed their time limit fail; tests that cannot start reject no answer', async t => {
  const commands = { endless: program('setInterval(() => {}, 1000)'), absent: { run: ['/no/such/program'], cwd: '/' } }
  const { gateway } = await twoModels(t, {
    VERIFY_COMMANDS: JSON.stringify(commands),
    VERIFY_COMMAND_TIMEOUT_MS: '200',
    VALIDATION_RETRY_BUDGET: '0',
  })
  const late = await askFor(gateway, 'tests:endless')
  t.match(late.headers, { 'x-signalbox-verified': 'failed', 'x-signalbox-notes': /did not end within 200 ms/ })
  const absent = await askFor(gateway, 'tests:absent', { metadata: { verify: 'tests:absent', session: 'b' } })
  t.match(absent.headers, { 'x-signalbox-verified': 'passed', 'x-signalbox-notes': /tests:absent could not run/ })
  t.match((await recorded(gateway, absent)).decision.verification.answers[0].verdicts, [{ problem: /cannot be run/ }])
})

t.test('a disconnect stops running tests', async t => {
  const folder = t.testdir()
  const slow = {
    ...program(`require('fs').writeFileSync('pid', String(process.pid)); setInterval(() => {}, 1000)`),
    cwd: folder,
  }
  const { gateway } = await twoModels(t, { VERIFY_COMMANDS: JSON.stringify({ slow }) })
  const controller = new AbortController()
  const asked = askFor(gateway, 'tests:slow', {}, { signal: controller.signal })
  const file = path.join(folder, 'pid')
  while (!existsSync(file) || readFileSync(file, 'utf8') === '') await new Promise(resolve => setTimeout(resolve, 5))
  controller.abort()
  await t.rejects(asked)
  await settled(gateway)
  const pid = Number(readFileSync(file, 'utf8'))
  const runs = () => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  while (runs()) await new Promise(resolve => setTimeout(resolve, 5))
  const [row] = await gateway.core.ledger.recent(1)
  t.match(row, { outcome: 'cancelled', attempts: 1, output_tokens: 5 })
})

t.test('tags set the category of a task', async t => {
  const { gateway } = await twoModels(t)
  const reply = await gateway.ask({ messages, metadata: { tags: 'mine,math' } })
  t.strictSame((await recorded(gateway, reply)).decision.measured.categories, { math: 1 })
})
