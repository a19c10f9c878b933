import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { GatewayError } from '../errors.ts'
import { createHub, type SignalboxEvent } from '../events.ts'
import { openAccounting } from '../gateway/accounting.ts'
import { readInstance } from '../instance.ts'
import { openLedger } from '../ledger/ledger.ts'
import type { ApiKeyContext } from '../operations/api-key-view.ts'
import type { BudgetContext } from '../operations/budget-view.ts'
import { inProcessClient, typedCall, type TypedCall } from '../operations/client.ts'
import { ConnectionLost, httpClient } from '../operations/http-client.ts'
import type { Operation } from '../operations/operation.ts'
import { createLog, dataDirOf } from '../start.ts'
import { readConfig } from './installation.ts'

/** What the operations that work on the ledger alone need. */
type Offline = ApiKeyContext & BudgetContext

/**
 * Runs `work` with the operations of the Signalbox that runs on this data directory, or, where none runs, with `offline` ones on
 * its ledger. Throws what the operations throw.
 */
export async function withOperations<Result>(
  dataDir: string | undefined,
  offline: readonly Operation<Offline>[],
  work: (call: TypedCall) => Promise<Result>,
): Promise<Result> {
  const config = readConfig(process.env)
  const folder = dataDir === undefined ? dataDirOf(config) : path.resolve(dataDir)
  const instance = readInstance(folder)
  if (instance !== undefined) {
    try {
      return await work(typedCall(httpClient(instance)))
    } catch (error) {
      if (!isGone(error)) throw error
    }
  }
  const ledger = openLedger({ file: path.join(folder, 'ledger.db'), now: Date.now })
  try {
    const log = createLog('error')
    const events = createHub<SignalboxEvent>(log)
    const accounting = openAccounting({
      ledger,
      settings: config.values,
      environment: () => config.environment,
      events,
      randomBytes,
      now: Date.now,
      log,
    })
    await accounting.load()
    return await work(typedCall(inProcessClient(offline, { accounting, ledger, now: Date.now })))
  } finally {
    await ledger.close()
  }
}

/** Whether the instance has crashed, so that its announcement is all that is left of it. */
function isGone(error: unknown): boolean {
  return error instanceof GatewayError && error.cause instanceof ConnectionLost && !error.cause.begun
}
