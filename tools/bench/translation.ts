import { prepare, type Target } from '../../src/gateway/prepare.ts'
import { createTokenCounter } from '../../src/tokens/counter.ts'
import { chat } from '../../src/wire/chat/protocol.ts'
import type { ChatChunk } from '../../src/wire/chat/schema.ts'
import type { Protocol, StreamWriter } from '../../src/wire/protocol.ts'
import { messages } from '../../src/wire/messages/protocol.ts'
import { responses } from '../../src/wire/responses/protocol.ts'
import { readData } from '../../src/wire/sse.ts'
import { partFromBytes, type StreamPart } from '../../src/wire/stream-part.ts'
import { inTurn, parseInlineStream } from '../../src/wire/inline-calls/text-reader.ts'
import { createInlineCallReader } from '../../src/wire/inline-calls/call-reader.ts'
import { createInlineReasoningReader } from '../../src/wire/inline-calls/reasoning-reader.ts'
import { conversation } from './translation/conversation.ts'
import { goalRow, type Row } from '../../src/cli/rows.ts'
import { runInRounds } from './rounds.ts'

/**
 * What translating costs, in this process and without a network: each protocol in turn with chat completions, which pass through
 * as they are. The figures are of the slower protocol; what all paths share (parsing the body, the socket) is not in them.
 */
const untranslated = chat
const translated = [messages, responses]
/** Samples a round. Each is shorter than a turn of the scheduler, so that the median is not about who else uses the machine. */
const samples = 40
const sampleChunks = 50

async function run(rounds: number): Promise<Row[]> {
  return [
    goalRow({ name: 'first_token_ms', ...(await firstToken(rounds)), unit: 'ms' }, 'at_most', 0.2),
    goalRow({ name: 'chunk_us', ...(await chunk(rounds)), unit: 'µs' }, 'at_most', 20),
    goalRow({ name: 'request_200k_ms', ...(await longRequest(rounds)), unit: 'ms' }, 'at_most', 15),
  ]
}

/** From a parsed body to the bytes of the first token, beyond what the untranslated path takes: a coding agent's first turn. */
async function firstToken(rounds: number): Promise<Spread> {
  const { bodies } = conversation(0, 0)
  const parts = streamOf(1)
  return compare('first_token_ms', rounds, async protocol => {
    const body = copy(bodies[protocol.name]!)
    const startedAt = performance.now()
    const parsed = protocol.parseRequest(body)
    prepare(parsed.request, target)
    await writeAll(parts(), parsed.createStreamWriter(reply), protocol)
    return performance.now() - startedAt
  })
}

/** From the upstream's frames to the caller's, for each frame of an answer in words, beyond passing it through; µs. */
async function chunk(rounds: number): Promise<Spread> {
  const { bodies } = conversation(0, 0)
  const opening = streamOf(1)
  const parts = streamOf(sampleChunks)
  return compare('chunk_us', rounds, async protocol => {
    const writer = protocol.parseRequest(copy(bodies[protocol.name]!)).createStreamWriter(reply)
    await writeAll(opening(), writer, protocol)
    const startedAt = performance.now()
    await writeAll(parts(), writer, protocol)
    return ((performance.now() - startedAt) * 1000) / sampleChunks
  })
}

/** A conversation of 200,000 tokens from a parsed body to the request as a local server gets it; nothing is taken off. */
async function longRequest(rounds: number): Promise<Spread> {
  const { bodies } = conversation(77, 6_300)
  const tokens = createTokenCounter().countText(JSON.stringify(bodies['chat'])).tokens
  process.stderr.write(`the long conversation has ${tokens} tokens\n`)
  return compare('request_200k_ms', Math.ceil(rounds / 5), protocol => {
    const body = protocol === untranslated ? undefined : copy(bodies[protocol.name]!)
    const startedAt = performance.now()
    if (body !== undefined) prepare(protocol.parseRequest(body).request, target)
    return Promise.resolve(performance.now() - startedAt)
  })
}

