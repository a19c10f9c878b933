import path from 'node:path'
import type { Test } from 'tap'
import type { RequestRecord } from '../../src/ledger/record.ts'
import { openLedger, type Ledger, type LedgerParts } from '../../src/ledger/ledger.ts'
import { noUsage } from '../../src/wire/usage.ts'

/** Noon of a day in the past: the tests' default clock. */
export const noon = Date.parse('2026-03-15T12:00:00Z')

/** A ledger on a real file in the test's own folder; closed when the test ends. */
export function openTestLedger(t: Test, parts: Partial<LedgerParts> = {}): Ledger & { file: string } {
  const file = parts.file ?? path.join(t.testdir(), 'ledger.sqlite')
  const ledger = openLedger({ now: () => noon, ...parts, file })
  t.teardown(() => ledger.close().catch(() => undefined))
  return { ...ledger, file }
}

/** A request answered by one model. */
export function recordOf(id: string, changes: Partial<RequestRecord> = {}): RequestRecord {
  const usage = { ...noUsage, inputTokens: 10, outputTokens: 5 }
  return {
    id,
    createdAt: noon,
    endpoint: 'chat',
    requestedModel: 'auto',
    provider: 'ollama',
    model: 'ollama/qwen3:8b',
    upstreamModel: 'qwen3:8b',
    tier: 'local',
    outcome: 'ok',
    status: 200,
    stream: false,
    usage,
    costUsd: 0,
    ttftMs: 80,
    durationMs: 400,
    attempts: [
      {
        provider: 'ollama',
        model: 'ollama/qwen3:8b',
        startedAt: noon + 1,
        outcome: 'ok',
        status: 200,
        ttftMs: 80,
        durationMs: 399,
        usage,
        costUsd: 0,
      },
    ],
    ...changes,
  }
}

/** Collects what a ledger logs. */
export function collectedLog() {
  const lines: { facts: Record<string, unknown>; message: string }[] = []
  const error = (facts: Record<string, unknown>, message: string) => void lines.push({ facts, message })
  return { lines, log: { error } as NonNullable<LedgerParts['log']> }
}
