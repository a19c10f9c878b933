import { applyLoad, type LoadPlan } from './load.ts'
import { launch } from '../processes.ts'

/** A limit that no bench reaches. */
const plenty = 1_000_000

/**
 * Requests per second with an issued key, its rates, three budgets and metrics, as a share of those without any of it, by round:
 * both servers in interleaved rounds, the first of which does not count. The model has a price, so that money is reserved.
 */
export async function measureAccounting(
  settings: readonly string[],
  plan: LoadPlan,
  rounds: number,
): Promise<number[]> {
  const priced = [...settings, 'MODEL_PRICES={"openai-compatible/instant":{"input":1,"output":1}}']
  const without = await launch('signalbox', ...priced, 'METRICS_ENABLED=false')
  const within = await launch('signalbox', ...priced)
  try {
    const headers = { authorization: `Bearer ${await issueKey(within.port)}` }
    const ratios: number[] = []
    for (let round = 0; round <= rounds; round++) {
      const free = await applyLoad(without.port, plan)
      const counted = await applyLoad(within.port, { ...plan, headers })
      if (round > 0) ratios.push(counted.requestsPerSecond / free.requestsPerSecond)
    }
    return ratios
  } finally {
    for (const { child } of [without, within]) child.kill()
  }
}

async function issueKey(port: number): Promise<string> {
  const send = async (method: string, path: string, body: object): Promise<{ token?: string }> => {
    const reply = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: JSON.stringify(body) })
    if (!reply.ok) throw new Error(`${method} ${path} answered ${reply.status}: ${await reply.text()}`)
    return (await reply.json()) as { token?: string }
  }
  await send('PUT', '/api/budgets/all', { limit_usd: plenty, period: 'month' })
  await send('PUT', '/api/budgets/each-key', { limit_usd: plenty, period: 'day', scope: 'key' })
  await send('PUT', '/api/budgets/each-model', { limit_usd: plenty, period: 'hour', scope: 'model' })
  const rates = { requests_per_minute: 100_000_000, tokens_per_minute: 1_000_000_000, concurrent_requests: 1_000 }
  const { token } = await send('POST', '/api/keys', { name: 'bench', ...rates })
  if (token === undefined) throw new Error('the answer to POST /api/keys holds no token')
  return token
}
