import type Database from 'better-sqlite3'
import { taskStates, type TaskState } from './task-states.ts'

/**
 * Totals over all tasks. They are requested at every change, so finished tasks are counted once and the count is
 * updated: counting thousands of rows each time would make every task slower than the one before. Only the process that
 * owns the data directory changes tasks, so no other process can invalidate these figures.
 */
export interface TaskTotals {
  counts: () => Record<TaskState, number>
  /** Milliseconds that a kind's last completed jobs took on a provider; undefined without any. */
  typicalMs: (kind: string, provider: string) => number | undefined
  /** A job has ended, and its task with it. */
  ended: (job: EndedJob) => void
  /** Finished tasks were deleted. */
  pruned: () => void
}

export interface EndedJob {
  state: TaskState
  kind: string
  provider: string | null
  startedAt: number | null
  finishedAt: number | null
}

/** Number of recent jobs used to predict the duration of the next. */
const typicalOf = 20

export function createTaskTotals(database: Database.Database): TaskTotals {
  const countStates = (condition: string) =>
    database.prepare<[], { state: TaskState; count: number }>(
      `SELECT state, count(*) AS count FROM tasks WHERE ${condition} GROUP BY state`,
    )
  const unfinished = countStates('finished_at IS NULL')
  const finished = countStates('finished_at IS NOT NULL')
  const selectDurations = database
    .prepare<[string, string], number>(
      `SELECT jobs.finished_at - jobs.started_at FROM jobs JOIN tasks ON tasks.seq = jobs.task_seq
       WHERE tasks.kind = ? AND jobs.provider = ? AND jobs.state = 'completed' AND jobs.started_at IS NOT NULL
       ORDER BY jobs.seq DESC LIMIT ${typicalOf}`,
    )
    .pluck()
  let ended: Map<TaskState, number> | undefined
  const durations = new Map<string, number[]>()

  const readEnded = () => (ended ??= new Map(finished.all().map(({ state, count }) => [state, count])))
  const durationsOf = (kind: string, provider: string) => {
    const key = `${kind} ${provider}`
    let found = durations.get(key)
    if (found === undefined) {
      found = selectDurations.all(kind, provider).toReversed()
      durations.set(key, found)
    }
    return found
  }

  return {
    counts() {
      const counted = new Map([...readEnded(), ...unfinished.all().map(({ state, count }) => [state, count] as const)])
      return Object.fromEntries(taskStates.map(state => [state, counted.get(state) ?? 0])) as Record<TaskState, number>
    },
    typicalMs(kind, provider) {
      const known = durationsOf(kind, provider)
      return known.length === 0 ? undefined : known.reduce((sum, ms) => sum + ms, 0) / known.length
    },
    ended({ state, kind, provider, startedAt, finishedAt }) {
      ended?.set(state, (ended.get(state) ?? 0) + 1)
      if (state !== 'completed' || provider === null || startedAt === null || finishedAt === null) return
      const known = durations.get(`${kind} ${provider}`)
      known?.push(finishedAt - startedAt)
      if ((known?.length ?? 0) > typicalOf) known?.shift()
    },
    pruned() {
      ended = undefined
    },
  }
}
