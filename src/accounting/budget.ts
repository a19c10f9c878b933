import { calendarPeriods, type Calendar } from './calendar.ts'
import { usdOf } from './money.ts'

/** What a budget limits the spending of. */
export const budgetScopes = ['total', 'key', 'tag', 'session', 'model', 'provider'] as const
export type BudgetScope = (typeof budgetScopes)[number]

/** After what it begins anew: a period of the calendar, a task, or never. */
export const budgetPeriods = [...calendarPeriods, 'task', 'forever'] as const
export type BudgetPeriod = (typeof budgetPeriods)[number]

export interface Budget {
  name: string
  scope: BudgetScope
  /** The key, tag, session, model or provider that it is for; null: each has the limit for itself. */
  subject: string | null
  /** Picodollars. */
  limit: bigint
  period: BudgetPeriod
  /** A hard limit is never passed; a soft one warns. */
  isHard: boolean
}

/** On whose account a request spends. */
export interface Spender {
  /** Name of the API key. */
  key: string | undefined
  tags: readonly string[]
  session: string | undefined
  task: string | undefined
}

/** Where an attempt spends. */
export interface SpendingPlace {
  /** `<provider>/<name>`. */
  model: string
  provider: string
}

/** The part of a budget that one attempt spends from: what one subject may spend in one period. */
export interface Bucket {
  budget: Budget
  /** Empty for a budget of the total. */
  subject: string
  window: string
  /** Milliseconds since the epoch; null where it never begins anew. */
  resetsAt: number | null
}

/** As much of a name as is stored. */
const subjectChars = 200

/** Every bucket that an attempt of `spender` at `place` spends from. */
export function bucketsOf(
  budgets: readonly Budget[],
  spender: Spender,
  place: SpendingPlace,
  { calendar, now }: { calendar: Calendar; now: number },
): Bucket[] {
  return budgets.flatMap(budget => {
    const window = windowOf(budget.period, spender, calendar, now)
    return window === undefined
      ? []
      : subjectsOf(budget, spender, place).map(subject => ({ budget, subject, ...window }))
  })
}

/** Whether a budget concerns a spender, whatever model is called. */
export function concerns(budget: Budget, spender: Spender): boolean {
  if (budget.period === 'task' && spender.task === undefined) return false
  if (budget.scope === 'model' || budget.scope === 'provider') return true
  return subjectsOf(budget, spender, { model: '', provider: '' }).length > 0
}

function windowOf(
  period: BudgetPeriod,
  { task }: Spender,
  calendar: Calendar,
  now: number,
): Pick<Bucket, 'window' | 'resetsAt'> | undefined {
  if (period === 'forever') return { window: '', resetsAt: null }
  if (period === 'task') return task === undefined ? undefined : { window: task.slice(0, subjectChars), resetsAt: null }
  const { label, end } = calendar.windowOf(period, now)
  return { window: label, resetsAt: end }
}

function subjectsOf({ scope, subject }: Budget, spender: Spender, place: SpendingPlace): string[] {
  if (scope === 'total') return ['']
  const found = (
    scope === 'tag' ? spender.tags : [scope === 'key' || scope === 'session' ? spender[scope] : place[scope]]
  ).flatMap(each => each?.slice(0, subjectChars) ?? [])
  return subject === null ? [...new Set(found)] : found.includes(subject) ? [subject] : []
}

/** A budget that limits a call, and what is left of it; picodollars. */
export interface BudgetLeft extends Pick<Bucket, 'budget' | 'subject' | 'resetsAt'> {
  left: bigint
  /** What calls in progress hold; some of it will be left again. */
  held: bigint
}

/** Why a call that may cost `needed` picodollars is not paid for. */
export function shortageText({ budget, subject, left, held }: BudgetLeft, needed: bigint): string {
  const reserved = held > 0n ? `, and ${usdText(held)} reserved by requests in progress` : ''
  return `may cost up to ${usdText(needed)}; ${budgetText({ budget, subject })} has ${usdText(left)} left${reserved}`
}

/** `the budget 'team' ($10.00 per month)`, for messages. */
export function budgetText({ budget, subject }: Pick<Bucket, 'budget' | 'subject'>): string {
  const { name, limit, period, subject: only } = budget
  const whose = only === null && subject !== '' ? ` of '${subject}'` : ''
  return `the budget '${name}'${whose} (${usdText(limit)}${period === 'forever' ? '' : ` per ${period}`})`
}

/** Two decimals, and for less than a cent two digits. */
function usdText(picos: bigint): string {
  const usd = usdOf(picos > 0n ? picos : 0n)
  return `$${usd === 0 || usd >= 0.01 ? usd.toFixed(2) : usd.toPrecision(2)}`
}
