import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { measureAccounting } from './overhead/accounting.ts'
import { startAgents, type AgentStart } from './overhead/agent-start.ts'
import { applyLoad, quantile, type LoadPlan, type LoadMeasurement } from './overhead/load.ts'
import { launch, vitalsOf } from './processes.ts'
import { goalRow, renderReport, type Row } from '../../src/cli/rows.ts'

/**
 * The overhead of Signalbox per request, compared with a bare Fastify + undici relay and with the upstream itself: all three
 * in separate processes, in interleaved rounds, medians over the rounds.
 */
const servers = ['upstream', 'relay', 'signalbox'] as const
type Server = (typeof servers)[number]

const chat = (length: number, stream: boolean) =>
  JSON.stringify({ model: 'auto', stream, messages: [{ role: 'user', content: 'word '.repeat(length / 5) }] })

const cases = {
  sequential: { connections: 1, requests: 400, body: chat(250, false) },
  small: { connections: 10, requests: 4000, body: chat(250, false) },
  large: { connections: 10, requests: 1000, body: chat(100_000, false) },
  stream: { connections: 10, requests: 1500, body: chat(250, true) },
} as const satisfies Record<string, LoadPlan>
type Case = keyof typeof cases

async function run(rounds: number): Promise<Row[]> {
  const upstream = await launch('overhead/upstream')
  const origin = `http://127.0.0.1:${upstream.port}`
  const setting = `OPENAI_COMPATIBLE_ENDPOINT=${origin}`
  const relay = await launch('overhead/relay', origin)
  // A start with a warm compile cache, as every start except the first after an installation.
  const first = await launch('signalbox', setting)
  const left = once(first.child, 'exit')
  first.child.disconnect()
  await left
  const startedAt = performance.now()
  const signalbox = await launch('signalbox', setting)
  await applyLoad(signalbox.port, { ...cases.sequential, requests: 1 })
  const startMs = performance.now() - startedAt
  const agents = await measureAgents(rounds)
  const ports = { upstream: upstream.port, relay: relay.port, signalbox: signalbox.port }
  try {
    const results = await measure(ports, rounds)
    const { rssBytes } = await vitalsOf(signalbox)
    const accounting = await measureAccounting([setting], cases.small, rounds)
    return [...rowsOf(results, startMs, rssBytes), accountingRow(accounting), ...agentRows(agents)]
  } finally {
    for (const { child } of [upstream, relay, signalbox]) child.kill()
  }
}

function accountingRow(ratios: readonly number[]): Row {
  const spread = { value: median(ratios), unit: 'of without', low: Math.min(...ratios), high: Math.max(...ratios) }
  return goalRow({ name: 'ratio_accounting', ...spread }, 'at_least', 0.9)
}

interface AgentRounds {
  /** One agent by itself, by round. */
  one: AgentStart[]
  /** The last of five started at once, by round. */
  five: AgentStart[]
}

async function measureAgents(rounds: number): Promise<AgentRounds> {
  const measured: AgentRounds = { one: [], five: [] }
  // As above, the first round fills the compile cache and does not count.
  for (let round = 0; round <= rounds; round++) {
    const [one] = await startAgents(1)
    const five = await startAgents(5)
    if (round === 0) continue
    measured.one.push(one!)
    measured.five.push(five.reduce((last, each) => (each.ms > last.ms ? each : last)))
  }
  return measured
}

/** `signalbox mcp`, from the start of the process to its answer to `initialize`. */
function agentRows({ one, five }: AgentRounds): Row[] {
  const spread = (values: readonly number[]) => ({
    value: Math.round(median(values)),
    unit: 'ms',
    low: Math.min(...values),
    high: Math.max(...values),
  })
  const cpu = one.flatMap(({ cpuMs }) => cpuMs ?? [])
  return [
    goalRow({ name: 'mcp_start_ms', ...spread(one.map(({ ms }) => ms)) }, 'at_most', 300),
    goalRow({ name: 'mcp_five_starts_ms', ...spread(five.map(({ ms }) => ms)) }, 'at_most', 1000),
    ...(cpu.length === 0 ? [] : [{ name: 'mcp_start_cpu_ms', ...spread(cpu) }]),
  ]
}

type Results = Record<Case, Record<Server, LoadMeasurement[]>>

async function measure(ports: Record<Server, number>, rounds: number): Promise<Results> {
  const empty = () => ({ upstream: [], relay: [], signalbox: [] })
  const results: Results = { sequential: empty(), small: empty(), large: empty(), stream: empty() }
  // The first round warms up compilers and connections and does not count.
  for (let round = 0; round <= rounds; round++) {
    for (const name of Object.keys(cases) as Case[]) {
      for (const server of servers) {
        const measured = await applyLoad(ports[server], cases[name])
        if (round > 0) results[name][server].push(measured)
      }
    }
    process.stderr.write(`round ${round} of ${rounds}\n`)
  }
  return results
}

function rowsOf(results: Results, startMs: number, rssBytes: number): Row[] {
  const added = (share: number) => {
    const rounds = results.sequential.signalbox.map(
      ({ latenciesMs }, round) =>
        quantile(latenciesMs, share) - quantile(results.sequential.upstream[round]!.latenciesMs, share),
    )
    return { value: median(rounds), unit: 'ms', low: Math.min(...rounds), high: Math.max(...rounds) }
  }
  const ratio = (name: Case) => {
    const rounds = results[name].signalbox.map(
      ({ requestsPerSecond }, round) => requestsPerSecond / results[name].relay[round]!.requestsPerSecond,
    )
    return { value: median(rounds), unit: 'of relay', low: Math.min(...rounds), high: Math.max(...rounds) }
  }
  const rate = (name: Case, server: Server): Row => ({
    name: `${server}_${name}_per_s`,
    value: Math.round(median(results[name][server].map(each => each.requestsPerSecond))),
    unit: '1/s',
  })
  return [
    goalRow({ name: 'added_p50_ms', ...added(0.5) }, 'at_most', 0.5),
    goalRow({ name: 'added_p99_ms', ...added(0.99) }, 'at_most', 2),
    goalRow({ name: 'ratio_250b', ...ratio('small') }, 'at_least', 0.35),
    goalRow({ name: 'ratio_100kb', ...ratio('large') }, 'at_least', 0.35),
    goalRow({ name: 'ratio_stream', ...ratio('stream') }, 'at_least', 0.35),
    goalRow({ name: 'rss_mb', value: rssBytes / 1e6, unit: 'MB' }, 'at_most', 150),
    goalRow({ name: 'start_ms', value: startMs, unit: 'ms' }, 'at_most', 400),
    ...(['small', 'large', 'stream'] as const).flatMap(name => [rate(name, 'relay'), rate(name, 'signalbox')]),
  ]
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

const { values } = parseArgs({ options: { json: { type: 'boolean' }, rounds: { type: 'string', default: '7' } } })
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) {
  process.stderr.write(`--rounds: ${values.rounds} is not a whole number from 1 to 100\n`)
  process.exitCode = 2
} else {
  process.stdout.write(`${renderReport(await run(rounds), values.json === true)}\n`)
}
