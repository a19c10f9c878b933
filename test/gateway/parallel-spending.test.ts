import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { request as send } from 'undici'
import { picosOf, usdOf } from '../../src/accounting/money.ts'
import { seededRandom } from '../../src/router/chance.ts'
import { scriptedUpstream, type Answer, type SeenRequest } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor } from '../helpers/start-gateway.ts'

const price = { input: 1, output: 10 }
const models = ['lab/first', 'lab/second'].map(name => ({
  name,
  price,
  contextTokens: 100_000,
  maxOutputTokens: 2_000,
}))
const keys = ['alice', 'bob'] as const
const requests = 200

t.test('200 requests at once spend no more than one budget has, and all that is spent is what was billed', async t => {
  const { bills, spending, statuses, ledgerTotal } = await play(t, 1, { all: { limit_usd: 0.9 } })
  const billed = sumOf(bills)
  const [all] = await spending('all')
  t.match(all, { held_usd: 0, spent_usd: usdOf(billed) })
  t.ok(billed <= picosOf(0.9) && billed > picosOf(0.3), `${usdOf(billed)} were billed`)
  t.equal(await ledgerTotal(), usdOf(billed), 'the ledger says the same')
  t.ok(statuses[200]! > 20 && (statuses[402] ?? 0) + (statuses[429] ?? 0) > 20, JSON.stringify(statuses))
})

t.test('200 requests at once spend no more than each of three budgets has that overlap', async t => {
  const { bills, spending } = await play(t, 2, {
    all: { limit_usd: 1 },
    each: { limit_usd: 0.6, scope: 'key', period: 'day' },
    ci: { limit_usd: 0.25, scope: 'tag', subject: 'ci', period: 'forever' },
  })
  const [all] = await spending('all')
  t.match(all, { held_usd: 0, spent_usd: usdOf(sumOf(bills)) })
  t.ok(sumOf(bills) <= picosOf(1))
  for (const key of keys) {
    const own = bills.filter(bill => bill.key === key)
    t.match(await spending('each'), own.length === 0 ? [] : [{ subject: String }, {}])
    const found = (await spending('each')).find(({ subject }) => subject === key)
    t.match(found, { held_usd: 0, spent_usd: usdOf(sumOf(own)) }, key)
    t.ok(sumOf(own) <= picosOf(0.6), `${key} spent ${usdOf(sumOf(own))}`)
  }
  const tagged = sumOf(bills.filter(({ isTagged }) => isTagged))
  t.match(await spending('ci'), [{ held_usd: 0, spent_usd: usdOf(tagged) }])
  t.ok(tagged <= picosOf(0.25) && tagged > 0n, `${usdOf(tagged)} were spent with the tag`)
})

/** What the provider billed for one call. */
interface Bill {
  generation: string
  key: string
  isTagged: boolean
  promptTokens: number
  outputTokens: number
}

const costOf = ({ promptTokens, outputTokens }: Bill) =>
  (promptTokens * price.input + outputTokens * price.output) / 1e6
const sumOf = (bills: readonly Bill[]) => bills.reduce((sum, bill) => sum + picosOf(costOf(bill)), 0n)

/**
 * Sends the requests of two keys to a provider that bills each call for as many tokens as it may have: answers, streams, errors,
 * broken connections, streams that break, and callers who leave. Resolves when every bill is settled.
 */
