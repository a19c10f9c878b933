import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { ConfigError, type Config } from '../config.ts'
import { GatewayError } from '../errors.ts'
import { isLoopback } from '../net.ts'
import { readConfig, version } from './installation.ts'
import { currentResults, drift } from '../bench/evidence.ts'
import { openResults, planOf, type BenchmarkCandidate } from '../bench/results.ts'
import { runBenchmark, type BenchmarkRunOutcome } from '../bench/runner.ts'
import { openSandbox, type Sandbox } from '../bench/sandbox/sandbox.ts'
import { defaultStopping } from '../bench/stopping.ts'
import type { Suite } from '../bench/suites/suite.ts'
import { chosenCandidates, chosenSuites, sampled } from './benchmark/choose.ts'
import type { MeasuredServer } from './benchmark/measured-server.ts'
import { openAiServer } from './benchmark/openai-server.ts'
import { showProgress, summaryOf } from './benchmark/progress.ts'
import { signalboxServer } from './benchmark/signalbox-server.ts'
import { confirmModelCode, terminalQuestion } from './benchmark/trust.ts'
import { writeDrift, writeReport } from './benchmark/write-report.ts'

const usage = `npm run benchmark -- [--model NAME]… [options]

Measures the models that Signalbox knows, through the Signalbox that runs or, where none runs, through one of its own.

  --model NAME           measure this model (may be repeated); without it all local ones
  --free, --paid         also the free models of others; also those that cost money
  --suite NAME|FILE      a suite of ours, or a .jsonl file in HumanEval's or MBPP's format (may be repeated)
  --comprehensive        every task, three times, no early stopping
  --repetitions N        put every task N times
  --system TEXT          a prompting strategy: this system text before every task; named by --strategy NAME
  --context TOKENS       the models' context window, where the server does not tell
  --price IN,OUT         USD per million tokens, where the server does not tell
  --max-cost USD, --max-minutes N, --item-timeout SECONDS (BENCHMARK_TASK_TIMEOUT)
  --results FILE         where results are kept (benchmarks.db in BENCHMARK_RESULTS_PATH)
  --report               also write leaderboard.json, leaderboard.md and frontier.svg to BENCHMARK_RESULTS_PATH
  --output FOLDER        write them there
  --fresh                start a new run even if an unfinished one could go on
  --trust-model-code     run code of other people's models even where the system offers no wall around the network
  --drift                measure a few tasks again and report what moved
  --base-url URL         ask this OpenAI-compatible server itself, e.g. http://127.0.0.1:8080/v1
  --api-key-env NAME     the environment variable that holds its key`

