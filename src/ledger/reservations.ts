import type Database from 'better-sqlite3'
import type { Bucket } from '../accounting/budget.ts'
import { picosOf } from '../accounting/money.ts'

/** The attempt that money is reserved for. */
export interface AttemptKey {
  requestId: string
  ordinal: number
}

export interface ReservationRequest extends AttemptKey {
  buckets: readonly Bucket[]
  /** Picodollars: what the attempt may cost, and the least that it can be called for. */
  most: bigint
  least: bigint
  /** Milliseconds since the epoch. */
  at: number
}

/** What a bucket's spending came to; picodollars. */
export interface BucketState {
  bucket: Bucket
  settled: bigint
  held: bigint
}

export type ReservationResult =
  /** `granted` is held in every bucket; `states` include it. */
  | { granted: bigint; states: BucketState[] }
  /** Nothing is held; the hard budget that has the least left. */
  | { refused: BucketState }

/** The end of an attempt that money was reserved for. */
export interface Settlement extends AttemptKey {
  /** Picodollars. */
  cost: bigint
  /** The provider will say what it was; until then everything stays held. */
  isEstimate: boolean
}

/** A bucket whose spending has reached a share of its limit for the first time. */
export interface ReachedShare {
  budget: string
  subject: string
  share: 80 | 100
  settled: bigint
  limit: bigint
  resetsAt: number | null
}

/** What became of reservations whose process was killed; counts, and picodollars. */
export interface Recovered {
  /** Their attempt is in the ledger. */
  known: number
  /** It is not, so that all that was held counts as spent. */
  assumed: number
  assumedPicos: bigint
}

/** Reserves and settles, each call in one transaction over all buckets. */
export interface Reservations {
  reserve: (request: ReservationRequest) => ReservationResult
  /** Settles and then reserves, in one transaction: a transaction costs more than what is done in it. */
  settleAndReserve: (
    settlements: readonly Settlement[],
    request: ReservationRequest,
  ) => { reached: ReachedShare[]; result: ReservationResult }
  /** Settles attempts; one without a reservation is passed over. Returns the shares that were reached. */
  settle: (settlements: readonly Settlement[]) => ReachedShare[]
  /** The same without a transaction of its own. */
  settleInside: (settlement: Settlement) => ReachedShare[]
  /** Settles an attempt at its estimate, since no bill came. */
  settleEstimate: (attempt: AttemptKey) => ReachedShare[]
  /**
   * Settles whatever a killed process left: at what the ledger says, else at all that was held. Attempts begun since `sinceMs`
   * whose charge is an estimate that their provider can still correct keep what they hold.
   */
  recover: (sinceMs: number) => Recovered
  states: (buckets: readonly Bucket[]) => BucketState[]
}

type BucketKey = [budget: string, subject: string, window: string]

/** Shares of a limit that are told, in per cent. */
const toldShares = [100, 80] as const

