import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Agent, request as send } from 'undici'
import { goalRow, renderReport, type Row } from '../../src/cli/rows.ts'
import type { UsageReport } from '../../src/ledger/usage.ts'
import { quantile } from './overhead/load.ts'
import { launch, vitalsOf, type Child } from './processes.ts'
import type { UpstreamState } from './streams/upstream.ts'
import { answerTo } from './streams/words.ts'

/**
 * `npm run bench:streams [-- --json] [--streams 1000]`: so many streams at the same time, of which the callers of one in ten
 * leave, from a server in another process. All others must arrive whole; afterwards every request has its record, and no slot,
 * connection or stream is left.
 */
const leavingShare = 10
/** Less than any answer has. */
const maxBytesBeforeLeaving = 5_000
const settleMs = 10_000

interface Stream {
  firstTokenMs: number
  outcome: 'whole' | 'left' | 'wrong'
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, streams: { type: 'string', default: '1000' } },
  })
  const count = Number(values.streams)
  const upstream = await launch('streams/upstream')
  const signalbox = await launch('signalbox', `OPENAI_COMPATIBLE_ENDPOINT=http://127.0.0.1:${upstream.port}`)
  const agent = new Agent({ connections: null })
  try {
    await play(signalbox, agent, ['warm-up', 'warm-up again'], upstream)
    const before = await vitalsOf(signalbox)
    const names = Array.from({ length: count }, (_, index) => `request-${index}`)
    const streams = await play(signalbox, agent, names, upstream)
    const { loopDelayMs, rssBytes } = await vitalsOf(signalbox)
    await agent.close()
    const left = await settled(signalbox, upstream, before.sockets)
    const firstTokens = streams.map(({ firstTokenMs }) => firstTokenMs).filter(Number.isFinite)
    const having = (outcome: Stream['outcome']) => streams.filter(each => each.outcome === outcome).length
    const { mostOpen } = await stateOf(upstream)
    const rows: Row[] = [
      goalRow({ name: 'concurrent_streams', value: mostOpen, unit: 'streams' }, 'at_least', count),
      { name: 'whole_and_right', value: having('whole'), unit: 'streams' },
      { name: 'left_by_callers', value: having('left'), unit: 'streams' },
      goalRow({ name: 'broken_or_mixed', value: having('wrong'), unit: 'streams' }, 'at_most', 0),
      goalRow({ name: 'missing_records', value: count + 2 - left.records, unit: 'requests' }, 'at_most', 0),
      goalRow({ name: 'slots_left', value: left.slots, unit: 'slots' }, 'at_most', 0),
      goalRow({ name: 'connections_left', value: left.sockets, unit: 'connections' }, 'at_most', 0),
      goalRow({ name: 'upstream_streams_left', value: left.upstreamStreams, unit: 'streams' }, 'at_most', 0),
      { name: 'first_token_p50_ms', value: quantile(firstTokens, 0.5), unit: 'ms' },
      { name: 'first_token_p99_ms', value: quantile(firstTokens, 0.99), unit: 'ms' },
      { name: 'loop_delay_p99_ms', value: loopDelayMs.p99, unit: 'ms' },
      { name: 'loop_delay_max_ms', value: loopDelayMs.max, unit: 'ms' },
      { name: 'rss_mb', value: rssBytes / 1e6, unit: 'MB' },
    ]
    process.stdout.write(`${renderReport(rows, values.json)}\n`)
    if (rows.some(({ met }) => met === false)) process.exitCode = 1
  } finally {
    signalbox.child.disconnect()
    upstream.child.disconnect()
  }
}

/** Opens all streams, lets the server finish them once all have begun, and reads them to their end. */
async function play({ port }: Child, agent: Agent, names: readonly string[], upstream: Child): Promise<Stream[]> {
  upstream.child.send('hold')
  const allBegun = Promise.withResolvers<void>()
  let begun = 0
  const onFirst = () => {
    if (++begun === names.length) allBegun.resolve()
  }
  const streams = names.map((name, index) => {
    const leaves = index % leavingShare === leavingShare - 1
    const leavesAfter = leaves ? 1 + ((index * 97) % maxBytesBeforeLeaving) : undefined
    const reading = { name, leavesAfter, onFirst, allBegun: allBegun.promise }
    return read(`http://127.0.0.1:${port}/v1/chat/completions`, agent, reading)
  })
  await allBegun.promise
  upstream.child.send('finish')
  return Promise.all(streams)
}

interface Reading {
  name: string
  /** Bytes after which the caller leaves. */
  leavesAfter: number | undefined
  /** Called once: at the first token, or at the end where there is none. */
  onFirst: () => void
  /** Nobody leaves earlier, so that all streams are open at the same time. */
  allBegun: Promise<void>
}

async function read(url: string, agent: Agent, { name, leavesAfter, onFirst, allBegun }: Reading): Promise<Stream> {
  const startedAt = performance.now()
  let firstTokenMs = Number.NaN
  const caller = new AbortController()
  try {
    const body = JSON.stringify({ model: 'auto', stream: true, messages: [{ role: 'user', content: name }] })
    const reply = await send(url, { method: 'POST', body, dispatcher: agent, signal: caller.signal })
    let text = ''
    for await (const bytes of reply.body as AsyncIterable<Buffer>) {
      text += bytes.toString()
      if (Number.isNaN(firstTokenMs)) {
        firstTokenMs = performance.now() - startedAt
        onFirst()
      }
      if (text.length < (leavesAfter ?? Number.POSITIVE_INFINITY)) continue
      await allBegun
      caller.abort()
    }
    return { firstTokenMs, outcome: isWhole(text, name) && leavesAfter === undefined ? 'whole' : 'wrong' }
  } catch {
    return { firstTokenMs, outcome: caller.signal.aborted ? 'left' : 'wrong' }
  } finally {
    if (Number.isNaN(firstTokenMs)) onFirst()
  }
}

function isWhole(text: string, name: string): boolean {
  const payloads = [...text.matchAll(/^data: (\{.*\})$/gm)].map(
    ([, json]) => JSON.parse(json!) as { choices: { delta: { content?: string } }[] },
  )
  const said = payloads.map(({ choices }) => choices[0]?.delta.content ?? '').join('')
  return said === answerTo(name) && text.trimEnd().endsWith('data: [DONE]')
}

/** What is left once everything had time to be let go of. */
async function settled(signalbox: Child, upstream: Child, socketsBefore: number) {
  const until = performance.now() + settleMs
  for (;;) {
    const [{ busySlots: slots, sockets }, { open: upstreamStreams }] = await Promise.all([
      vitalsOf(signalbox),
      stateOf(upstream),
    ])
    const left = { slots, sockets: Math.max(0, sockets - socketsBefore), upstreamStreams }
    const isDone = Object.values(left).every(count => count === 0)
    if (isDone || performance.now() > until) return { ...left, records: await recordsOf(signalbox) }
    await setTimeout(100)
  }
}

async function recordsOf({ port }: Child): Promise<number> {
  const reply = await send(`http://127.0.0.1:${port}/v1/usage?period=all`)
  const { totals } = (await reply.body.json()) as UsageReport
  return totals.requests
}

async function stateOf({ child }: Child): Promise<UpstreamState> {
  child.send('state')
  const [state] = (await once(child, 'message')) as [UpstreamState]
  return state
}

await main()
