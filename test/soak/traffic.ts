import { setTimeout } from 'node:timers/promises'
import { Client, type Dispatcher, Pool } from 'undici'
import { seededRandom } from '../../src/router/chance.ts'
import { startMcpSession } from '../helpers/mcp-session.ts'

export interface Traffic {
  /** Sends requests until `signal` aborts; resolves when the last one has ended. */
  run(signal: AbortSignal): Promise<void>
  /** Requests ended so far, hung up ones included. */
  count(): number
  /** What was answered otherwise than it should have been; the first of each kind with its text. */
  wrong(): ReadonlyMap<string, number>
}

interface Sent {
  path: string
  body: object
  headers?: Record<string, string>
}

type Kind = (random: () => number, session: Record<string, string>) => Sent

const question = (random: () => number) =>
  `Question ${Math.floor(random() * 1e6)}: ${'some more words '.repeat(Math.floor(random() * random() * 600))}`
const messages = (random: () => number) => [
  { role: 'system', content: 'You are brief.' },
  { role: 'user', content: question(random) },
]
const tool = (name: string, input: object, random: () => number, session: Record<string, string>): Sent => ({
  path: '/mcp',
  headers: { ...session, accept: 'application/json, text/event-stream' },
  // A session must not use an id twice while its first use is open.
  body: { jsonrpc: '2.0', id: Math.floor(random() * 1e12), method: 'tools/call', params: { name, arguments: input } },
})

/** What is sent, with its share. */
const kinds: readonly [share: number, kind: Kind][] = [
  [30, random => ({ path: '/v1/chat/completions', body: { model: 'auto', messages: messages(random), stream: true } })],
  [20, random => ({ path: '/v1/chat/completions', body: { model: 'auto', messages: messages(random) } })],
  [15, random => ({ path: '/v1/messages', body: messagesBody(random, true) })],
  [8, random => ({ path: '/v1/messages', body: messagesBody(random, false) })],
  [8, random => ({ path: '/v1/responses', body: { model: 'auto', input: question(random), stream: true } })],
  [5, random => ({ path: '/v1/responses', body: { model: 'auto', input: question(random) } })],
  [5, random => ({ path: '/v1/embeddings', body: { model: 'scripted', input: question(random) } })],
  [3, random => ({ path: '/v1/route', body: { model: 'auto', messages: messages(random) } })],
  [3, (random, session) => tool('status', {}, random, session)],
  [1, (random, session) => tool('route_task', { task: question(random), context_length: 0 }, random, session)],
  [1, (random, session) => tool('retriv_search', { query: 'stream writer', limit: 5 }, random, session)],
  [1, (random, session) => tool('list_tasks', {}, random, session)],
]

function messagesBody(random: () => number, stream: boolean): object {
  return { model: 'auto', max_tokens: 100, stream, messages: [{ role: 'user', content: question(random) }] }
}

const hangUpShare = 0.05

/** Mixed requests over `connections` connections; every twentieth caller hangs up. */
export async function createTraffic(url: string, connections: number, seed: number): Promise<Traffic> {
  const random = seededRandom(seed)
  const session = await startMcpSession(url)
  const pool = new Pool(url, { connections })
  const wrong = new Map<string, number>()
  let count = 0

  async function sendOne(): Promise<void> {
    const { path, body, headers } = pick(random)(random, session)
    if (random() < hangUpShare) await hangUp(path, body, headers)
    else await readAnswer(path, body, headers)
    count++
  }

  async function readAnswer(...[path, body, headers]: Parameters<typeof hangUp>): Promise<void> {
    try {
      const reply = await send(pool, path, body, headers)
      const text = await reply.body.text()
      if (reply.statusCode !== 200) note(`${path} answered ${reply.statusCode}: ${text.slice(0, 200)}`)
    } catch (error) {
      note(`${path}: ${(error as Error).message}`)
    }
  }

  /** Closes the connection at a random moment: before or while the answer arrives. */
  async function hangUp(path: string, body: object, headers?: Record<string, string>): Promise<void> {
    const client = new Client(url)
    // Its own end is of no interest, and need not come.
    send(client, path, body, headers)
      .then(reply => reply.body.dump())
      .catch(() => undefined)
    await setTimeout(random() * 20)
    await client.destroy()
  }

  function note(problem: string): void {
    wrong.set(problem, (wrong.get(problem) ?? 0) + 1)
  }

  return {
    count: () => count,
    wrong: () => wrong,
    async run(signal) {
      const worker = async () => {
        while (!signal.aborted) await sendOne()
      }
      await Promise.all(Array.from({ length: connections }, worker))
      await pool.close()
    },
  }
}

function pick(random: () => number): Kind {
  let left = random() * kinds.reduce((sum, [share]) => sum + share, 0)
  return (kinds.find(([share]) => (left -= share) < 0) ?? kinds[0]!)[1]
}

function send(dispatcher: Dispatcher, path: string, body: object, headers: Record<string, string> = {}) {
  return dispatcher.request({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}