/** What each protocol takes beyond the untranslated one, measured in turns. */
async function compare(
  name: string,
  rounds: number,
  measure: (protocol: Protocol) => Promise<number>,
): Promise<Spread> {
  const times = new Map(translated.map(protocol => [protocol.name, [] as number[]]))
  // The first round meets code that is not compiled yet.
  for (let sample = -samples; sample < rounds * samples; sample++) {
    const plain = await measure(untranslated)
    for (const protocol of translated) {
      const added = (await measure(protocol)) - plain
      if (sample >= 0) times.get(protocol.name)!.push(added)
    }
  }
  return worst(name, times)
}

/** What the gateway does to a stream: untouched for chat completions, read and rewritten for all others. */
async function writeAll(
  parts: AsyncGenerator<StreamPart, void, void>,
  writer: StreamWriter,
  protocol: Protocol,
): Promise<number> {
  let bytes = 0
  const read = protocol === untranslated ? parts : parseInlineStream(parts, reading)
  for await (const part of read) bytes += writer.push(part).length
  return bytes
}

const offered = new Map(Array.from({ length: 24 }, (_, index) => [`tool_${index}`, {}] as const))
const reading = {
  choices: 1,
  createReader: () => inTurn(createInlineReasoningReader(false), createInlineCallReader(offered)),
  newId: () => 'call_0',
}

/** Frames as a server sends them, one a token; nothing of them has been looked at yet. */
function streamOf(chunks: number): () => AsyncGenerator<StreamPart, void, void> {
  const frames = Array.from({ length: chunks }, (_, index) => {
    const content = [' the', ' next', ' `word`', ' is', '\n', ' {', ' x[1]', '.'][index % 8]
    const choice = { index: 0, delta: { content }, logprobs: null, finish_reason: null }
    const head = {
      id: 'chatcmpl-7f3a',
      object: 'chat.completion.chunk',
      created: 1_700_000_000,
      model: 'a-local-model',
    }
    return Buffer.from(`data: ${JSON.stringify({ ...head, choices: [choice] })}\n\n`)
  })
  const parse = (bytes: Buffer) => readData(bytes).map(data => JSON.parse(data) as ChatChunk)
  return async function* () {
    for (const frame of frames) yield partFromBytes(frame, parse, true)
  }
}

const reply = {
  id: 'bench',
  model: 'a-local-model',
  createdSeconds: 1_700_000_000,
  promptTokens: 1000,
  timing: { waitedMs: 1, promptMs: 100, elapsedMs: () => 1000 },
}

/** A local server, for which most has to be taken out. */
const target: Target = {
  model: {
    id: 'llama-cpp/a-local-model',
    provider: 'llama-cpp',
    name: 'a-local-model',
    tier: 'local',
    price: { input: 0, output: 0 },
    free: true,
    contextTokens: 262_144,
    loaded: true,
    capabilities: {},
  },
  provider: {},
  promptTokens: 200_000,
}

interface Spread {
  value: number
  low: number
  high: number
}

/** The spread of the protocol with the highest median; the middle half of its samples lies between low and high. */
function worst(name: string, times: ReadonlyMap<string, readonly number[]>): Spread {
  const spreads = [...times].map(([protocol, values]) => {
    const sorted = values.toSorted((a, b) => a - b)
    const quantile = (share: number) => sorted[Math.floor((sorted.length - 1) * share)]!
    process.stderr.write(`${protocol} ${name}: ${quantile(0.5).toFixed(3)}\n`)
    return { value: quantile(0.5), low: quantile(0.25), high: quantile(0.75) }
  })
  return spreads.toSorted((a, b) => b.value - a.value)[0]!
}

/** A copy as it comes from a parsed body: no string of it has been hashed or flattened before. */
function copy(body: object): unknown {
  return JSON.parse(JSON.stringify(body))
}

await runInRounds('bench:translation', 15, run)
