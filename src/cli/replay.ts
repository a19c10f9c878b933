import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import { z } from 'zod'
import { openLedger } from '../ledger/ledger.ts'
import { upperHull } from '../router/hull.ts'
import { defaultPolicy } from '../router/policy.ts'
import type { DecisionRecord } from '../router/record.ts'
import { frontierSvg } from '../router/replay/frontier-svg.ts'
import { outcomesOf } from '../router/replay/outcomes.ts'
import {
  always,
  asItWas,
  createReplay,
  decideAgain,
  type ReplayPolicy,
  type ReplayResult,
} from '../router/replay/replay.ts'
import { dataDirOf } from '../start.ts'
import { readConfig } from './installation.ts'
import { positive } from './numbers.ts'
import { renderReport, type Row } from './rows.ts'
import { renderTable } from './table.ts'

const share = z.number().min(0).max(1)
const amount = z.number().min(0)
const PolicyFile = z
  .strictObject({
    name: z.string().optional(),
    priority: z.enum(['cost', 'quality', 'speed']).optional(),
    min_quality: share.optional(),
    max_cost: amount.optional(),
    local_only: z.boolean().optional(),
    QUALITY_THRESHOLD: share.optional(),
    TOKEN_THRESHOLD: amount.optional(),
    COST_THRESHOLD: amount.optional(),
    OPENROUTER_FREE_ONLY: z.boolean().optional(),
    DEFAULT_LOCAL_MODEL: z.string().optional(),
  })
  .transform((file): ReplayPolicy => ({
    name: file.name ?? 'policy',
    ...defined({
      priority: file.priority,
      minQuality: file.min_quality,
      maxCostUsd: file.max_cost,
      localOnly: file.local_only,
      qualityThreshold: file.QUALITY_THRESHOLD,
      tokenThreshold: file.TOKEN_THRESHOLD,
      costThresholdUsd: file.COST_THRESHOLD,
      freeOnly: file.OPENROUTER_FREE_ONLY,
      defaultLocalModel: file.DEFAULT_LOCAL_MODEL,
    }),
  }))

/** Maximum models that get an "always this model" line. */
const maxSingles = 8

interface ReplayOptions {
  policy?: ReplayPolicy[]
  days: number
  dataDir?: string
  svg?: string
  json?: boolean
}

export function define(command: Command): void {
  command
    .description('Replay your recorded requests under another policy and compare it with "always model X".')
    .option('--policy <file>', 'a policy to compare, as JSON (repeatable)', addPolicy)
    .option('--days <number>', 'replay the requests of this many days', positive, 30)
    .option('--data-dir <folder>', 'folder of the ledger (DATA_DIR)')
    .option('--svg <file>', 'write the cost and quality frontier to this file')
    .option('--json', 'print rows of figures as JSON')
    .addHelpText(
      'after',
      `
Costs, ratings and checks are real where recorded and predicted elsewhere; the table counts both.
A policy file has any of: name, priority (cost, quality, speed), min_quality, max_cost, local_only,
QUALITY_THRESHOLD, TOKEN_THRESHOLD, COST_THRESHOLD, OPENROUTER_FREE_ONLY, DEFAULT_LOCAL_MODEL.

Example:
  echo '{"name": "strict", "QUALITY_THRESHOLD": 0.8}' > strict.json
  signalbox replay --policy strict.json`,
    )
    .action(run)
}

async function run(options: ReplayOptions): Promise<void> {
  const file = path.join(options.dataDir ?? dataDirOf(readConfig(process.env)), 'ledger.db')
  if (existsSync(file)) {
    report(await replay(file, options), options)
    return
  }
  process.stderr.write(`skipped: no stored decisions in ${file}\n`)
  report([], options)
}

async function replay(file: string, { days, policy: policies = [] }: ReplayOptions): Promise<ReplayResult[]> {
  const ledger = openLedger({ file, now: Date.now })
  try {
    const range = { fromMs: Date.now() - days * 86_400_000, toMs: Date.now() + 1 }
    const singles = await mostFrequent(ledger.decisions(range))
    const replays = [
      createReplay('as decided', asItWas),
      ...policies.map(policy =>
        createReplay(policy.name ?? 'policy', record => decideAgain(record, defaultPolicy, policy)),
      ),
      ...singles.map(model => createReplay(`always ${model}`, always(model))),
    ]
    for await (const { request, decision, rating } of ledger.decisions(range)) {
      if (!canBeReplayed(decision)) continue
      const outcomes = outcomesOf(decision, request.model, rating)
      for (const each of replays) {
        each.add({ decision, model: request.model, costUsd: request.cost_usd, outcomes })
      }
    }
    return replays.map(each => each.result())
  } finally {
    await ledger.close()
  }
}

function report(results: readonly ReplayResult[], { svg, json }: ReplayOptions): void {
  if (svg !== undefined) {
    const singles = results.filter(({ name, unserved }) => name.startsWith('always ') && unserved === 0)
    const hull = upperHull(singles.map(({ costUsd, quality }) => ({ cost: costUsd, quality })))
    writeFileSync(
      svg,
      frontierSvg(
        results.filter(({ requests, unserved }) => requests > unserved),
        hull,
      ),
    )
    process.stderr.write(`Wrote the frontier to ${svg}.\n`)
  }
  process.stdout.write(json === true ? `${renderReport(results.flatMap(rowsOf), true)}\n` : tableOf(results))
}

function rowsOf(result: ReplayResult): Row[] {
  const { name, requests, unserved, costUsd, charged, quality, rated, checked, predicted, seconds } = result
  return [
    { name: `${name} cost`, value: costUsd, unit: `USD, ${charged} of ${requests - unserved} as charged` },
    {
      name: `${name} quality`,
      value: quality,
      unit: `mean of ${rated} rated, ${checked} checked, ${predicted} predicted`,
    },
    { name: `${name} seconds`, value: seconds, unit: 's mean' },
    { name: `${name} unserved`, value: unserved, unit: `of ${requests} requests` },
  ]
}

/** One line per policy. */
function tableOf(results: readonly ReplayResult[]): string {
  const head = ['policy', 'USD', 'as charged', 'quality', 'rated', 'checked', 'predicted', 'seconds', 'unserved']
  const lines = results.map(result => [
    result.name,
    result.costUsd.toFixed(4),
    `${result.charged}`,
    result.quality.toFixed(3),
    `${result.rated}`,
    `${result.checked}`,
    `${result.predicted}`,
    result.seconds.toFixed(1),
    `${result.unserved} of ${result.requests}`,
  ])
  return renderTable([head, ...lines])
}

/** The models that were candidates most often. */
async function mostFrequent(stored: AsyncIterable<{ decision: unknown }>): Promise<string[]> {
  const counts = new Map<string, number>()
  for await (const { decision } of stored) {
    if (!canBeReplayed(decision)) continue
    for (const { model } of decision.candidates) counts.set(model, (counts.get(model) ?? 0) + 1)
  }
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, maxSingles)
    .map(([model]) => model)
}

/** Decisions stored by old versions, without their candidates, cannot be replayed. */
function canBeReplayed(decision: unknown): decision is DecisionRecord {
  return typeof decision === 'object' && decision !== null && 'candidates' in decision && 'criteria' in decision
}

function addPolicy(file: string, earlier: readonly ReplayPolicy[] = []): ReplayPolicy[] {
  return [...earlier, readPolicy(file)]
}

function readPolicy(file: string): ReplayPolicy {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
  const parsed = PolicyFile.safeParse(content)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new InvalidArgumentError([issue?.path.join('.'), issue?.message].filter(Boolean).join(': '))
}

function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
