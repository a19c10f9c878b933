import { request as send } from 'undici'
import { seededRandom } from '../../src/router/chance.ts'
import { startGateway, type Teardown, type TestGateway } from '../helpers/start-gateway.ts'
import { faults } from './faults.ts'
import { startFaultyServer, type FaultyServer } from './faulty-server.ts'
import { scheduleOf, wrongIn, type ProtocolPath, type Schedule, type Seen } from './schedule.ts'

export interface Findings {
  faults_tried: number
  wrong_statuses: number
  lost_rows: number
  wrong_costs: number
  leaked_slots: number
  leaked_sockets: number
  leaked_timers: number
}
export const noFindings: Findings = {
  faults_tried: 0,
  wrong_statuses: 0,
  lost_rows: 0,
  wrong_costs: 0,
  leaked_slots: 0,
  leaked_sockets: 0,
  leaked_timers: 0,
}

/** Two servers with faults and a gateway before them; the schedules are played one after the other. */
interface Lane {
  gateway: TestGateway
  servers: readonly [FaultyServer, FaultyServer]
  /** The ids of the models that are asked, in order. */
  models: readonly [string, string]
  /** Lets the time pass that keeps breakers open and servers in quarantine. */
  forgive: () => void
}

const contextTokens = 8_192
/** USD per million tokens. */
const price = { input: 3, output: 15 }
/** Long enough for a busy machine to say what is in order. */
const patienceMs = 1_500
/** A caller who waits longer than this is counted as one who never got an answer. */
const hangMs = 30_000
const kinds = [
  ['openrouter', 'ollama'],
  ['openai-compatible', 'llama-cpp'],
  ['ollama', 'openrouter'],
  ['lm-studio', 'openai-compatible'],
] as const

/** Plays the schedules `from` up to `from + count`, in several lanes at the same time. `report` gets a line for each finding. */
export async function playFaults(
  t: Teardown,
  { from, count }: { from: number; count: number },
  report: (finding: string) => void,
): Promise<Findings> {
  const lanes = await Promise.all(kinds.map(pair => openLane(t, pair)))
  const findings = { ...noFindings }
  const timersBefore = timers()
  let next = from
  await Promise.all(
    lanes.map(async lane => {
      while (next < from + count) {
        const schedule = scheduleOf(next++)
        const found = await playOne(lane, schedule)
        findings.faults_tried++
        for (const { what, detail } of found) {
          findings[what]++
          report(`${what}: ${describe(schedule)}: ${detail}`)
        }
      }
    }),
  )
  // Connections that are kept for the next request have a timer each.
  if (!(await comesTrue(() => timers() <= timersBefore + lanes.length))) {
    findings.leaked_timers = timers() - timersBefore
    report(`leaked_timers: ${findings.leaked_timers} more than before the first request`)
  }
  return findings
}

const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

const describe = ({ seed, path, stream, cascade, hangUpMs, first, second }: Schedule) =>
  `schedule ${seed}, ${path}${stream ? ' streamed' : ''}${cascade ? ' checked' : ''}${
    hangUpMs === undefined ? '' : ` left after ${hangUpMs} ms`
  }, ${first.name} then ${second.name}`

