import { sumUsd } from '../accounting/money.ts'
import { expectedCostOf, freePrice } from '../accounting/pricing.ts'
import { asGatewayError, type FailureCode } from '../errors.ts'
import {
  candidateKey,
  settingsText,
  type BenchmarkCandidate,
  type BenchmarkResult,
  type ResultStore,
} from './results.ts'
import type { Sandbox } from './sandbox/sandbox.ts'
import type { Count } from './statistics.ts'
import { decideCell, type StoppingVerdict, type StoppingRule } from './stopping.ts'
import type { Ask, TaskReply, Suite, Task } from './suites/suite.ts'

/** An OpenAI chat completion request, as built by a task. */
export interface BenchmarkRequest extends Ask {
  model: string
  max_tokens: number
  temperature: number
  seed?: number
}

/** The response, with its measurements. */
export interface BenchmarkAnswer {
  message: TaskReply
  promptTokens?: number
  completionTokens?: number
  /** The reported charge; without it the candidate's price is used. */
  costUsd?: number
  /** From the request to the first token; missing when the reply was not streamed. */
  firstTokenMs?: number
  /** From the request to the end. */
  totalMs: number
}

/** Sends a request to a model. Failures are GatewayErrors. */
export type AskModel = (
  candidate: BenchmarkCandidate,
  request: BenchmarkRequest,
  signal: AbortSignal,
) => Promise<BenchmarkAnswer>

export interface BenchmarkProgress {
  candidate: BenchmarkCandidate
  task: string
  passed: boolean
  /** Items measured now, found in the store, saved by stopping so far, and remaining at most. */
  asked: number
  resumed: number
  saved: number
  remaining: number
  tokens: number
  costUsd: number
  /** Estimate without further savings. */
  etaSeconds: number
}

export interface BenchmarkOptions {
  run: string
  candidates: readonly BenchmarkCandidate[]
  suites: readonly Suite[]
  ask: AskModel
  store: Pick<ResultStore, 'save' | 'results'>
  sandbox: Sandbox
  /** The router's predicted pass probability of the model, 0 to 1. */
  predict?: (
    candidate: BenchmarkCandidate,
    request: BenchmarkRequest,
    signal: AbortSignal,
  ) => Promise<number | undefined>
  /** Repetitions per task; a task's score is the mean over them. */
  repetitions: number
  /** Without it every task is run. */
  stopping?: StoppingRule
  /** Money and time after which no further item starts. */
  maxCostUsd?: number
  maxMinutes?: number
  /** Time limit of one item; a slower model fails it. */
  itemTimeoutMs: number
  /** Awaited before every item, so that users' requests take precedence. */
  turn: (signal: AbortSignal) => Promise<void>
  signal: AbortSignal
  now: () => number
  onProgress?: (progress: BenchmarkProgress) => void
}

export interface BenchmarkRunOutcome {
  status: 'finished' | 'out of money' | 'out of time' | 'aborted'
  asked: number
  resumed: number
  /** Items that sequential stopping made unnecessary. */
  saved: number
  costUsd: number
  tokens: number
  /** Why cells ended early. */
  stopped: { provider: string; model: string; suite: string; decision: StoppingVerdict; items: number }[]
  /** Models that could not be measured completely, with the last error. */
  unreachable: { provider: string; model: string; reason: string }[]
}

/** Errors that count as failed items of the model; any other error is about the moment, not the model. */
const ownFailures: readonly FailureCode[] = [
  'context_length_exceeded',
  'unsupported',
  'upstream_rejected',
  'upstream_timeout',
]
const maxConsecutiveFailures = 3

interface Cell {
  candidate: BenchmarkCandidate
  suite: Suite
  todo: { task: Task; repetition: number }[]
  results: BenchmarkResult[]
  decision: StoppingVerdict
}

/**
 * Measures every model on every suite. In rounds, so that models are compared on the same tasks and a local server
 * swaps models once per round, not once per item: each round runs a batch of every open cell, then checks which cells
 * are decided. Items found in the store are not repeated.
 */
