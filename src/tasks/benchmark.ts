import { z } from 'zod'
import { leaderboard, type LeaderboardRow } from '../bench/leaderboard.ts'
import { strategyNameOf } from '../bench/render.ts'
import { openResults, type BenchmarkCandidate, type ResultStore } from '../bench/results.ts'
import { runBenchmark, type BenchmarkAnswer, type BenchmarkRequest, type BenchmarkProgress } from '../bench/runner.ts'
import type { Sandbox } from '../bench/sandbox/sandbox.ts'
import { isSecondWallWhole } from '../bench/sandbox/walls.ts'
import { suites as ownSuites } from '../bench/suites/index.ts'
import { prompt, text, verdict, type Suite } from '../bench/suites/suite.ts'
import { GatewayError } from '../errors.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Inventory } from '../gateway/inventory.ts'
import type { Call } from '../gateway/call.ts'
import type { Slots } from '../gateway/slots.ts'
import type { PromptingStrategy } from '../ledger/agent-notes.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Model } from '../providers/provider.ts'
import { createCompletionFold } from '../wire/chat/chunks.ts'
import { ChatRequest } from '../wire/chat/schema.ts'
import { addressed, settingsOf } from './prompting.ts'
import type { TaskHandler } from './task-handler.ts'

/** What to measure: built-in suites, or the caller's texts, whose answers are not judged. */
export const BenchmarkSpec = z.object({
  models: z.array(z.string()).min(1),
  categories: z.array(z.string()).optional(),
  tasks: z.array(z.object({ task_id: z.string(), task: z.string(), output_tokens: z.int() })).optional(),
  repetitions: z.int(),
  /** Models measured in parallel. */
  parallel: z.int(),
  save: z.boolean(),
})
export type BenchmarkSpec = z.output<typeof BenchmarkSpec>

export const BenchmarkOutcome = z.object({
  judged: z.boolean().describe('false: time and cost were measured, but the answers were not judged.'),
  models: z.array(
    z.object({
      model: z.string(),
      strategy: z.string().nullable().describe('The prompting strategy; null for the default.'),
      items: z.int(),
      quality: z.number().nullable().describe('Share of tasks passed: the mean over the categories.'),
      quality_low: z.number().nullable().describe('95 % interval.'),
      quality_high: z.number().nullable(),
      tokens_per_second: z.number().nullable(),
      cost_usd_per_task: z.number().nullable(),
      first_token_ms: z.number().nullable().describe('Median over the shortest prompts.'),
      load_seconds: z.number().nullable(),
      categories: z.record(
        z.string(),
        z.object({ passed: z.number(), tasks: z.int(), low: z.number(), high: z.number() }),
      ),
    }),
  ),
  unreachable: z.array(z.object({ model: z.string(), reason: z.string() })),
})
export type BenchmarkOutcome = z.output<typeof BenchmarkOutcome>

export interface BenchmarkParts {
  gateway: Gateway
  inventory: Inventory
  ledger: Ledger
  /** Where results are kept. */
  results: () => ResultStore
  sandbox: () => Sandbox
  slotsOf: (provider: string) => Slots
  /** Whether no task of people's waits for a provider or runs on it, and a promise of that. */
  isIdle: (provider: string) => boolean
  untilIdle: (provider: string, signal: AbortSignal) => Promise<void>
  itemTimeoutMs: () => number
  /** A prompting strategy set for the model; it is measured in addition to the default. */
  strategyOf: (model: string) => PromptingStrategy | undefined
  /** Called when a model has been measured, or the run stopped. */
  onMeasured: () => void
  now: () => number
  newRequestId: () => string
}

/** No user can be asked here, so other people's models' code runs only behind a complete second sandbox layer. */
async function refuseForeignCode(models: readonly Model[], sandbox: Sandbox): Promise<void> {
  const foreign = models.filter(({ tier }) => tier !== 'local')
  if (foreign.length === 0 || isSecondWallWhole(await sandbox.walls())) return
  throw new GatewayError(
    'unsupported',
    `This system cannot isolate the code that ${foreign.map(({ id }) => id).join(', ')} would write from the network. Benchmark it with signalbox benchmark --trust-model-code.`,
  )
}