async function play(t: Test, seed: number, budgets: Record<string, Record<string, unknown>>) {
  const random = seededRandom(seed)
  const bills: Bill[] = []
  const remote = await scriptedUpstream(t, 'openrouter', {
    models,
    answer: chat => answerTo(chat, bills, random),
    route: ({ path, query }) => (path.endsWith('/generation') ? generation(bills, query.get('id')) : undefined),
  })
  const gateway = await startGateway(t, {
    ...variablesFor(remote),
    SIGNALBOX_API_KEY: keys.map(name => `${name}=${name}-key`).join(','),
    SIGNALBOX_ADMIN_KEY: 'root-key',
    PROVIDER_MAX_CONCURRENT_REMOTE: '60',
    TIME_ZONE: 'UTC',
  })
  const admin = { authorization: 'Bearer root-key' }
  for (const [name, budget] of Object.entries(budgets)) {
    const { status, text } = await exchange(`${gateway.url}/api/budgets/${name}`, {
      method: 'PUT',
      headers: admin,
      body: JSON.stringify(budget),
    })
    t.equal(status, 200, text)
  }
  const spending = async (name: string) => {
    const { json } = await exchange(`${gateway.url}/api/budgets?name=${name}`, { method: 'GET', headers: admin })
    return json.budgets[0].spending as { subject: string | null; spent_usd: number; held_usd: number }[]
  }
  const statuses: Record<number, number> = {}
  await Promise.all(
    Array.from({ length: requests }, async (_, index) => {
      const status = await ask(gateway.url, keys[index % 2]!, { isTagged: index % 3 === 0, random })
      statuses[status] = (statuses[status] ?? 0) + 1
    }),
  )
  await gateway.core.gateway.idle()
  while ((await Promise.all(Object.keys(budgets).map(spending))).flat().some(({ held_usd }) => held_usd > 0)) {
    await setTimeout(100)
  }
  const ledgerTotal = async () => {
    const { json } = await exchange(`${gateway.url}/v1/usage`, { method: 'GET', headers: admin })
    return json.totals.cost_usd as number
  }
  return { bills, spending, statuses, ledgerTotal }
}

/** Sends one request and reads its answer; some callers leave when it begins. Resolves to its status. */
async function ask(
  url: string,
  key: string,
  { isTagged, random }: { isTagged: boolean; random: () => number },
): Promise<number> {
  const leaves = random() < 0.15
  const controller = new AbortController()
  const { statusCode, body } = await send(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}-key`, ...(isTagged && { 'x-signalbox-tags': 'ci' }) },
    body: JSON.stringify({
      model: 'openrouter/lab/first',
      models: ['openrouter/lab/first', 'openrouter/lab/second'],
      messages: [{ role: 'user', content: `${key} ${isTagged ? 'tagged' : ''}${leaves ? ' leaves' : ''}` }],
      stream: leaves || random() < 0.5,
      ...(random() < 0.5 && { max_tokens: 1 + Math.floor(2_000 * random()) }),
    }),
    signal: controller.signal,
  })
  try {
    for await (const _ of body) if (leaves) controller.abort()
  } catch (error) {
    if (!controller.signal.aborted) throw error
  }
  return statusCode
}

function answerTo({ body }: SeenRequest, bills: Bill[], random: () => number): Answer {
  const text = JSON.stringify(body['messages'])
  const kind = text.includes('leaves') ? 1 : random()
  if (kind < 0.1) return { error: { status: 500, message: 'Broken.' } }
  if (kind < 0.2) return { breakBefore: 'headers' }
  const bill: Bill = {
    generation: `gen-${bills.length}`,
    key: keys.find(key => text.includes(key)) ?? '',
    isTagged: text.includes('tagged'),
    promptTokens: 10 + Math.floor(20 * random()),
    // Half of the answers are as long as they may be.
    outputTokens: Math.floor(Number(body['max_tokens']) * (random() < 0.5 ? 1 : random())),
  }
  bills.push(bill)
  const headers = { 'x-generation-id': bill.generation }
  const { promptTokens, outputTokens } = bill
  if (kind === 1) return { text: ['word '], endless: true, headers }
  if (kind < 0.3 && body['stream'] === true) return { text: ['Once ', 'upon '], breakBefore: 1, headers }
  return { text: ['Once ', 'upon.'], headers, usage: { promptTokens, outputTokens, costUsd: costOf(bill) } }
}

/** OpenRouter's word on what it billed. */
function generation(bills: readonly Bill[], id: string | null) {
  const bill = bills.find(each => each.generation === id)
  if (bill === undefined) return { status: 404, json: { error: { message: 'not found', code: 404 } } }
  const { promptTokens, outputTokens } = bill
  const tokens = { native_tokens_prompt: promptTokens, native_tokens_completion: outputTokens }
  return { json: { data: { id, total_cost: costOf(bill), is_byok: false, ...tokens } } }
}