export async function runBenchmark(options: BenchmarkOptions): Promise<BenchmarkRunOutcome> {
  const { candidates, suites, stopping, store, signal, now } = options
  const startedAt = now()
  const before = store.results(options.run)
  const cells = candidates.flatMap(candidate =>
    suites.map(suite => openCell(candidate, suite, options.repetitions, before)),
  )
  const outcome: BenchmarkRunOutcome = {
    status: 'finished',
    asked: 0,
    resumed: cells.reduce((sum, cell) => sum + cell.results.length, 0),
    saved: 0,
    costUsd: sumUsd(before.map(({ costUsd }) => costUsd ?? 0)),
    tokens: before.reduce((sum, result) => sum + tokensOf(result), 0),
    stopped: [],
    unreachable: [],
  }

  const limitReached = (cell: Cell, task: Task): BenchmarkRunOutcome['status'] | undefined => {
    if (signal.aborted) return 'aborted'
    const worst = worstCostUsd(cell, task, now())
    if (options.maxCostUsd !== undefined && outcome.costUsd + worst > options.maxCostUsd) return 'out of money'
    return options.maxMinutes !== undefined && now() - startedAt >= options.maxMinutes * 60_000
      ? 'out of time'
      : undefined
  }
  const record = (cell: Cell, result: BenchmarkResult) => {
    store.save(result)
    cell.results.push(result)
    outcome.asked++
    outcome.costUsd = sumUsd([outcome.costUsd, result.costUsd ?? 0])
    outcome.tokens += tokensOf(result)
    const remaining = cells.reduce((sum, { todo }) => sum + todo.length, 0)
    const { asked, resumed, saved, tokens, costUsd } = outcome
    const etaSeconds = ((now() - startedAt) / 1_000 / asked) * remaining
    const { task, passed } = result
    options.onProgress?.({
      candidate: cell.candidate,
      task,
      passed,
      asked,
      resumed,
      saved,
      remaining,
      tokens,
      costUsd,
      etaSeconds,
    })
  }
  const seen = new Set<BenchmarkCandidate>()
  const giveUp = (candidate: BenchmarkCandidate, reason: string) => {
    outcome.unreachable.push({ provider: candidate.provider, model: candidate.model, reason })
    for (const cell of cells) if (cell.candidate === candidate) cell.todo = []
  }

  /** One model's share of a round. `undefined` when it may go on. */
  const measure = async (
    candidate: BenchmarkCandidate,
    round: number,
  ): Promise<BenchmarkRunOutcome['status'] | undefined> => {
    let failures = 0
    for (const cell of cells.filter(({ candidate: of }) => of === candidate)) {
      const goal = stopping === undefined ? Infinity : round * stopping.batch
      while (cell.todo.length > 0 && cell.results.length < goal) {
        const item = cell.todo[0]!
        const limit = limitReached(cell, item.task)
        if (limit !== undefined) return limit
        try {
          await options.turn(signal)
          const cold = candidate.loaded === false && !seen.has(candidate)
          const result = await measureItem(options, cell, item, cold)
          seen.add(candidate)
          cell.todo.shift()
          failures = 0
          record(cell, result)
        } catch (thrown) {
          if (signal.aborted) return 'aborted'
          const failure = asGatewayError(thrown)
          if (failure.code === 'internal') throw thrown
          failures++
          if (failures >= maxConsecutiveFailures) {
            giveUp(candidate, failure.message)
            return undefined
          }
          await pause((failure.retryAfterSeconds ?? 1) * 1_000, signal)
        }
      }
    }
    return undefined
  }

  for (let round = 1; cells.some(({ todo }) => todo.length > 0); round++) {
    for (const candidate of candidates) {
      const limit = await measure(candidate, round)
      if (limit !== undefined) return { ...outcome, status: limit }
    }
    if (stopping === undefined) continue
    for (const cell of cells.filter(({ todo }) => todo.length > 0)) {
      const others = cells.filter(({ suite, candidate }) => suite === cell.suite && candidate !== cell.candidate)
      cell.decision = decideCell(
        countOf(cell.results),
        others.map(({ results }) => countOf(results)),
        stopping,
      )
    }
    // Decided together, then closed: closing one cell must not affect another one in this round.
    for (const cell of cells.filter(({ todo, decision }) => todo.length > 0 && decision !== 'go on')) {
      const { candidate, suite, decision, results } = cell
      outcome.saved += cell.todo.length
      cell.todo = []
      outcome.stopped.push({
        provider: candidate.provider,
        model: candidate.model,
        suite: suite.name,
        decision,
        items: results.length,
      })
    }
  }
  return outcome
}

/** Tasks passed and run; a repeated task counts once, with its mean. */
export function countOf(results: readonly Pick<BenchmarkResult, 'task' | 'passed'>[]): Count {
  const byTask = Map.groupBy(results, ({ task }) => task)
  const passed = [...byTask.values()].reduce(
    (sum, list) => sum + list.filter(result => result.passed).length / list.length,
    0,
  )
  return { passed, total: byTask.size }
}

/** Alternates easy, medium and hard, so that a cell that stops early has seen all of them. */
export function inTurn(tasks: readonly Task[]): Task[] {
  const rows = (['easy', 'medium', 'hard'] as const).map(difficulty =>
    tasks.filter(task => task.difficulty === difficulty),
  )
  return Array.from({ length: Math.max(...rows.map(row => row.length)) }, (_, index) =>
    rows.flatMap(row => row[index] ?? []),
  ).flat()
}

function openCell(
  candidate: BenchmarkCandidate,
  suite: Suite,
  repetitions: number,
  before: readonly BenchmarkResult[],
): Cell {
  const key = candidateKey(candidate)
  const results = before.filter(result => candidateKey(result) === key && result.suite === suite.name)
  const done = new Set(results.map(({ task, repetition }) => `${repetition} ${task}`))
  const availableTokens = maxPromptTokens(candidate, suite)
  const tasks = inTurn(suite.tasks.filter(task => (task.needsTokens ?? 0) <= availableTokens))
  const todo = Array.from({ length: repetitions }, (_, index) => tasks.map(task => ({ task, repetition: index + 1 })))
    .flat()
    .filter(({ task, repetition }) => !done.has(`${repetition} ${task.id}`))
  return { candidate, suite, todo, results, decision: 'go on' }
}

