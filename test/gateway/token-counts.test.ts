import t from 'tap'
import { createTokenCounter } from '../../src/tokens/counter.ts'
import { gate, scriptedUpstream, type SeenRequest } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type TestGateway } from '../helpers/start-gateway.ts'

/** So many words are as many tokens of ours, give or take the template's few. */
const words = (count: number) => [{ role: 'user', content: 'word '.repeat(count).trim() }]

/** What a request of `count` words is expected to need, as the dry run tells it where it does not fit. */
async function route(gateway: TestGateway, count: number) {
  const body = JSON.stringify({ model: 'auto', messages: words(count), max_tokens: 10 })
  return (await exchange(`${gateway.url}/v1/route`, { method: 'POST', body })).json
}

/** A llama-server that counts `tokens` for any prompt. */
const counting =
  (tokens: number) =>
  ({ path }: SeenRequest) => {
    if (path === '/apply-template') return { json: { prompt: 'as its template writes it' } }
    if (path === '/tokenize') return { json: { tokens: Array.from({ length: tokens }, (_, index) => index) } }
    return undefined
  }

t.test('a model that reports more tokens than we count soon gets a larger estimate', async t => {
  const local = await scriptedUpstream(t, 'lm-studio', {
    models: [{ name: 'gpt-oss-20b', loadedContextTokens: 1500 }],
    answer: { usage: { promptTokens: 1040, outputTokens: 5 } },
  })
  const gateway = await startGateway(t, variablesFor(local))
  t.equal((await route(gateway, 1300)).chosen, 'lm-studio/gpt-oss-20b', 'as far as is known 1,300 words fit')
  // The same request again would teach nothing.
  for (let request = 0; request < 12; request++) await gateway.ask({ messages: words(800 + request) })
  const judged = await route(gateway, 1300)
  t.equal(judged.chosen, undefined)
  t.match(judged.excluded, [{ code: 'context' }])
  const refused = await gateway.ask({ messages: words(1300), max_tokens: 10 })
  t.match(refused.json, { error: { code: 'context_length_exceeded' } })
  t.equal(local.chats.length, 12)

  gateway.core.learner.close()
  t.match(
    gateway.core.ledger.learned.load().filter(({ kind }) => kind === 'ratio'),
    [{ subject: 'lm-studio/gpt-oss-20b' }],
  )
})

t.test('a report that cannot be about the tokenizer is ignored', async t => {
  const local = await scriptedUpstream(t, 'lm-studio', {
    models: [{ name: 'gpt-oss-20b', loadedContextTokens: 1500 }],
    answer: { usage: { promptTokens: 12, outputTokens: 5 } },
  })
  const gateway = await startGateway(t, variablesFor(local))
  for (let request = 0; request < 5; request++) await gateway.ask({ messages: words(800) })
  t.match((await route(gateway, 1600)).excluded, [{ code: 'context' }], 'a cached prompt is not a short one')
})

t.test('near its limit llama-server’s own count decides', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', {
    models: [{ name: 'gpt-oss-20b', contextTokens: 2000 }],
    route: counting(1700),
  })
  const gateway = await startGateway(t, variablesFor(local))
  const asked = () => local.requests.filter(({ path }) => path === '/tokenize').length

  t.equal((await gateway.ask({ messages: words(2050), max_tokens: 10 })).status, 200, 'ours alone would not fit')
  t.match(await route(gateway, 2050), {
    chosen: 'llama-cpp/gpt-oss-20b',
    decision: { measured: { server_counts: { 'llama-cpp/gpt-oss-20b': 1700 } } },
  })
  t.equal(asked(), 2)

  local.script.route = counting(1999)
  const refused = await gateway.ask({ messages: words(1900), max_tokens: 10 })
  t.match(refused.json, { error: { code: 'context_length_exceeded', message: /2009 tokens \(1999 prompt/ } })
  t.equal(local.chats.length, 1)

  const before = asked()
  t.equal((await gateway.ask({ messages: words(1000), max_tokens: 10 })).status, 200)
  t.equal((await gateway.ask({ messages: words(4000), max_tokens: 10 })).status, 400)
  t.equal(asked(), before, 'far from the limit no server is queried')
})

t.test('if the server cannot count or takes too long, our count applies', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: [{ name: 'gpt-oss-20b', contextTokens: 2000 }] })
  const gateway = await startGateway(t, variablesFor(local))
  t.equal((await gateway.ask({ messages: words(1900), max_tokens: 10 })).status, 200, 'it knows no such path')
  t.ok(local.requests.some(({ path }) => path === '/apply-template'))
  const { opened, open } = gate()
  local.script.holdLists = opened
  t.equal((await gateway.ask({ messages: words(1900), max_tokens: 10 })).status, 200, 'it does not answer')
  open()
})

t.test('text beyond the counting budget is estimated, and the decision says so', async t => {
  const local = await scriptedUpstream(t, 'lm-studio', { models: [{ name: 'gpt-oss-20b' }] })
  const gateway = await startGateway(t, variablesFor(local))
  // Parts that come again are known, so no two are alike.
  const content = Array.from({ length: 150_000 }, (_, index) => String(100 + (index % 900) * (1 + (index >> 14)))).join(
    ' ',
  )
  const body = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content }] })
  const { decision } = (await exchange(`${gateway.url}/v1/route`, { method: 'POST', body })).json
  const tokens = createTokenCounter()
  let truth = 0
  for (let index = 0; index < content.length; index += 100_000)
    truth += tokens.countText(content.slice(index, index + 100_000)).tokens
  t.equal(decision.measured.exact, false)
  t.ok(decision.measured.error > 0)
  t.ok(Math.abs(decision.measured.prompt_tokens / truth - 1) <= decision.measured.error, 'the error it states holds')
  t.match((await route(gateway, 100)).decision, { measured: { exact: true, error: 0 } })
})
