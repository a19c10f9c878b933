import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { GatewayError } from '../../errors.ts'
import { currentResults, drift } from '../evidence.ts'
import { renderFrontier } from '../frontier.ts'
import { leaderboard } from '../leaderboard.ts'
import { renderMarkdown, renderTable } from '../render.ts'
import { openResults, planOf, type Candidate, type Result, type Settings } from '../results.ts'
import { inTurn, runBenchmark, type BenchmarkOutcome, type Progress } from '../runner.ts'
import { openSandbox } from '../sandbox/sandbox.ts'
import { defaultStopping } from '../stopping.ts'
import { suiteFromFile } from '../suites/file.ts'
import { suites as ownSuites } from '../suites/index.ts'
import type { Suite } from '../suites/suite.ts'
import { openAiServer } from './openai-server.ts'
import { renderReport } from './report.ts'
import { selfCheckRows } from './self-check-rows.ts'

const usage = `npm run benchmark -- --base-url URL [--model NAME]… [options]
npm run benchmark -- --self-check [--json]

  --base-url URL         an OpenAI-compatible server, e.g. http://127.0.0.1:8080/v1
  --model NAME           measure this model (may be repeated); without it every model that costs nothing
  --paid                 measure the models that cost money too
  --suite NAME|FILE      a suite of ours, or a .jsonl file in HumanEval's or MBPP's format (may be repeated)
  --comprehensive        every task, three times, no early stopping
  --repetitions N        put every task N times
  --system TEXT          a prompting strategy: this system text before every task; named by --strategy NAME
  --context TOKENS       the models' context window, where the server does not tell
  --price IN,OUT         USD per million tokens, where the server does not tell
  --api-key-env NAME     the environment variable that holds the key
  --max-cost USD, --max-minutes N, --item-timeout SECONDS (60)
  --results FILE         where results are kept (benchmark-results/benchmarks.db)
  --output FOLDER        also write leaderboard.json, leaderboard.md and frontier.svg there
  --fresh                start a new run even if an unfinished one could go on
  --drift                measure a few tasks again and report what moved`