/** The names of our suites, which are the categories of tasks. */
export const benchmarkCategories = ownSuites.map(({ name }) => name)

/** Measures models at low priority. */
export function benchmarkHandler(parts: BenchmarkParts): TaskHandler {
  const { inventory, results, sandbox, itemTimeoutMs, strategyOf, onMeasured, now } = parts

  return {
    lowPriority: true,
    async run(input, job) {
      const spec = BenchmarkSpec.parse(input)
      const models = spec.models.map(id => findModel(inventory, id))
      const judged = spec.tasks === undefined
      if (judged) await refuseForeignCode(models, sandbox())
      // Unjudged answers must not count as evidence.
      const store = judged && spec.save ? results() : openResults(':memory:')
      const suites = spec.tasks === undefined ? chosenSuites(spec.categories) : [suiteOf(spec.tasks)]
      const measured = spread(models, spec.parallel).map(async line => {
        const outcomes = []
        for (const model of line) {
          job.started(model.provider, model.id)
          const run = `${job.taskId} ${model.id}`
          store.begin({ id: run, plan: run, at: Math.round(now()) })
          const strategy = judged ? strategyOf(model.id) : undefined
          const standard = candidateOf(model)
          const outcome = await runBenchmark({
            run,
            candidates: [
              standard,
              ...(strategy === undefined ? [] : [{ ...standard, settings: settingsOf(strategy) }]),
            ],
            suites,
            ask: (candidate, request, signal) =>
              ask(parts, {
                askedBy: job.askedBy,
                model,
                request,
                strategy: candidate === standard ? undefined : strategy,
                signal,
              }),
            predict: (_candidate, request) => Promise.resolve(predicted(parts.gateway, model, request)),
            store,
            sandbox: sandbox(),
            repetitions: spec.repetitions,
            itemTimeoutMs: itemTimeoutMs(),
            turn: signal => untilSlotIsFree(parts, model.provider, signal),
            signal: job.signal,
            now,
            onProgress: progress => {
              job.progressed(progressOf(model, progress))
            },
          }).finally(onMeasured)
          job.signal.throwIfAborted()
          store.finish(run, Math.round(now()))
          outcomes.push({ rows: leaderboard(store.results(run)), unreachable: outcome.unreachable })
        }
        return outcomes
      })
      const outcomes = (await Promise.all(measured)).flat()
      return {
        judged,
        models: outcomes.flatMap(({ rows }) => rows.map(row => summary(row, judged))),
        unreachable: outcomes.flatMap(({ unreachable }) =>
          unreachable.map(({ provider, model, reason }) => ({ model: `${provider}/${model}`, reason })),
        ),
      } satisfies BenchmarkOutcome
    },
  }
}

/** One measured model for display. */
export function summary(leader: LeaderboardRow, judged = true): BenchmarkOutcome['models'][number] {
  const { provider, model, quality, categories } = leader
  return {
    model: `${provider}/${model}`,
    strategy: strategyNameOf(leader) ?? null,
    items: leader.items,
    quality: judged ? quality.value : null,
    quality_low: judged ? quality.low : null,
    quality_high: judged ? quality.high : null,
    tokens_per_second: leader.tokensPerSecond,
    cost_usd_per_task: leader.costUsdPerTask,
    first_token_ms: leader.firstToken[0]?.medianMs ?? null,
    load_seconds: leader.loadSeconds,
    categories: Object.fromEntries(
      (judged ? categories : []).map(({ category, passed, tasks, low, high }) => [
        category,
        { passed, tasks, low, high },
      ]),
    ),
  }
}

function findModel(inventory: Inventory, id: string): Model {
  const model = inventory.models().find(model => model.id === id)
  if (model === undefined) throw new GatewayError('model_not_found', `Model '${id}' is no longer available.`)
  return model
}

function chosenSuites(categories: readonly string[] | undefined): readonly Suite[] {
  return categories === undefined ? ownSuites : ownSuites.filter(({ name }) => categories.includes(name))
}