const options = {
  json: { type: 'boolean', default: false },
  'base-url': { type: 'string' },
  model: { type: 'string', multiple: true },
  free: { type: 'boolean', default: false },
  paid: { type: 'boolean', default: false },
  suite: { type: 'string', multiple: true },
  comprehensive: { type: 'boolean', default: false },
  repetitions: { type: 'string' },
  system: { type: 'string' },
  strategy: { type: 'string' },
  context: { type: 'string' },
  price: { type: 'string' },
  'api-key-env': { type: 'string' },
  'max-cost': { type: 'string' },
  'max-minutes': { type: 'string' },
  'item-timeout': { type: 'string' },
  results: { type: 'string' },
  report: { type: 'boolean', default: false },
  output: { type: 'string' },
  fresh: { type: 'boolean', default: false },
  'trust-model-code': { type: 'boolean', default: false },
  drift: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

try {
  process.exitCode = await main()
} catch (thrown) {
  const isUsage = thrown instanceof TypeError && 'code' in thrown && String(thrown.code).startsWith('ERR_PARSE_ARGS')
  const isSetting = thrown instanceof ConfigError
  if (!isUsage && !isSetting && !(thrown instanceof GatewayError)) throw thrown
  process.stderr.write(`benchmark: ${thrown.message.split('\n')[0]}\n`)
  process.exitCode = isUsage || isSetting || thrown.code === 'invalid_request' ? 2 : 1
}

async function main(): Promise<number> {
  const values = readArguments()
  if (values.help) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  const stop = new AbortController()
  process.once('SIGINT', () => {
    stop.abort()
  })
  const suites = chosenSuites(values.suite ?? [])
  const sandbox = openSandbox()
  try {
    return await measureServed(values, suites, sandbox, stop.signal)
  } finally {
    await sandbox.close()
  }
}

function readArguments() {
  return parseArgs({ options }).values
}

type Values = ReturnType<typeof readArguments>

async function measureServed(values: Values, suites: readonly Suite[], sandbox: Sandbox, signal: AbortSignal) {
  const config = readConfig(process.env)
  const selection = selectionOf(values)
  const limits = limitsOf(values, config)
  const baseUrl = values['base-url']
  if (baseUrl !== undefined && !URL.canParse(baseUrl))
    throw new GatewayError('invalid_request', '--base-url wants an address like http://127.0.0.1:8080/v1')
  const keyName = values['api-key-env']
  const server =
    baseUrl === undefined
      ? await signalboxServer(config, version(), Date.now)
      : openAiServer(baseUrl, keyName === undefined ? undefined : process.env[keyName], Date.now)
  try {
    const served = await server.models(signal)
    const candidates = chosenCandidates(served, selection)
    const elsewhere = baseUrl !== undefined && !isLoopback(new URL(baseUrl).hostname)
    const foreign = candidates.filter(({ provider, model }) =>
      served.some(
        ({ candidate, own }) => (elsewhere || !own) && candidate.provider === provider && candidate.model === model,
      ),
    )
    await confirmModelCode({
      foreign: foreign.map(({ provider, model }) => `${provider}/${model}`),
      trusted: values['trust-model-code'],
      walls: await sandbox.walls(),
      ask: terminalQuestion(),
    })
    return await measure({ values, config, server, candidates, suites, limits, sandbox, signal })
  } finally {
    await server.close()
  }
}

interface Measurement {
  values: Values
  config: Config
  server: MeasuredServer
  candidates: readonly BenchmarkCandidate[]
  suites: readonly Suite[]
  limits: ReturnType<typeof limitsOf>
  sandbox: Sandbox
  signal: AbortSignal
}

async function measure({ values, config, server, candidates, suites, limits, sandbox, signal }: Measurement) {
  const folder = path.resolve(config.root, config.values.BENCHMARK_RESULTS_PATH)
  const file = values.results ?? path.join(folder, 'benchmarks.db')
  if (file !== ':memory:') mkdirSync(path.dirname(path.resolve(file)), { recursive: true })
  const store = openResults(file)
  try {
    const earlier = currentResults(store.results())
    const measured = values.drift ? sampled(suites, candidates, earlier) : suites
    const stops = !values.comprehensive && !values.drift
    const plan = planOf(candidates, measured, limits.repetitions, stops)
    const goesOn = values.fresh || values.drift ? undefined : store.unfinished(plan)
    const run = goesOn ?? `${new Date().toISOString()} ${plan}`
    if (goesOn !== undefined) process.stderr.write(`Going on with the run of ${run.split(' ')[0]}.\n`)
    store.begin({ id: run, plan, at: Date.now() })

    const { ask, predict, turn } = server
    const outcome = await runBenchmark({
      run,
      candidates,
      suites: measured,
      ask,
      ...(predict !== undefined && { predict }),
      turn,
      store,
      sandbox,
      ...limits,
      ...(stops && { stopping: defaultStopping }),
      signal,
      now: Date.now,
      onProgress: showProgress,
    })
    if (process.stderr.isTTY) process.stderr.write('\n')
    process.stderr.write(`${summaryOf(outcome)}\n`)
    if (outcome.status === 'finished' && outcome.unreachable.length === 0) store.finish(run, Date.now())

    if (values.drift) writeDrift(drift(earlier, store.results(run)), values.json)
    else
      writeReport(currentResults(store.results()), values.json, values.output ?? (values.report ? folder : undefined))
    return exitCodeOf(outcome)
  } finally {
    store.close()
  }
}

function exitCodeOf({ status, unreachable }: BenchmarkRunOutcome): number {
  if (status === 'aborted') return 130
  return unreachable.length === 0 ? 0 : 1
}

function selectionOf({ model, free, paid, price, context, system, strategy }: Values) {
  const prices = price?.split(',').map(Number)
  if (prices !== undefined && (prices.length !== 2 || prices.some(price => !(price >= 0)))) {
    throw new GatewayError(
      'invalid_request',
      '--price wants two numbers: USD per million tokens in and out, like 0.5,1.5',
    )
  }
  return {
    names: model,
    free,
    paid,
    price: prices === undefined ? undefined : { input: prices[0]!, output: prices[1]! },
    contextTokens: whole('context', context),
    settings: system === undefined ? {} : { system, strategy: strategy ?? 'system text' },
  }
}

function limitsOf(values: Values, config: Config) {
  const maxCostUsd = amount('max-cost', values['max-cost'])
  const maxMinutes = amount('max-minutes', values['max-minutes'])
  const itemSeconds = amount('item-timeout', values['item-timeout'])
  return {
    repetitions: whole('repetitions', values.repetitions) ?? (values.comprehensive ? 3 : 1),
    ...(maxCostUsd !== undefined && { maxCostUsd }),
    ...(maxMinutes !== undefined && { maxMinutes }),
    itemTimeoutMs: itemSeconds === undefined ? config.values.BENCHMARK_TASK_TIMEOUT : itemSeconds * 1_000,
  }
}

function amount(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() === '' || !(value > 0)) throw new GatewayError('invalid_request', `--${name} wants a number above 0`)
  return value
}

function whole(name: string, text: string | undefined): number | undefined {
  const value = amount(name, text)
  if (value !== undefined && !Number.isInteger(value))
    throw new GatewayError('invalid_request', `--${name} wants a whole number`)
  return value
}
