import { setImmediate } from 'node:timers/promises'
import type { Logger } from 'pino'
import { createUsdSum, sumUsd, type UsdSum } from '../accounting/money.ts'
import { reportedCostOf } from '../accounting/pricing.ts'
import { GatewayError } from '../errors.ts'
import type { Hub, SignalboxEvent } from '../events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { AttemptPlace, BilledAttempt } from '../ledger/reconciliations.ts'
import type { Provider } from '../providers/provider.ts'
import type { CredentialOf } from './credentials.ts'

/** Compares the ledger with what providers say they billed. */
export interface Reconciliation {
  /** Checks every provider that can be asked, or the one called `provider`; asks for at most `maxBills` single bills. */
  check: (options: { provider?: string | undefined; maxBills: number }, signal: AbortSignal) => Promise<Reconciled[]>
  /** Ends a check that is under way. */
  close: () => Promise<void>
}

/** The comparison of one provider; money in USD, times in milliseconds since the epoch. */
export interface Reconciled {
  provider: string
  from: number
  until: number
  recordedUsd: number
  /** Undefined at the first check: there is nothing yet to subtract from what was billed in all. */
  billedUsd: number | undefined
  driftUsd: number | undefined
  /** Estimates that were replaced by what was billed. */
  corrected: number
  models: ReconciledModel[]
  /** The calls behind the difference. */
  rows: ReconciledRow[]
}

export interface ReconciledModel {
  model: string
  attempts: number
  recordedUsd: number
  /** Of the attempts, those whose own bill was asked for. */
  checkedAttempts: number
  driftUsd: number
}

export interface ReconciledRow extends Pick<BilledAttempt, 'requestId' | 'ordinal' | 'model' | 'startedAt'> {
  recordedUsd: number | null
  /** Undefined where the provider does not know the call, or has no id of it. */
  billedUsd: number | undefined
  reason: 'billed_otherwise' | 'unknown_cost' | 'estimated' | 'no_id'
}

export interface ReconciliationParts {
  ledger: Pick<Ledger, 'reconciliations' | 'correct' | 'flush'>
  providers: () => readonly Provider[]
  /** What a caller's key uses at a provider instead of the operator's: its calls are on another bill. */
  credentialOf: CredentialOf
  events: Pick<Hub<SignalboxEvent>, 'emit'>
  /** Milliseconds since the epoch. */
  now: () => number
  log: Pick<Logger, 'warn'>
  /** Whether to check every night. */
  nightly: () => boolean
}

const dayMs = 86_400_000
/** Half past three at night, UTC: the day before is billed by then. */
const nightMs = 3.5 * 3_600_000
const nightlyBills = 200
const attemptsAtOnce = 250
const maxRows = 100
/** Providers round; a smaller difference is none. */
const toleranceUsd = 0.000_01

export function startReconciliation(parts: ReconciliationParts): Reconciliation {
  const { providers, now, log, nightly } = parts
  const closing = new AbortController()
  let underWay: Promise<unknown> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  function checkTonight(): void {
    const untilNight = (nightMs - (now() % dayMs) + dayMs) % dayMs
    timer = setTimeout(
      () => {
        checkTonight()
        if (nightly()) void check({ maxBills: nightlyBills }, closing.signal).catch(warn)
      },
      Math.max(1_000, untilNight),
    ).unref()
  }

  function warn(err: unknown): void {
    if (!closing.signal.aborted) log.warn({ err }, 'cannot compare the ledger with what providers billed')
  }

  const check: Reconciliation['check'] = ({ provider: name, maxBills }, signal) => {
    const asked = providers().filter(each => each.account !== undefined && (name === undefined || each.name === name))
    if (asked.length === 0) {
      const which = name === undefined ? 'No server can' : `${name} cannot`
      throw new GatewayError('unsupported', `${which} be asked what it billed; OpenRouter can.`)
    }
    const all = AbortSignal.any([signal, closing.signal])
    // One after the other: two checks at once would both correct the same estimates.
    const result = underWay.then(async () => {
      const found: Reconciled[] = []
      for (const provider of asked) found.push(await reconcile(parts, provider, maxBills, all))
      return found
    })
    underWay = result.catch(() => undefined)
    return result
  }

  checkTonight()
  return {
    check: async (options, signal) => check(options, signal),
    async close() {
      clearTimeout(timer)
      closing.abort()
      await underWay
    },
  }
}