async function openLane(t: Teardown, [first, second]: (typeof kinds)[number]): Promise<Lane> {
  const [none] = faults
  const servers = [
    await startFaultyServer(first, { name: 'one', contextTokens, price }, none!),
    await startFaultyServer(second, { name: 'two', contextTokens, price }, none!),
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
  return {
    gateway,
    servers,
    models: [`${first}/one`, `${second}/two`],
    forgive: () => {
      skippedMs += 2 * 3_600_000
    },
  }
}

interface Finding {
  what: Exclude<keyof Findings, 'faults_tried'>
  detail: string
}

async function playOne(lane: Lane, schedule: Schedule): Promise<Finding[]> {
  const { gateway, servers, models } = lane
  lane.forgive()
  const before = gateway.core.ledger.status()
  for (const [index, server] of servers.entries()) {
    server.fault = index === 0 ? schedule.first : schedule.second
    server.random = seededRandom(schedule.seed * 2 + index)
  }
  const seen = await ask(lane, schedule)
  await gateway.core.gateway.idle()
  const found: Finding[] = []
  if (seen !== 'left') {
    const wrong = wrongIn(schedule, models, seen)
    if (wrong !== undefined) found.push({ what: 'wrong_statuses', detail: wrong })
  }
  const rows = () => {
    const { written, buffered } = gateway.core.ledger.status()
    return written + buffered - before.written - before.buffered
  }
  const kept = await comesTrue(() => rows() === 1)
  const { lost, rejected } = gateway.core.ledger.status()
  // A caller who leaves at once may never have got through.
  const mayBeNone = seen === 'left' && rows() === 0
  if ((!kept && !mayBeNone) || lost + rejected > 0) found.push({ what: 'lost_rows', detail: `${rows()} rows for it` })
  const [row] = await gateway.core.ledger.recent(1)
  const cost = row?.cost_usd ?? 0
  if (!(cost >= 0 && cost <= mostUsd)) found.push({ what: 'wrong_costs', detail: `$${cost}` })
  for (const { kind } of servers) {
    const slots = gateway.core.slotsOf(kind)
    if (slots.busy() + slots.waiting() > 0) found.push({ what: 'leaked_slots', detail: `${kind} is busy` })
  }
  if (!(await comesTrue(() => servers.every(server => server.open() === 0)))) {
    found.push({ what: 'leaked_sockets', detail: servers.map(({ kind, open }) => `${kind}: ${open()}`).join(', ') })
  }
  return found
}

/** Four attempts, two of them retries, each of which may claim what its model could hold four times, or a cost of $1.5. */
const mostUsd = 4 * Math.max((4 * contextTokens * price.output) / 1e6, 1.5)

async function ask({ gateway, models }: Lane, schedule: Schedule): Promise<Seen | 'left'> {
  const { path, stream, cascade, hangUpMs } = schedule
  const signal = AbortSignal.timeout(hangUpMs ?? hangMs)
  try {
    const reply = await send(`${gateway.url}/v1/${path}`, {
      method: 'POST',
      signal,
      headers: cascade ? { 'x-signalbox-verify': 'not_truncated' } : {},
      body: JSON.stringify({ ...questionIn(path, models), stream }),
    })
    const text = await reply.body.text()
    const model = reply.headers['x-signalbox-model']
    return { status: reply.statusCode, model: model === undefined ? undefined : String(model), ending: endingOf(text) }
  } catch (error) {
    if (!signal.aborted) throw error
    return hangUpMs === undefined ? { status: 0, model: undefined, ending: 'neither' } : 'left'
  }
}

function questionIn(path: ProtocolPath, [first, ...others]: readonly string[]): object {
  const messages = [{ role: 'user', content: 'Hello?' }]
  if (path === 'messages') return { model: 'auto', messages, max_tokens: 50 }
  if (path === 'responses') return { model: first, models: others, input: 'Hello?', store: false }
  return { model: first, models: others, messages, max_tokens: 50 }
}

/** How an answer ends, whole or streamed, in any of the three protocols. */
function endingOf(text: string): Seen['ending'] {
  const broken = /^event: (error|response\.failed)$|^(data: )?\{("type":"error",)?"error":\{/m.test(text)
  const whole =
    /^data: \[DONE\]$|^event: (message_stop|response\.completed|response\.incomplete)$/m.test(text) ||
    /^\{.*("finish_reason":"(stop|length)"|"stop_reason":"(end_turn|max_tokens)"|"status":"(completed|incomplete)")/.test(
      text,
    )
  if (broken === whole) return 'neither'
  return broken ? 'broken' : 'whole'
}

async function comesTrue(condition: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 300; tries++) {
    if (condition()) return true
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  return condition()
}
