import { request as send } from 'undici'
import { seededRandom } from '../../src/router/chance.ts'
import type { Teardown } from '../helpers/start-gateway.ts'
import { mostUsd, openPairs, type Pair } from './pairs.ts'
import { scheduleOf, wrongIn, type Schedule, type Seen } from './schedule.ts'

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

/** A caller who waits longer than this is counted as one who never got an answer. */
const hangMs = 120_000

export interface Batches {
  /** The first schedule's number. */
  from: number
  count: number
  /** Schedules after which everything must be as before, and `goOn` is asked; all by default. */
  batch?: number
  goOn?: () => Promise<boolean>
}

/** Plays the schedules `from` up to `from + count`, several at the same time. `report` gets a line for each finding. */
export async function playFaults(
  t: Teardown,
  { from, count, batch = count, goOn = () => Promise.resolve(true) }: Batches,
  report: (finding: string) => void,
): Promise<Findings> {
  const pairs = await openPairs(t)
  const findings = { ...noFindings }
  const timersBefore = timers()
  for (let start = from; start < from + count; start += batch) {
    const size = Math.min(batch, from + count - start)
    const schedules = Array.from({ length: size }, (_, at) => scheduleOf(start + at))
    await Promise.all(
      pairs.map(async pair => {
        for (const schedule of schedules.filter(({ seed, path }) => pairFor(pairs, path, seed) === pair)) {
          findings.faults_tried++
          for (const { what, detail } of await playOne(pair, schedule)) {
            findings[what]++
            report(`${what}: ${describe(schedule)}: ${detail}`)
          }
        }
      }),
    )
    // Connections that are kept for the next request have a timer each.
    if (!(await comesTrue(() => timers() <= timersBefore + pairs.length))) {
      const more = timers() - timersBefore
      findings.leaked_timers = Math.max(findings.leaked_timers, more)
      report(`leaked_timers: ${more} more than before the first request`)
    }
    if (!(await goOn())) break
  }
  return findings
}

/** Depends on the schedule alone, so that it can be played again. */
function pairFor(pairs: readonly Pair[], path: Schedule['path'], seed: number): Pair {
  const able = pairs.filter(({ serves }) => serves(path))
  return able[seed % able.length]!
}

const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

const describe = ({ seed, path, stream, cascade, hangUpMs, first, second }: Schedule) =>
  `schedule ${seed}, ${path}${stream ? ' streamed' : ''}${cascade ? ' checked' : ''}${
    hangUpMs === undefined ? '' : ` left after ${hangUpMs} ms`
  }, ${first.name} then ${second.name}`

interface Finding {
  what: Exclude<keyof Findings, 'faults_tried'>
  detail: string
}

async function playOne(pair: Pair, schedule: Schedule): Promise<Finding[]> {
  const { gateway, servers } = pair
  pair.forgive()
  const before = gateway.core.ledger.status()
  for (const [index, server] of servers.entries()) {
    server.fault = index === 0 ? schedule.first : schedule.second
    server.random = seededRandom(schedule.seed * 2 + index)
  }
  const seen = await ask(pair, schedule)
  await gateway.core.gateway.idle()
  const found: Finding[] = []
  if (seen !== 'left') {
    const wrong = wrongIn(schedule, pair.questionFor(schedule.path).models, seen)
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

async function ask({ gateway, questionFor }: Pair, schedule: Schedule): Promise<Seen | 'left'> {
  const { path, stream, cascade, hangUpMs } = schedule
  const signal = AbortSignal.timeout(hangUpMs ?? hangMs)
  try {
    const reply = await send(`${gateway.url}/v1/${path}`, {
      method: 'POST',
      signal,
      headers: cascade ? { 'x-signalbox-verify': 'not_truncated' } : {},
      body: JSON.stringify({ ...questionFor(path).body, ...(stream ? { stream } : {}) }),
    })
    const text = await reply.body.text()
    const model = reply.headers['x-signalbox-model']
    return { status: reply.statusCode, model: model === undefined ? undefined : String(model), ending: endingOf(text) }
  } catch (error) {
    if (!signal.aborted) throw error
    return hangUpMs === undefined ? { status: 0, model: undefined, ending: 'neither' } : 'left'
  }
}

/** How an answer ends, whole or streamed, in any of the protocols. */
function endingOf(text: string): Seen['ending'] {
  const broken = /^event: (error|response\.failed)$|^(data: )?\{("type":"error",)?"error":\{/m.test(text)
  const whole =
    /^data: \[DONE\]$|^event: (message_stop|response\.completed|response\.incomplete)$/m.test(text) ||
    /^\{.*("embedding":\[|"relevance_score":|"finish_reason":"(stop|length)"|"stop_reason":"(end_turn|max_tokens)"|"status":"(completed|incomplete)")/.test(
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