interface ModelSums {
  attempts: number
  checked: number
  recorded: UsdSum
  drift: UsdSum
}

async function reconcile(
  { ledger, credentialOf, events, now, log }: ReconciliationParts,
  provider: Provider,
  maxBills: number,
  signal: AbortSignal,
): Promise<Reconciled> {
  await ledger.flush()
  const until = now()
  const account = await provider.account!(signal)
  const before = ledger.reconciliations.checkpoint(provider.name)
  const range = { fromMs: before?.at ?? until - dayMs, toMs: until }
  const models = new Map<string, ModelSums>()
  const rows: ReconciledRow[] = []
  let bills = 0
  let corrected = 0

  async function compare(attempt: BilledAttempt): Promise<void> {
    const sums = models.get(attempt.model) ?? {
      attempts: 0,
      checked: 0,
      recorded: createUsdSum(),
      drift: createUsdSum(),
    }
    models.set(attempt.model, sums)
    const recordedUsd = attempt.costUsd === null ? null : sumUsd([attempt.costUsd, -attempt.energyUsd])
    sums.attempts++
    let kept = recordedUsd
    const isKnown = recordedUsd !== null && attempt.estimated === 0
    if (attempt.generationId === null) {
      if (!isKnown) note(attempt, recordedUsd, undefined, recordedUsd === null ? 'unknown_cost' : 'no_id')
    } else if (bills < maxBills) {
      bills++
      const bill = await provider.billOf?.(attempt.generationId, { signal, credential: undefined })
      const billedUsd = bill && reportedCostOf(bill)
      if (billedUsd !== undefined) {
        sums.checked++
        if (attempt.estimated === 1 && (await ledger.correct(attempt, bill!))) {
          corrected++
          kept = billedUsd
        } else if (billedUsd !== recordedUsd) {
          sums.drift.add(billedUsd - (recordedUsd ?? 0))
          note(attempt, recordedUsd, billedUsd, 'billed_otherwise')
        }
      } else if (!isKnown) note(attempt, recordedUsd, undefined, recordedUsd === null ? 'unknown_cost' : 'estimated')
    }
    if (kept !== null) sums.recorded.add(kept)
  }
  function note(
    { requestId, ordinal, model, startedAt }: BilledAttempt,
    recordedUsd: number | null,
    billedUsd: number | undefined,
    reason: ReconciledRow['reason'],
  ): void {
    if (rows.length < maxRows) rows.push({ requestId, ordinal, model, startedAt, recordedUsd, billedUsd, reason })
  }

  let place: AttemptPlace | undefined
  do {
    const page = ledger.reconciliations.attempts(provider.name, range, attemptsAtOnce, place)
    for (const attempt of page.attempts) {
      if (credentialOf(attempt.keyId, provider.name) === undefined) await compare(attempt)
    }
    place = page.last
    signal.throwIfAborted()
    await setImmediate()
  } while (place !== undefined)

  const recordedUsd = sumUsd([...models.values()].map(({ recorded }) => recorded.total()))
  const billedUsd = before && sumUsd([account.billedUsd, account.byokUsd, -before.billedUsd, -before.byokUsd])
  const driftUsd = billedUsd === undefined ? undefined : sumUsd([billedUsd, -recordedUsd])
  ledger.reconciliations.saveCheckpoint(provider.name, { at: until, ...account })
  if (driftUsd !== undefined && Math.abs(driftUsd) > toleranceUsd) {
    const { fromMs: from } = range
    log.warn(
      { provider: provider.name, recordedUsd, billedUsd, driftUsd },
      'the provider billed another total than was recorded',
    )
    events.emit({
      type: 'reconciliation.drift',
      provider: provider.name,
      from,
      until,
      recordedUsd,
      billedUsd: billedUsd!,
    })
  }
  return {
    provider: provider.name,
    from: range.fromMs,
    until,
    recordedUsd,
    billedUsd,
    driftUsd,
    corrected,
    models: [...models].map(([model, { attempts, checked, recorded, drift }]) => ({
      model,
      attempts,
      recordedUsd: recorded.total(),
      checkedAttempts: checked,
      driftUsd: drift.total(),
    })),
    rows,
  }
}
