import path from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import type { Config } from '../config/config.ts'
import { isLoopback } from '../net.ts'
import { createPrivateFolder } from '../private-files.ts'
import { readConfig } from './installation.ts'
import { version } from './root.ts'
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
import { positive, positiveInteger } from './numbers.ts'
import { onStopSignal } from './stop-signals.ts'
import { signalboxServer } from './benchmark/signalbox-server.ts'
import { confirmModelCode, terminalQuestion } from './benchmark/trust.ts'
import { writeDrift, writeReport } from './benchmark/write-report.ts'

interface BenchmarkFlags {
  model?: string[]
  free?: boolean
  paid?: boolean
  suite?: string[]
  comprehensive?: boolean
  repetitions?: number
  system?: string
  strategy?: string
  context?: number
  price?: { input: number; output: number }
  maxCost?: number
  maxMinutes?: number
  itemTimeout?: number
  results?: string
  report?: boolean
  output?: string
  fresh?: boolean
  trustModelCode?: boolean
  drift?: boolean
  baseUrl?: string
  apiKeyEnv?: string
  json?: boolean
}

export function define(command: Command): void {
  command
    .description('Measure your models through the running Signalbox, or start one for the benchmark.')
    .option('--model <name>', 'measure this model (repeatable); default: all local ones', append)
    .option('--free', 'also free models of remote providers')
    .option('--paid', 'also models that cost money')
    .option('--suite <name>', 'a suite, or a .jsonl file like HumanEval or MBPP (repeatable)', append)
    .option('--comprehensive', 'every task, three times, no early stopping')
    .option('--repetitions <n>', 'run every task n times', positiveInteger)
    .option('--system <text>', 'system prompt before every task')
    .option('--strategy <name>', 'name of that prompting strategy')
    .option('--context <tokens>', 'context window, if the server reports none', positiveInteger)
    .option('--price <in,out>', 'USD per million tokens, if none is reported', priceOf)
    .option('--max-cost <usd>', 'stop before it costs more', positive)
    .option('--max-minutes <n>', 'stop after n minutes', positive)
    .option('--item-timeout <seconds>', 'time limit of one task (BENCHMARK_TASK_TIMEOUT)', positive)
    .option('--results <file>', 'database of results (BENCHMARK_RESULTS_PATH)')
    .option('--report', 'write leaderboard.json, .md and frontier.svg to BENCHMARK_RESULTS_PATH')
    .option('--output <folder>', 'write them to this folder')
    .option('--fresh', 'do not resume an unfinished run')
    .option('--trust-model-code', 'run code of remote models without network isolation')
    .option('--drift', 're-run a sample to detect drift')
    .option('--base-url <url>', 'measure this OpenAI-compatible server directly', addressOf)
    .option('--api-key-env <name>', 'environment variable that holds its key')
    .option('--json', 'print the leaderboard as JSON')
    .addHelpText('after', '\nExample:\n  signalbox benchmark --model qwen3:8b --suite sql')
    .action(benchmark)
}

async function benchmark(flags: BenchmarkFlags): Promise<void> {
  const stop = new AbortController()
  onStopSignal(() => {
    process.stderr.write('\nStopping: results so far are kept. Press Ctrl-C again to end now.\n')
    stop.abort()
  })
  const suites = chosenSuites(flags.suite ?? [])
  const sandbox = openSandbox()
  try {
    process.exitCode = await measureServed(flags, suites, sandbox, stop.signal)
  } finally {
    await sandbox.close()
  }
}

async function measureServed(flags: BenchmarkFlags, suites: readonly Suite[], sandbox: Sandbox, signal: AbortSignal) {
  const config = readConfig(process.env)
  const selection = selectionOf(flags)
  const limits = limitsOf(flags, config)
  const { baseUrl, apiKeyEnv } = flags
  const server =
    baseUrl === undefined
      ? await signalboxServer(config, version(), Date.now)
      : openAiServer(baseUrl, apiKeyEnv === undefined ? undefined : process.env[apiKeyEnv], Date.now)
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
      trusted: flags.trustModelCode ?? false,
      walls: await sandbox.walls(),
      ask: terminalQuestion(),
    })
    return await measure({ flags, config, server, candidates, suites, limits, sandbox, signal })
  } finally {
    await server.close()
  }
}

interface Measurement {
  flags: BenchmarkFlags
  config: Config
  server: MeasuredServer
  candidates: readonly BenchmarkCandidate[]
  suites: readonly Suite[]
  limits: ReturnType<typeof limitsOf>
  sandbox: Sandbox
  signal: AbortSignal
}

async function measure({ flags, config, server, candidates, suites, limits, sandbox, signal }: Measurement) {
  const folder = path.resolve(config.root, config.values.BENCHMARK_RESULTS_PATH)
  const file = flags.results ?? path.join(folder, 'benchmarks.db')
  if (file !== ':memory:') createPrivateFolder(path.dirname(path.resolve(file)))
  const store = openResults(file)
  try {
    const earlier = currentResults(store.results())
    const measured = flags.drift === true ? sampled(suites, candidates, earlier) : suites
    const stops = flags.comprehensive !== true && flags.drift !== true
    const plan = planOf(candidates, measured, limits.repetitions, stops)
    const resumedRun = flags.fresh === true || flags.drift === true ? undefined : store.unfinished(plan)
    const run = resumedRun ?? `${new Date().toISOString()} ${plan}`
    if (resumedRun !== undefined) process.stderr.write(`Resuming the run of ${run.split(' ')[0]}.\n`)
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

    if (flags.drift === true) writeDrift(drift(earlier, store.results(run)), flags.json === true)
    else {
      const written = flags.output ?? (flags.report === true ? folder : undefined)
      writeReport(currentResults(store.results()), flags.json === true, written)
    }
    return exitCodeOf(outcome)
  } finally {
    store.close()
  }
}

function exitCodeOf({ status, unreachable }: BenchmarkRunOutcome): number {
  if (status === 'aborted') return 130
  return unreachable.length === 0 ? 0 : 1
}

function selectionOf({ model, free, paid, price, context, system, strategy }: BenchmarkFlags) {
  return {
    names: model,
    free: free ?? false,
    paid: paid ?? false,
    price,
    contextTokens: context,
    settings: system === undefined ? {} : { system, strategy: strategy ?? 'system text' },
  }
}

function limitsOf(flags: BenchmarkFlags, config: Config) {
  const { repetitions, comprehensive, maxCost, maxMinutes, itemTimeout } = flags
  return {
    repetitions: repetitions ?? (comprehensive === true ? 3 : 1),
    ...(maxCost !== undefined && { maxCostUsd: maxCost }),
    ...(maxMinutes !== undefined && { maxMinutes }),
    itemTimeoutMs: itemTimeout === undefined ? config.values.BENCHMARK_TASK_TIMEOUT : itemTimeout * 1_000,
  }
}

function append(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value]
}

function addressOf(text: string): string {
  if (!/^https?:/.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError('Expected a URL such as http://127.0.0.1:8080/v1.')
  return text
}

function priceOf(text: string): { input: number; output: number } {
  const prices = text.split(',').map(part => (part.trim() === '' ? Number.NaN : Number(part)))
  const [input, output] = prices
  if (prices.length !== 2 || !(input! >= 0) || !(output! >= 0))
    throw new InvalidArgumentError('Expected two numbers, USD per million input and output tokens, such as 0.5,1.5.')
  return { input: input!, output: output! }
}
