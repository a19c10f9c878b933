import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
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
import { renderReport, type Row } from './rows.ts'

const usage =
  'usage: npm run replay -- [--policy FILE]... [--data DIR] [--days N] [--svg FILE] [--json]   (a policy: {"name": "strict", "QUALITY_THRESHOLD": 0.8, "priority": "cost"})'

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

/** Models for which the table says what always taking them would have done. */
const maxSingles = 8

const { data, days, svg, json, policies } = readArguments()
const file = path.join(data, 'ledger.db')
if (existsSync(file)) await replay()
else {
  console.error(`skipped: there are no stored decisions at ${file}`)
  report([])
}

async function replay(): Promise<void> {
  const ledger = openLedger({ file, now: Date.now })
  try {
    const range = { fromMs: Date.now() - days * 86_400_000, toMs: Date.now() + 1 }
    const singles = await commonest(ledger.decisions(range))
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
    report(replays.map(each => each.result()))
  } finally {
    await ledger.close()
  }
}

function report(results: readonly ReplayResult[]): void {
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
    console.error(`the frontier is in ${svg}`)
  }
  process.stdout.write(json ? `${renderReport(results.flatMap(rowsOf), true)}\n` : tableOf(results))
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

/** One policy a line. */
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
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map(line => line[column]!.length)))
  return [head, ...lines]
    .map(line => line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join('  '))
    .map(line => `${line}\n`)
    .join('')
}

/** The models that were in question most often. */
async function commonest(stored: AsyncIterable<{ decision: unknown }>): Promise<string[]> {
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

/** Decisions stored by versions that kept no standings cannot be taken again. */
function canBeReplayed(decision: unknown): decision is DecisionRecord {
  return typeof decision === 'object' && decision !== null && 'candidates' in decision && 'criteria' in decision
}

function readPolicy(name: string): ReplayPolicy {
  const parsed = PolicyFile.safeParse(JSON.parse(readFileSync(name, 'utf8')))
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new Error(`${name}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not valid'}`)
}

function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        policy: { type: 'string', multiple: true, default: [] },
        data: { type: 'string', default: './data' },
        days: { type: 'string', default: '30' },
        svg: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    })
    const days = Number(values.days)
    if (!(days > 0)) throw new Error(`--days must be a number above 0, not '${values.days}'.`)
    return { ...values, days, policies: values.policy.map(readPolicy) }
  } catch (error) {
    console.error(`${(error as Error).message} ${usage}`)
    return process.exit(2)
  }
}