export function createReservations(database: Database.Database): Reservations {
  const select = database
    .prepare<BucketKey, { settled: bigint; held: bigint }>(
      'SELECT settled, held FROM budget_windows WHERE budget = ? AND subject = ? AND period_window = ?',
    )
    .safeIntegers()
  // Nothing is inserted for a budget that was deleted meanwhile.
  const hold = database.prepare<[bigint, number | null, number, string, string, string]>(
    `INSERT INTO budget_windows (held, resets_at, touched_at, subject, period_window, budget)
     SELECT ?, ?, ?, ?, ?, name FROM budgets WHERE name = ?
     ON CONFLICT (budget, subject, period_window) DO UPDATE SET held = held + excluded.held, touched_at = excluded.touched_at`,
  )
  const insert = database.prepare<[string, number, bigint, string, number]>(
    'INSERT INTO reservations (request_id, ordinal, held, buckets, reserved_at) VALUES (?, ?, ?, ?, ?)',
  )
  const setEstimate = database.prepare<[bigint, string, number]>(
    'UPDATE reservations SET estimate = ? WHERE request_id = ? AND ordinal = ?',
  )
  const remove = database
    .prepare<[string, number], { held: bigint; estimate: bigint | null; buckets: string }>(
      'DELETE FROM reservations WHERE request_id = ? AND ordinal = ? RETURNING held, estimate, buckets',
    )
    .safeIntegers()
  const spend = database
    .prepare<
      [bigint, bigint, bigint, ...BucketKey],
      { settled: bigint; share_told: bigint; resets_at: bigint | null; limit_picos: bigint }
    >(
      `UPDATE budget_windows SET held = max(0, held - ?), settled = settled + ?, assumed = assumed + ?
       WHERE budget = ? AND subject = ? AND period_window = ?
       RETURNING settled, share_told, resets_at, (SELECT limit_picos FROM budgets WHERE name = budget) AS limit_picos`,
    )
    .safeIntegers()
  const setTold = database.prepare<[number, ...BucketKey]>(
    'UPDATE budget_windows SET share_told = ? WHERE budget = ? AND subject = ? AND period_window = ?',
  )
  const selectLeft = database.prepare<[], Unsettled>(
    `SELECT reservations.request_id AS requestId, reservations.ordinal AS ordinal, attempts.started_at AS startedAt,
       attempts.cost_usd AS costUsd, attempts.energy_usd AS energyUsd,
       attempts.usage_estimated = 1 AND attempts.generation_id IS NOT NULL AS isCorrectable
     FROM reservations LEFT JOIN requests ON requests.id = reservations.request_id
     LEFT JOIN attempts ON request_seq = seq AND attempts.ordinal = reservations.ordinal`,
  )

  const stateOf = (bucket: Bucket): BucketState => ({
    bucket,
    ...(select.get(...keyOf(bucket)) ?? { settled: 0n, held: 0n }),
  })

  function reserveInside(request: ReservationRequest): ReservationResult {
    const { requestId, ordinal, buckets, most, least, at } = request
    const states = buckets.map(stateOf)
    const tightest = tightestOf(states)
    const granted = tightest === undefined ? most : smaller(most, leftIn(tightest))
    if (tightest !== undefined && granted < least) return { refused: tightest }
    for (const { budget, subject, window, resetsAt } of buckets) {
      hold.run(granted, resetsAt, Math.round(at), subject, window, budget.name)
    }
    insert.run(requestId, ordinal, granted, JSON.stringify(buckets.map(keyOf)), Math.round(at))
    return { granted, states: states.map(state => ({ ...state, held: state.held + granted })) }
  }

  /** Moves what an attempt held to what it cost; `cost` is given what was held and what was estimated. */
  function close(
    { requestId, ordinal }: AttemptKey,
    cost: (held: bigint, estimate: bigint | null) => { cost: bigint; assumed: bigint },
  ): ReachedShare[] {
    const row = remove.get(requestId, ordinal)
    if (row === undefined) return []
    const spent = cost(row.held, row.estimate)
    return (JSON.parse(row.buckets) as BucketKey[]).flatMap(key => {
      const window = spend.get(row.held, spent.cost, spent.assumed, ...key)
      if (window === undefined) return []
      const { settled, limit_picos: limit, resets_at } = window
      const share = toldShares.find(each => settled * 100n >= limit * BigInt(each) && limit > 0n)
      if (share === undefined || share <= Number(window.share_told)) return []
      setTold.run(share, ...key)
      const [budget, subject] = key
      return [{ budget, subject, share, settled, limit, resetsAt: resets_at === null ? null : Number(resets_at) }]
    })
  }

  function settleInside({ cost, isEstimate, ...attempt }: Settlement): ReachedShare[] {
    if (!isEstimate) return close(attempt, () => ({ cost, assumed: 0n }))
    setEstimate.run(cost, attempt.requestId, attempt.ordinal)
    return []
  }

  const reserve = database.transaction(reserveInside)
  const settleAndReserve = database.transaction((settlements: readonly Settlement[], request: ReservationRequest) => ({
    reached: settlements.flatMap(settleInside),
    result: reserveInside(request),
  }))
  const settle = database.transaction((settlements: readonly Settlement[]) => settlements.flatMap(settleInside))
  const settleEstimate = database.transaction((attempt: AttemptKey) =>
    close(attempt, (held, estimate) => ({ cost: estimate ?? held, assumed: 0n })),
  )
  const recover = database.transaction((sinceMs: number): Recovered => {
    const recovered: Recovered = { known: 0, assumed: 0, assumedPicos: 0n }
    for (const left of selectLeft.all()) {
      if (left.startedAt === null) {
        recovered.assumed += 1
        close(left, held => {
          recovered.assumedPicos += held
          return { cost: held, assumed: held }
        })
        continue
      }
      recovered.known += 1
      const isEstimate = left.isCorrectable === 1 && left.startedAt >= sinceMs
      settleInside({ ...left, cost: picosOf((left.costUsd ?? 0) - (left.energyUsd ?? 0)), isEstimate })
    }
    return recovered
  })

  return {
    reserve: request => reserve.immediate(request),
    settleAndReserve: (settlements, request) => settleAndReserve.immediate(settlements, request),
    settle: settlements => settle.immediate(settlements),
    settleInside,
    settleEstimate: attempt => settleEstimate.immediate(attempt),
    recover: sinceMs => recover.immediate(sinceMs),
    states: buckets => buckets.map(stateOf),
  }
}

interface Unsettled extends AttemptKey {
  startedAt: number | null
  costUsd: number | null
  energyUsd: number | null
  isCorrectable: 0 | 1 | null
}

/** The hard budget that has the least left; undefined where none is hard. */
export function tightestOf(states: readonly BucketState[]): BucketState | undefined {
  const hard = states.filter(({ bucket }) => bucket.budget.isHard)
  return hard.length === 0 ? undefined : hard.reduce((a, b) => (leftIn(b) < leftIn(a) ? b : a))
}

/** Picodollars that nothing is spent or held of; below zero where more was spent than the limit. */
export function leftIn({ bucket, settled, held }: BucketState): bigint {
  return bucket.budget.limit - settled - held
}

function keyOf({ budget, subject, window }: Bucket): BucketKey {
  return [budget.name, subject, window]
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
