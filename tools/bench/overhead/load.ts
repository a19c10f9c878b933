import { Pool } from 'undici'

export interface LoadPlan {
  connections: number
  requests: number
  body: string
  /** In addition to the content type. */
  headers?: Record<string, string>
}

export interface LoadMeasurement {
  /** Milliseconds per request, in the order of their ends. */
  latenciesMs: number[]
  requestsPerSecond: number
}

/** Sends `requests` chats over `connections` keep-alive connections, each as soon as the previous one has been read. */
export async function applyLoad(
  port: number,
  { connections, requests, body, headers: more }: LoadPlan,
): Promise<LoadMeasurement> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections })
  const latenciesMs: number[] = []
  let left = requests
  const headers = { 'content-type': 'application/json', ...more }
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const startedAt = performance.now()
      const reply = await pool.request({ method: 'POST', path: '/v1/chat/completions', headers, body })
      await reply.body.dump({ limit: Number.MAX_SAFE_INTEGER })
      if (reply.statusCode !== 200) throw new Error(`port ${port} answered ${reply.statusCode}`)
      latenciesMs.push(performance.now() - startedAt)
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: connections }, worker))
  const seconds = (performance.now() - startedAt) / 1000
  await pool.close()
  return { latenciesMs, requestsPerSecond: requests / seconds }
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
