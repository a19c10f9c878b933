import type Database from 'better-sqlite3'
import { taskStates, type TaskState } from './task-states.ts'

/**
 * Totals over all tasks. They are requested at every change, so finished tasks are counted once and the count is
 * updated: counting thousands of rows each time would make every task slower than the one before. Only the process that
 * owns the data directory changes tasks, so no other process can invalidate these figures.
 */
export interface TaskTotals {
  /** Number of tasks in each state: those submitted by `askedBy`, or all. */
  counts: (askedBy?: string) => Record<TaskState, number>
  /** Milliseconds that a kind's last completed jobs took on a provider; undefined without any. */
  typicalMs: (kind: string, provider: string) => number | undefined
  /** A job has ended, and its task with it. */
  ended: (job: EndedJob) => void
  /** Finished tasks were deleted. */
  pruned: () => void
}

export interface EndedJob {
  askedBy: string
  state: TaskState
  kind: string
  provider: string | null
  startedAt: number | null
  finishedAt: number | null
}

interface StateCount {
  askedBy: string
  state: TaskState
  count: number
}

/** Number of recent jobs used to predict the duration of the next. */
const typicalOf = 20

export function createTaskTotals(database: Database.Database): TaskTotals {
  const countStates = (condition: string) =>
    database.prepare<[], StateCount>(
      `SELECT asked_by AS askedBy, state, count(*) AS count FROM tasks WHERE ${condition} GROUP BY asked_by, state`,
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
  let ended: StateCount[] | undefined
  const durations = new Map<string, number[]>()

  const readEnded = () => (ended ??= finished.all())
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
    counts(askedBy) {
      const counted = [...readEnded(), ...unfinished.all()].filter(
        each => askedBy === undefined || each.askedBy === askedBy,
      )
      const sum = (state: TaskState) =>
        counted.reduce((total, each) => total + (each.state === state ? each.count : 0), 0)
      return Object.fromEntries(taskStates.map(state => [state, sum(state)])) as Record<TaskState, number>
    },
    typicalMs(kind, provider) {
      const known = durationsOf(kind, provider)
      return known.length === 0 ? undefined : known.reduce((sum, ms) => sum + ms, 0) / known.length
    },
    ended({ askedBy, state, kind, provider, startedAt, finishedAt }) {
      const known = ended?.find(each => each.askedBy === askedBy && each.state === state)
      if (known === undefined) ended?.push({ askedBy, state, count: 1 })
      else known.count += 1
      if (state !== 'completed' || provider === null || startedAt === null || finishedAt === null) return
      const last = durations.get(`${kind} ${provider}`)
      last?.push(finishedAt - startedAt)
      if ((last?.length ?? 0) > typicalOf) last?.shift()
    },
    pruned() {
      ended = undefined
    },
  }
}
