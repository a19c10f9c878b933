import type { Test } from 'tap'
import type { Reply, TestGateway } from './start-gateway.ts'

/** What a test asks of a gateway with one API key. */
export interface Caller {
  ask: TestGateway['ask']
  get: (where: string) => Promise<Reply>
  post: (where: string, body: object) => Promise<Reply>
  delete: (where: string) => Promise<Reply>
}

export function callerOf(gateway: TestGateway, token: string): Caller {
  const authorization = { authorization: `Bearer ${token}` }
  const call = async (method: string, where: string, body?: object): Promise<Reply> => {
    const response = await fetch(`${gateway.url}${where}`, {
      method,
      headers: authorization,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      text,
      json: isJson ? JSON.parse(text) : undefined,
      events: [],
    }
  }
  return {
    ask: (body, options = {}) => gateway.ask(body, { ...options, headers: { ...options.headers, ...authorization } }),
    get: where => call('GET', where),
    post: (where, body) => call('POST', where, body),
    delete: where => call('DELETE', where),
  }
}

/** Creates an API key by the operation, as `admin`. */
export async function createKey(
  t: Test,
  admin: Caller,
  input: object,
): Promise<{ key: Record<string, unknown>; token: string }> {
  const { status, json } = await admin.post('/api/keys', input)
  if (status !== 200) t.fail(JSON.stringify(json))
  return json
}