const options = {
  'self-check': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  'base-url': { type: 'string' },
  model: { type: 'string', multiple: true },
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
  'item-timeout': { type: 'string', default: '60' },
  results: { type: 'string', default: path.join('benchmark-results', 'benchmarks.db') },
  output: { type: 'string' },
  fresh: { type: 'boolean', default: false },
  drift: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

const driftTasksPerSuite = 4

try {
  process.exitCode = await main()
} catch (thrown) {
  const isUsage = thrown instanceof TypeError && 'code' in thrown && String(thrown.code).startsWith('ERR_PARSE_ARGS')
  if (!isUsage && !(thrown instanceof GatewayError)) throw thrown
  process.stderr.write(`benchmark: ${thrown.message.split('\n')[0]}\n`)
  process.exitCode = isUsage || thrown.code === 'invalid_request' ? 2 : 1
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
  const sandbox = openSandbox()
  try {
    const suites = chosenSuites(values.suite ?? [])
    if (!values['self-check']) return await measure(values, suites, sandbox, stop.signal)
    const { rows, complaints } = await selfCheckRows(suites, sandbox, stop.signal)
    for (const complaint of complaints) process.stderr.write(`${complaint}\n`)
    process.stdout.write(`${renderReport(rows, values.json)}\n`)
    return complaints.length === 0 ? 0 : 1
  } finally {
    await sandbox.close()
  }
}

function readArguments() {
  return parseArgs({ options }).values
}

type Values = ReturnType<typeof readArguments>

async function measure(
  values: Values,
  suites: readonly Suite[],
  sandbox: ReturnType<typeof openSandbox>,
  signal: AbortSignal,
) {
  const baseUrl = values['base-url']
  if (baseUrl === undefined || !URL.canParse(baseUrl))
    throw new GatewayError('invalid_request', 'say which server: --base-url http://127.0.0.1:8080/v1')
  const keyName = values['api-key-env']
  const server = openAiServer(baseUrl, keyName === undefined ? undefined : process.env[keyName], Date.now)
  const candidates = chosenCandidates(await server.models(signal), values)
  mkdirSync(path.dirname(path.resolve(values.results)), { recursive: true })
  const store = openResults(values.results)
  try {
    const earlier = store.results()
    const measured = values.drift ? sampled(suites, earlier) : suites
    const repetitions = whole('repetitions', values.repetitions) ?? (values.comprehensive ? 3 : 1)
    const stops = !values.comprehensive && !values.drift
    const plan = planOf(candidates, measured, repetitions, stops)
    const goesOn = values.fresh || values.drift ? undefined : store.unfinished(plan)
    const run = goesOn ?? `${new Date().toISOString()} ${plan}`
    if (goesOn === undefined) store.begin({ id: run, plan, at: Date.now() })
    else process.stderr.write(`Going on with the run of ${run.split(' ')[0]}.\n`)

    const maxCostUsd = amount('max-cost', values['max-cost'])
    const maxMinutes = amount('max-minutes', values['max-minutes'])
    const outcome = await runBenchmark({
      run,
      candidates,
      suites: measured,
      ask: server.ask,
      store,
      sandbox,
      repetitions,
      ...(stops && { stopping: defaultStopping }),
      ...(maxCostUsd !== undefined && { maxCostUsd }),
      ...(maxMinutes !== undefined && { maxMinutes }),
      itemTimeoutMs: amount('item-timeout', values['item-timeout'])! * 1_000,
      // Asked directly, a server has no users that this process knows of.
      turn: async () => {},
      signal,
      now: Date.now,
      onProgress: showProgress,
    })
    if (process.stderr.isTTY) process.stderr.write('\n')
    process.stderr.write(`${summary(outcome)}\n`)
    if (outcome.status === 'finished' && outcome.unreachable.length === 0) store.finish(run, Date.now())

    if (values.drift) reportDrift(earlier, store.results(run), values.json)
    else report(currentResults(store.results()), values)
    if (outcome.status === 'aborted') return 130
    return outcome.unreachable.length === 0 ? 0 : 1
  } finally {
    store.close()
  }
}

function report(results: readonly Result[], values: Values): void {
  const standings = leaderboard(results)
  process.stdout.write(`${values.json ? JSON.stringify({ standings }) : renderTable(standings)}\n`)
  if (values.output === undefined) return
  mkdirSync(values.output, { recursive: true })
  writeFileSync(path.join(values.output, 'leaderboard.json'), `${JSON.stringify({ standings, results }, null, 2)}\n`)
  writeFileSync(path.join(values.output, 'leaderboard.md'), renderMarkdown(standings, 'Leaderboard'))
  writeFileSync(path.join(values.output, 'frontier.svg'), renderFrontier(standings, 'Quality and cost'))
}

function reportDrift(before: readonly Result[], after: readonly Result[], json: boolean): void {
  const drifts = drift(before, after)
  if (json) {
    process.stdout.write(`${JSON.stringify({ drift: drifts })}\n`)
    return
  }
  const moved = drifts.filter(({ moved }) => moved)
  const share = (value: number) => `${Math.round(value * 100)} %`
  for (const { provider, model, category, before, after, tasks, certainty, weightsChanged } of moved) {
    const why = weightsChanged ? 'its weights changed' : `certainty ${share(certainty)}`
    process.stdout.write(
      `${provider}/${model} ${category}: ${share(before.value)} before, ${share(after.value)} now (${tasks} tasks, ${why})\n`,
    )
  }
  process.stdout.write(`${moved.length} of ${drifts.length} cells moved.\n`)
}

/** The first few tasks of each suite that have been measured before. */
function sampled(suites: readonly Suite[], earlier: readonly Result[]): Suite[] {
  const known = new Set(earlier.map(({ task }) => task))
  const chosen = suites
    .map(suite => ({
      ...suite,
      tasks: inTurn(suite.tasks)
        .filter(({ id }) => known.has(id))
        .slice(0, driftTasksPerSuite),
    }))
    .filter(({ tasks }) => tasks.length > 0)
  if (chosen.length === 0)
    throw new GatewayError('invalid_request', 'nothing to compare with: no earlier results of these suites')
  return chosen
}

function chosenSuites(names: readonly string[]): readonly Suite[] {
  if (names.length === 0) return ownSuites
  return names.map(name => {
    if (/\.jsonl?$/.test(name)) return suiteFromFile(name)
    const suite = ownSuites.find(suite => suite.name === name)
    if (suite === undefined)
      throw new GatewayError(
        'invalid_request',
        `no suite ${name}; there are: ${ownSuites.map(({ name }) => name).join(', ')}`,
      )
    return suite
  })
}

/** Those named; without names those that cost nothing, and with `--paid` all. */
function chosenCandidates(served: readonly Candidate[], values: Values): Candidate[] {
  const prices = values.price?.split(',').map(Number)
  if (prices !== undefined && (prices.length !== 2 || prices.some(price => !(price >= 0)))) {
    throw new GatewayError(
      'invalid_request',
      '--price wants two numbers: USD per million tokens in and out, like 0.5,1.5',
    )
  }
  const chosen =
    values.model === undefined
      ? served.filter(({ paid }) => values.paid || !paid)
      : values.model.map(name => {
          const found = served.find(({ model }) => model === name)
          if (found === undefined)
            throw new GatewayError(
              'invalid_request',
              `the server has no model ${name}; it has: ${served.map(({ model }) => model).join(', ')}`,
            )
          return found
        })
  if (chosen.length === 0)
    throw new GatewayError('invalid_request', 'no model costs nothing here: name one with --model, or add --paid')
  const contextTokens = whole('context', values.context)
  const settings: Settings =
    values.system === undefined ? {} : { system: values.system, strategy: values.strategy ?? 'system text' }
  return chosen.map(candidate => ({
    ...candidate,
    settings,
    ...(contextTokens !== undefined && { contextTokens }),
    ...(prices !== undefined && { price: { input: prices[0]!, output: prices[1]! }, paid: true }),
  }))
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

function showProgress({
  candidate,
  task,
  passed,
  asked,
  resumed,
  saved,
  remaining,
  tokens,
  costUsd,
  etaSeconds,
}: Progress): void {
  const done = asked + resumed
  const share = done / (done + remaining)
  const bar = '█'.repeat(Math.round(share * 20)).padEnd(20, '░')
  const eta = etaSeconds < 90 ? `${Math.round(etaSeconds)} s` : `${Math.round(etaSeconds / 60)} min`
  const facts = [
    `${done}/${done + remaining}`,
    `${saved} saved`,
    `${tokens} tokens`,
    `$${costUsd.toFixed(4)}`,
    `at most ${eta}`,
  ]
  const line = `${bar} ${facts.join(' · ')} · ${candidate.model} ${task} ${passed ? '✓' : '✗'}`
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line.slice(0, process.stderr.columns - 1)}` : `${line}\n`)
}

function summary({ status, asked, resumed, saved, costUsd, tokens, unreachable }: BenchmarkOutcome): string {
  const lines = [
    `${asked} items measured, ${resumed} found from before, ${saved} saved by sequential stopping; ${tokens} tokens, $${costUsd.toFixed(4)}.`,
    ...unreachable.map(({ model, reason }) => `${model} could not be measured to the end: ${reason}`),
  ]
  if (status !== 'finished') lines.push(`Ended early: ${status}. The same command goes on where this one ended.`)
  return lines.join('\n')
}
