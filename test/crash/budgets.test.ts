import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { picosOf } from '../../src/accounting/money.ts'
import { seededRandom } from '../../src/router/chance.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { exchange } from '../helpers/start-gateway.ts'
import { startServer, urlOf } from './server-process.ts'

const price = { input: 1, output: 10 }
const model = { name: 'lab/paid', price, contextTokens: 100_000, maxOutputTokens: 1_000 }
const limitUsd = 0.6
const kills = 3
const atOnce = 24

t.test(
  'killed while calls are in progress, a server never spends more of a budget than it has, and holds nothing for ever',
  async t => {
    const random = seededRandom(7)
    let billed = 0n
    const remote = await scriptedUpstream(t, 'openrouter', {
      models: [model],
      // Whatever becomes of the caller, each call that arrives is billed.
      answer({ body }) {
        const outputTokens = Math.floor(Number(body['max_tokens']) * random())
        const costUsd = (10 * price.input + outputTokens * price.output) / 1e6
        billed += picosOf(costUsd)
        const hold = { before: random() < 0.5 ? ('headers' as const) : 1, until: setTimeout(300 * random()) }
        return { text: ['Once ', 'upon.'], hold, usage: { promptTokens: 10, outputTokens, costUsd } }
      },
    })
    const dataDir = path.join(t.testdir(), 'data')
    const start = async () => {
      const variables = { OPENROUTER_ENDPOINT: remote.url, OPENROUTER_API_KEY: 'k', LLAMA_CPP_ENDPOINT: 'off' }
      const server = startServer({
        dataDir,
        upstreamUrl: 'off',
        variables: { ...variables, PROVIDER_MAX_CONCURRENT_REMOTE: String(atOnce), TIME_ZONE: 'UTC' },
      })
      t.teardown(async () => void (await server.kill()))
      return { server, url: await urlOf(server) }
    }
    for (let kill = 0; kill < kills; kill++) {
      const { server, url } = await start()
      const budget = { limit_usd: limitUsd, period: 'forever' }
      await exchange(`${url}/api/budgets/all`, { method: 'PUT', body: JSON.stringify(budget) })
      const asked = Array.from({ length: atOnce }, (_, index) => ask(url, index % 2 === 0).catch(() => 0))
      // A server that has just started takes its time for the first calls.
      await Promise.race([remote.untilChats(remote.chats.length + 6), Promise.all(asked)])
      await setTimeout(200 * random())
      await server.kill()
      await Promise.all(asked)
      t.ok(billed <= picosOf(limitUsd), `${billed} picodollars were billed by kill ${kill + 1}`)
    }
    const { server, url } = await start()
    const spent = async () => {
      const { json } = await exchange(`${url}/api/budgets`, { method: 'GET' })
      return json.budgets[0].spending[0] as { spent_usd: number; held_usd: number; assumed_usd: number }
    }
    const afterKills = await spent()
    t.equal(afterKills.held_usd, 0)
    t.ok(picosOf(afterKills.spent_usd) >= billed, 'what was billed is spent, known or not')
    t.ok(afterKills.assumed_usd > 0, `calls were killed in progress: ${JSON.stringify(afterKills)}`)
    let status = 200
    for (let round = 0; status !== 402 && round < 200; round++) {
      const [first] = await Promise.all([ask(url, true), ask(url, false)])
      status = first.status
    }
    t.equal(status, 402, 'it is used up in the end')
    const atLast = await spent()
    t.equal(atLast.held_usd, 0)
    t.ok(
      picosOf(atLast.spent_usd) >= billed && atLast.spent_usd <= limitUsd,
      `${JSON.stringify(atLast)}, billed ${billed}`,
    )
    await server.stop()
  },
)

function ask(url: string, stream: boolean) {
  const messages = [{ role: 'user', content: 'Hello?' }]
  const body = JSON.stringify({ model: 'openrouter/lab/paid', messages, stream, max_tokens: 1_000 })
  return exchange(`${url}/v1/chat/completions`, { method: 'POST', body })
}
