import t from 'tap'
import { request as send } from 'undici'
import { seededRandom } from '../../src/router/chance.ts'
import type { SeenRequest } from '../helpers/scripted-upstream.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import type { Answer, ScriptedUsage } from '../helpers/upstream-script.ts'
import { startGateway, variablesFor, type TestGateway } from '../helpers/start-gateway.ts'

const requests = Number(process.env['BILLED_REQUESTS'] ?? 1_000)
const atOnce = 8
/** USD per million tokens, which is as many millions of picodollars per token. */
const price = { input: 3, output: 15, cacheRead: 0.3 }
const longPrice = { input: 6, output: 22.5, cacheRead: 0.6 }
const longPrompt = 50_000
const picosPerRate = 1_000_000
const names = ['lab/paid', 'anthropic/claude', 'lab/long']

/** How a call ends, drawn for each; a fifth of them is aborted or fails. */
const ends = ['abort', 'abort', 'broken', 'refused', 'error_200', ...Array<'ok'>(20).fill('ok')] as const
type End = (typeof ends)[number]

/** What the scripted OpenRouter charges for one call, in picodollars: the oracle. */
interface Bill {
  model: string
  charged: bigint
  byok: bigint
  usage: ScriptedUsage
}

t.test('the ledger’s total is OpenRouter’s bill, whatever the protocol and however calls end', async t => {
  const random = seededRandom(20_260_315)
  const whole = (most: number) => Math.floor(random() * (most + 1))
  const bills: Bill[] = []
  const ends = new Map<string, number>()
  const upstream = await scriptedUpstream(t, 'openrouter', {
    models: names.map(name => ({ name, contextTokens: 200_000, price: { ...price, overrides: overrides(name) } })),
    route({ path, query }) {
      if (path.endsWith('/key')) return { json: { data: { label: 'test', ...totalOf(bills) } } }
      const bill = path.endsWith('/generation') ? bills[Number(query.get('id')?.slice(4))] : undefined
      return bill && { json: { data: generationOf(bill) } }
    },
    answer(request) {
      const end = endOf(request)
      ends.set(end, (ends.get(end) ?? 0) + 1)
      const usage = drawUsage(whole)
      const isByok = whole(9) === 0
      const listed = whole(9) === 0 && !isByok && (end === 'ok' || end === 'abort')
      const isCharged = end !== 'refused' && end !== 'error_200'
      const model = String(request.body['model'])
      const charged = !isCharged ? 0n : listed ? listedPicos(model, usage) : BigInt(whole(2_000_000_000))
      const byok = isCharged && isByok ? BigInt(whole(2_000_000_000)) + charged : 0n
      const bill = { model, charged, byok, usage }
      const id = `gen-${bills.push(bill) - 1}`
      return answerOf(end, { ...usage, ...costsOf(bill, isByok, listed && end === 'ok') }, id, whole(1) === 0)
    },
  })
  const gateway = await startGateway(t, { ...variablesFor(upstream), PROVIDER_MAX_CONCURRENT_REMOTE: String(atOnce) })
  const reconcile = async () => (await gateway.post('/admin/reconcile_usage', { max_bills: 0 })).json.providers[0]
  t.match(await reconcile(), { billed_usd: null, recorded_usd: 0 })

  const drawn = Array.from({ length: requests }, (_, n) => drawRequest(n, whole))
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = drawn.pop(); next !== undefined; next = drawn.pop()) await ask(gateway, next)
    }),
  )
  await gateway.core.gateway.idle()
  while ((await gateway.core.ledger.estimated(0, 1)).length > 0) await new Promise(resolve => setTimeout(resolve, 50))

  for (const end of ['ok', 'abort', 'broken', 'refused', 'error_200']) t.ok((ends.get(end) ?? 0) > 0, end)
  const { rows, totals } = (await gateway.get('/v1/usage?group_by=model')).json
  const sum = (of: readonly Bill[], part: (bill: Bill) => bigint) => of.reduce((total, bill) => total + part(bill), 0n)
  t.equal(
    picosOf(totals.cost_usd),
    sum(bills, bill => bill.charged + bill.byok),
    'total',
  )
  t.equal(
    picosOf(totals.byok_cost_usd),
    sum(bills, bill => bill.byok),
    'part of the own keys',
  )
  for (const name of names) {
    const row = rows.find(({ group }: { group: { model: string } }) => group.model === `openrouter/${name}`)
    // Requests that no model answered have a row of their own.
    const ofModel = bills.filter(({ model }) => model === name)
    t.ok(picosOf(row.cost_usd) <= sum(ofModel, bill => bill.charged + bill.byok), name)
  }
  t.match(totals, { unknown_cost_requests: 0, estimated_requests: 0 })
  t.match(await reconcile(), { drift_usd: 0, billed_usd: totals.cost_usd })
})

interface Drawn {
  path: string
  body: object
  end: End
  stream: boolean
}

const protocols = ['chat', 'messages', 'responses', 'completions', 'ollama', 'gemini'] as const

