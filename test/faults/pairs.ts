import type { UpstreamKind } from '../helpers/dialects/index.ts'
import { startGateway, type Teardown, type TestGateway } from '../helpers/start-gateway.ts'
import type { ScriptedModel } from '../helpers/upstream-script.ts'
import { faults } from './faults.ts'
import { startFaultyServer, type FaultyServer } from './faulty-server.ts'
import { isNonChat, type Schedule } from './schedule.ts'

/** Two servers with faults and a gateway in front of them, which play one schedule at a time. */
export interface Pair {
  gateway: TestGateway
  servers: readonly [FaultyServer, FaultyServer]
  serves: (path: Schedule['path']) => boolean
  /** The request to send, and the ids of its two candidates. */
  questionFor: (path: Schedule['path']) => { body: object; models: readonly string[] }
  /** Lets the time pass that keeps breakers open and servers in quarantine. */
  forgive: () => void
}

const contextTokens = 8_192
/** USD per million tokens. */
const price = { input: 3, output: 15 }
/** Four attempts, two of them retries, each of which may claim what its model could hold four times, or a cost of $1.5. */
export const mostUsd = 4 * Math.max((4 * contextTokens * price.output) / 1e6, 1.5)
/** Long enough for a busy machine to send what is in order. */
const patienceMs = 3_000

type Kinds = readonly [UpstreamKind, UpstreamKind]
const chatKinds: readonly Kinds[] = [
  ['openrouter', 'ollama'],
  ['openai-compatible', 'llama-cpp'],
  ['ollama', 'openrouter'],
  ['lm-studio', 'openai-compatible'],
]
const nonChatKinds: readonly Kinds[] = [
  ['openai-compatible', 'llama-cpp'],
  ['ollama', 'lm-studio'],
]

export async function openPairs(t: Teardown): Promise<readonly Pair[]> {
  return Promise.all([
    ...chatKinds.map(kinds => openChatPair(t, kinds)),
    ...nonChatKinds.map(kinds => openNonChatPair(t, kinds)),
  ])
}

/** Each server has one model, so that the caller can name them in order. */
async function openChatPair(t: Teardown, kinds: Kinds): Promise<Pair> {
  const models = kinds.map((kind, at) => `${kind}/${at === 0 ? 'one' : 'two'}`)
  const [first, ...others] = models
  const messages = [{ role: 'user', content: 'Hello?' }]
  const bodies: Partial<Record<Schedule['path'], object>> = {
    'chat/completions': { model: first, models: others, messages, max_tokens: 50 },
    messages: { model: 'auto', messages, max_tokens: 50 },
    responses: { model: first, models: others, input: 'Hello?', store: false },
  }
  const lists = [[{ name: 'one', contextTokens, price }], [{ name: 'two', contextTokens, price }]] as const
  return {
    ...(await openServers(t, kinds, lists)),
    serves: path => !isNonChat(path),
    questionFor: path => ({ body: bodies[path]!, models }),
  }
}

/** Both servers have the same models, because embeddings of different ones cannot replace each other. */
async function openNonChatPair(t: Teardown, kinds: Kinds): Promise<Pair> {
  const bodies: Partial<Record<Schedule['path'], { model: string; [field: string]: unknown }>> = {
    embeddings: { model: 'vectors', input: ['Hello?', 'Who is there?'] },
    completions: { model: 'text', prompt: 'Once ', max_tokens: 50 },
    rerank: { model: 'text', query: 'Hello?', documents: ['no', 'yes'] },
  }
  const list = [
    { name: 'text', contextTokens },
    { name: 'vectors', contextTokens, embedding: true },
  ]
  return {
    ...(await openServers(t, kinds, [list, list])),
    serves: path => isNonChat(path) && (path !== 'rerank' || kinds.includes('llama-cpp')),
    questionFor: path => ({ body: bodies[path]!, models: kinds.map(kind => `${kind}/${bodies[path]!.model}`) }),
  }
}

async function openServers(
  t: Teardown,
  kinds: Kinds,
  lists: readonly [readonly ScriptedModel[], readonly ScriptedModel[]],
): Promise<Pick<Pair, 'gateway' | 'servers' | 'forgive'>> {
  const [none] = faults
  const servers = [
    await startFaultyServer(kinds[0], lists[0], none!),
    await startFaultyServer(kinds[1], lists[1], none!),
  ] as const
  for (const server of servers) t.teardown(server.close)
  let skippedMs = 0
  const gateway = await startGateway(
    t,
    {
      PROVIDER_TIMEOUT_MS: String(patienceMs),
      PROVIDER_IDLE_TIMEOUT_MS: String(patienceMs),
      OPENROUTER_API_KEY: 'test-key',
      PROVIDER_HEALTH_PROBE_INTERVAL_MS: '3600000',
    },
    servers.map(({ kind, url }) => ({
      kind,
      name: kind,
      url,
      named: true,
      ...(kind === 'openrouter' ? { apiKey: 'test-key', url: `${url}/api/v1` } : {}),
      ...(kind === 'openai-compatible'
        ? { url: `${url}/v1`, nativeProtocols: ['messages'] as const, prices: { one: price, two: price } }
        : {}),
    })),
    { now: () => performance.timeOrigin + performance.now() + skippedMs },
  )
  const forgive = () => {
    skippedMs += 2 * 3_600_000
  }
  return { gateway, servers, forgive }
}