/** The caller's texts as a suite that accepts any answer. */
function suiteOf(tasks: NonNullable<BenchmarkSpec['tasks']>): Suite {
  return {
    name: 'unjudged',
    title: 'Tasks of the caller',
    version: 1,
    maxOutputTokens: Math.max(...tasks.map(({ output_tokens }) => output_tokens)),
    tasks: tasks.map(({ task_id, task }) => ({
      id: `unjudged/${task_id}`,
      difficulty: 'medium',
      ask: prompt(task),
      check: ({ content }) => verdict(content ? undefined : 'no answer'),
      reference: text('Anything.'),
      wrong: { content: null },
    })),
  }
}

function candidateOf(model: Model): BenchmarkCandidate {
  const { provider, name, digest, quantization, contextTokens, free, price, loaded, sizeBytes } = model
  return {
    provider,
    model: name,
    ...(digest !== undefined && { digest }),
    ...(quantization !== undefined && { quantization: quantization }),
    ...(contextTokens !== undefined && { contextTokens }),
    paid: !free,
    ...(price !== undefined && { price }),
    settings: {},
    ...(loaded !== undefined && { loaded }),
    ...(sizeBytes !== undefined && { memoryBytes: sizeBytes }),
  }
}

/** Splits the models into this many groups, as evenly as possible. */
function spread(models: readonly Model[], lines: number): Model[][] {
  return Array.from({ length: Math.min(lines, models.length) }, (_, line) =>
    models.filter((_model, index) => index % lines === line),
  )
}

function predicted(gateway: Gateway, { id }: Model, asked: BenchmarkRequest): number | undefined {
  const decision = gateway.preview(ChatRequest.parse({ ...asked, model: id }))
  return decision.candidates.find(({ model }) => model === id)?.quality
}

/** Waits for a free slot that no other request wants. It is released at once; the item then takes it within its own time. */
async function untilSlotIsFree(
  { slotsOf, isIdle, untilIdle }: BenchmarkParts,
  provider: string,
  signal: AbortSignal,
): Promise<void> {
  do {
    await untilIdle(provider, signal)
    const release = await slotsOf(provider).acquire(signal, { priority: 'low' })
    release()
    // While it waited for the slot, tasks may have come.
  } while (!isIdle(provider))
}

interface BenchmarkItem {
  askedBy: string
  model: Model
  request: BenchmarkRequest
  strategy: PromptingStrategy | undefined
  signal: AbortSignal
}

/** Runs one item through the gateway, so that it gets its ledger record and its slot like any request. */
async function ask(
  { gateway, ledger, now, newRequestId }: BenchmarkParts,
  { askedBy, model, request: item, strategy, signal }: BenchmarkItem,
): Promise<BenchmarkAnswer> {
  const requestId = newRequestId()
  let startedAt = now()
  // Each item is a conversation of its own: the same task put again is no sign that its first answer was bad.
  const options = { session: requestId }
  const call: Call = {
    requestId,
    endpoint: 'benchmark',
    keyId: askedBy,
    signal,
    receivedAt: startedAt,
    options,
    priority: 'low',
    onSlot: () => {
      startedAt = now()
    },
  }
  const request = addressed(ChatRequest.parse({ ...item, model: model.id, stream: true }), strategy)
  const { reply } = await gateway.chat(call, request)
  const firstTokenMs = now() - startedAt
  const fold = createCompletionFold()
  if (reply.kind === 'stream') {
    for await (const part of reply.parts) fold.addPart(part)
  }
  const totalMs = now() - startedAt
  const completion = reply.kind === 'stream' ? fold.completion() : reply.completion
  const row = (await ledger.request(requestId))?.request
  const { content, tool_calls: calls } = completion.choices[0]?.message ?? { content: null }
  return {
    message: {
      content: typeof content === 'string' ? content : null,
      ...(calls !== undefined && { tool_calls: calls }),
    },
    ...(row !== undefined && {
      promptTokens: row.input_tokens + row.cache_read_tokens + row.cache_write_tokens,
      completionTokens: row.output_tokens,
    }),
    ...(row?.cost_usd != null && { costUsd: row.cost_usd }),
    ...(reply.kind === 'stream' && { firstTokenMs }),
    totalMs,
  }
}

function progressOf(model: Model, { asked, resumed, saved, remaining }: BenchmarkProgress) {
  const done = asked + resumed + saved
  return { share: done / Math.max(1, done + remaining), message: `${model.id}: ${done} of ${done + remaining} tasks` }
}