function drawRequest(n: number, whole: (most: number) => number): Drawn {
  const drawnEnd = ends[whole(ends.length - 1)]!
  const stream = drawnEnd === 'abort' || whole(1) === 0
  const protocol = protocols[whole(protocols.length - 1)]!
  // A call for a text completion may go through as one; only chats are cut by the script.
  const end = protocol === 'completions' ? 'ok' : drawnEnd
  const model = `openrouter/${names[whole(names.length - 1)]!}`
  const text = `plan ${end} of request ${n}`
  const messages = [{ role: 'user', content: text }]
  const requestOf: Record<typeof protocol, [string, object]> = {
    chat: ['/v1/chat/completions', { model, stream, messages }],
    messages: ['/v1/messages', { model, stream, messages, max_tokens: 100 }],
    responses: ['/v1/responses', { model, stream, input: text }],
    completions: ['/v1/completions', { model, stream, prompt: text }],
    ollama: ['/api/chat', { model, stream, messages }],
    gemini: [
      `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
      { contents: [{ role: 'user', parts: [{ text }] }] },
    ],
  }
  const [path, body] = requestOf[protocol]
  return { path, body, end, stream }
}

/** Sends a request and reads the answer; one that is to be aborted only until its first bytes are there. */
async function ask(gateway: TestGateway, { path, body, end }: Drawn): Promise<void> {
  if (end !== 'abort') {
    await gateway.post(path, body)
    return
  }
  const controller = new AbortController()
  const reply = await send(`${gateway.url}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: controller.signal,
  })
  try {
    for await (const _ of reply.body) break
  } finally {
    controller.abort()
  }
}

function endOf({ body }: SeenRequest): End {
  return /plan (\w+) of request/.exec(JSON.stringify(body))?.[1] as End
}

function answerOf(end: End, usage: ScriptedUsage, id: string, late: boolean): Answer {
  const answer: Answer = {
    text: ['one ', 'two ', 'three'],
    usage,
    usageIn: late ? 'last' : 'finish',
    headers: { 'x-generation-id': id },
  }
  if (end === 'abort') return { ...answer, endless: true }
  if (end === 'broken') return { ...answer, errorBefore: { piece: 1, message: 'The provider broke.' } }
  if (end === 'refused') return { headers: answer.headers!, error: { status: 400, message: 'No.' } }
  if (end === 'ok') return answer
  const body = JSON.stringify({ error: { code: 400, message: 'No, but politely.' } })
  return { raw: { status: 200, headers: { 'content-type': 'application/json' }, body }, headers: answer.headers! }
}

function drawUsage(whole: (most: number) => number): ScriptedUsage {
  const promptTokens = 1 + whole(2 * longPrompt)
  const cachedTokens = whole(promptTokens)
  const cacheWriteTokens = whole(promptTokens - cachedTokens)
  const cacheWrite1hTokens = whole(cacheWriteTokens)
  const outputTokens = 1 + whole(4_000)
  return {
    promptTokens,
    cachedTokens,
    cacheWriteTokens,
    cacheWrite1hTokens,
    outputTokens,
    reasoningTokens: whole(outputTokens),
  }
}

/** A cost that the answer tells; without one, tokens times the listed price count. */
function costsOf({ charged, byok }: Bill, isByok: boolean, isSilent: boolean): Partial<ScriptedUsage> {
  if (isSilent) return { costUsd: null }
  return { costUsd: usdOf(charged), ...(isByok && { byokCostUsd: usdOf(byok) }) }
}

function overrides(name: string): object[] {
  const perToken = (usdPerMillion: number) => String(usdPerMillion / 1e6)
  const { input, output, cacheRead } = longPrice
  const rates = { prompt: perToken(input), completion: perToken(output), input_cache_read: perToken(cacheRead) }
  return name === 'lab/long' ? [{ min_prompt_tokens: longPrompt, ...rates }] : []
}

/** Tokens times price, in whole picodollars. There is no rate for cache writes, which then cost what other tokens cost. */
function listedPicos(model: string, { promptTokens, cachedTokens = 0, outputTokens }: ScriptedUsage): bigint {
  const rates = model === 'lab/long' && promptTokens >= longPrompt ? longPrice : price
  const picos = (tokens: number, rate: number) => BigInt(tokens) * BigInt(Math.round(rate * picosPerRate))
  return (
    picos(promptTokens - cachedTokens, rates.input) +
    picos(cachedTokens, rates.cacheRead) +
    picos(outputTokens, rates.output)
  )
}

function generationOf({ charged, byok, usage }: Bill): object {
  return {
    total_cost: usdOf(charged),
    is_byok: byok > 0n,
    upstream_inference_cost: byok > 0n ? usdOf(byok) : usdOf(charged),
    native_tokens_prompt: usage.promptTokens,
    native_tokens_completion: usage.outputTokens,
    native_tokens_cached: usage.cachedTokens,
    native_tokens_reasoning: usage.reasoningTokens,
  }
}

function totalOf(bills: readonly Bill[]): { usage: number; byok_usage: number } {
  return {
    usage: usdOf(bills.reduce((sum, { charged }) => sum + charged, 0n)),
    byok_usage: usdOf(bills.reduce((sum, { byok }) => sum + byok, 0n)),
  }
}

function usdOf(picos: bigint): number {
  return Number(`${picos}e-12`)
}

function picosOf(usd: number): bigint {
  return BigInt(usd.toFixed(12).replace('.', ''))
}