const unknownContextTokens = 8_192

/** Prompt tokens besides a full answer; a context window too small for that reserves half of it for the answer. */
function maxPromptTokens(candidate: BenchmarkCandidate, suite: Suite): number {
  const context = candidate.contextTokens ?? unknownContextTokens
  return Math.max(context - suite.maxOutputTokens, context >> 1)
}

async function measureItem(
  options: BenchmarkOptions,
  cell: Cell,
  item: { task: Task; repetition: number },
  cold: boolean,
): Promise<BenchmarkResult> {
  const { candidate, suite } = cell
  const { task, repetition } = item
  const limit = AbortSignal.timeout(options.itemTimeoutMs)
  const startedAt = options.now()
  let answer: BenchmarkAnswer | undefined
  let problem: string | undefined
  const request = requestFor(candidate, suite, task)
  const predicted = await options.predict?.(candidate, request, options.signal)
  try {
    answer = await options.ask(candidate, request, AbortSignal.any([options.signal, limit]))
  } catch (thrown) {
    options.signal.throwIfAborted()
    const failure = asGatewayError(thrown)
    if (limit.aborted) problem = `no complete answer within ${options.itemTimeoutMs / 1_000} s`
    else if (ownFailures.includes(failure.code)) problem = failure.message
    else throw thrown
  }
  const judged =
    answer === undefined
      ? { passed: false, reason: problem }
      : await task.check(answer.message, options.sandbox, options.signal)
  const { promptTokens = null, completionTokens = null, firstTokenMs = null } = answer ?? {}
  const totalMs = answer?.totalMs ?? options.now() - startedAt
  const writingMs = totalMs - (firstTokenMs ?? 0)
  return {
    run: options.run,
    provider: candidate.provider,
    model: candidate.model,
    digest: candidate.digest ?? null,
    quantization: candidate.quantization ?? null,
    contextTokens: candidate.contextTokens ?? null,
    settings: settingsText(candidate.settings),
    suite: suite.name,
    suiteVersion: suite.version,
    task: task.id,
    difficulty: task.difficulty,
    repetition,
    predicted: predicted ?? null,
    passed: judged.passed,
    reason: judged.reason?.slice(0, 500) ?? null,
    promptTokens,
    completionTokens,
    costUsd:
      answer === undefined ? null : (answer.costUsd ?? priced(candidate, promptTokens, completionTokens, startedAt)),
    // Until the model is in memory the loading is measured.
    firstTokenMs: cold ? null : firstTokenMs,
    totalMs,
    tokensPerSecond: completionTokens === null || writingMs <= 0 ? null : (completionTokens / writingMs) * 1_000,
    loadSeconds: cold && firstTokenMs !== null ? firstTokenMs / 1_000 : null,
    memoryBytes: candidate.memoryBytes ?? null,
    at: options.now(),
  }
}

function requestFor(candidate: BenchmarkCandidate, suite: Suite, task: Task): BenchmarkRequest {
  const { temperature = 0, seed, system } = candidate.settings ?? {}
  const availableTokens = maxPromptTokens(candidate, suite)
  const asked = task.ask({ promptTokens: availableTokens })
  return {
    model: candidate.model,
    ...asked,
    messages: system === undefined ? asked.messages : [{ role: 'system', content: system }, ...asked.messages],
    max_tokens: Math.min(suite.maxOutputTokens, (candidate.contextTokens ?? unknownContextTokens) >> 1),
    temperature,
    ...(seed !== undefined && { seed }),
  }
}

function priced(
  { paid, price }: BenchmarkCandidate,
  promptTokens: number | null,
  completionTokens: number | null,
  at: number,
): number | null {
  const known = price ?? (paid ? undefined : freePrice)
  return expectedCostOf(known, { promptTokens: promptTokens ?? 0, outputTokens: completionTokens ?? 0 }, at) ?? null
}

/** Maximum cost of an item: its text at three characters per token, and a full answer. */
function worstCostUsd({ candidate, suite }: Cell, task: Task, at: number): number {
  if (candidate.price === undefined) return 0
  const letters = JSON.stringify(task.ask({ promptTokens: maxPromptTokens(candidate, suite) })).length
  return priced(candidate, letters / 3, suite.maxOutputTokens, at) ?? 0
}

function tokensOf({ promptTokens, completionTokens }: BenchmarkResult): number {
  return (promptTokens ?? 0) + (completionTokens ?? 0)
}

const longestPauseMs = 60_000

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, Math.min(ms, longestPauseMs))
    signal.addEventListener('abort', end, { once: true })
  })
}
