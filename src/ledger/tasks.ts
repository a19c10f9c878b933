import type Database from 'better-sqlite3'
import { batchRows, deleteInBatches } from './pruner.ts'
import type { FinalState, TaskState } from './task-states.ts'
import { createTaskTotals } from './task-totals.ts'

export { taskStates } from './task-states.ts'

/** A background task. */
export interface TaskRow {
  id: string
  /** The operation that runs it, such as `route_task`. */
  kind: string
  state: TaskState
  /** Milliseconds since the epoch. */
  createdAt: number
  finishedAt: number | null
  askedBy: string
  /** The input; plain data. */
  spec: unknown
  /** The result; plain data, absent until the end. */
  outcome: unknown
}

/** One run of a task. There is a second run only when the process died during the first. */
export interface JobRow {
  id: string
  taskId: string
  kind: string
  /** Of its task. */
  askedBy: string
  state: TaskState
  createdAt: number
  startedAt: number | null
  finishedAt: number | null
  provider: string | null
  /** The model chosen for it; after the answer, the model that answered. */
  model: string | null
  failureCode: string | null
  message: string | null
}

export interface JobFilter {
  kind?: string | undefined
  askedBy?: string | undefined
  state?: TaskState | undefined
  provider?: string | undefined
  model?: string | undefined
  taskId?: string | undefined
  /** A substring of the task's text. */
  text?: string | undefined
  /** Only queued or running ones. */
  unfinished?: boolean | undefined
}

export interface Page {
  limit: number
  offset: number
}

export type JobEnding = { state: FinalState; outcome: unknown; failureCode?: string; message?: string }

/** The tasks of the ledger. A final state never changes: every update says from which states it may start. */
export interface TaskStore {
  add: (
    task: Omit<TaskRow, 'state' | 'finishedAt' | 'outcome'>,
    job: { id: string; provider: string; model: string },
  ) => void
  /** Ends an interrupted run and starts another of the same task in one transaction: no task is ever left without one. */
  rerun: (jobId: string, at: number, message: string, nextJobId: string) => void
  /** False when the job is no longer queued. */
  start: (jobId: string, startedAt: number) => boolean
  assign: (jobId: string, provider: string, model: string) => void
  /** Ends a job and its task with it. False when the job had already ended. */
  finish: (jobId: string, at: number, ending: JobEnding) => boolean
  task: (id: string) => TaskRow | undefined
  job: (id: string) => JobRow | undefined
  jobsOf: (taskId: string) => JobRow[]
  /** The newest tasks first, by the state, provider and model of their last job. */
  tasks: (filter: JobFilter, page: Page) => { tasks: TaskRow[]; total: number }
  /** The oldest unfinished first, then the newest of the rest. */
  jobs: (filter: JobFilter, page: Page) => { jobs: JobRow[]; total: number }
  /** Number of tasks in each state: those submitted by `askedBy`, or all. */
  counts: (askedBy?: string) => Record<TaskState, number>
  /** Milliseconds that the last completed jobs of a kind took on a provider; undefined when there are none. */
  typicalMs: (kind: string, provider: string) => number | undefined
  /** Deletes finished tasks created before `beforeMs`; returns their number. */
  prune: (beforeMs: number, signal?: AbortSignal) => Promise<number>
}

const jobColumns = `
  jobs.id AS id, tasks.id AS taskId, tasks.kind AS kind, tasks.asked_by AS askedBy, jobs.state AS state,
  jobs.created_at AS createdAt, jobs.started_at AS startedAt, jobs.finished_at AS finishedAt,
  jobs.provider AS provider, jobs.model AS model, jobs.failure_code AS failureCode, jobs.message AS message`
const taskColumns = `
  tasks.id AS id, tasks.kind AS kind, tasks.state AS state, tasks.created_at AS createdAt,
  tasks.finished_at AS finishedAt, tasks.asked_by AS askedBy, tasks.spec AS spec, tasks.outcome AS outcome`
// A task's last job is the current one.
const lastJob = 'jobs.seq = (SELECT max(seq) FROM jobs WHERE task_seq = tasks.seq)'
const filters = `
  (@kind IS NULL OR tasks.kind = @kind) AND (@askedBy IS NULL OR tasks.asked_by = @askedBy) AND (@state IS NULL OR jobs.state = @state)
  AND (@provider IS NULL OR jobs.provider = @provider)
  AND (@model IS NULL OR jobs.model = @model) AND (@taskId IS NULL OR tasks.id = @taskId)
  AND (@text IS NULL OR instr(lower(tasks.spec), lower(@text)) > 0)
  AND (@unfinished = 0 OR jobs.finished_at IS NULL)`

export function createTaskStore(database: Database.Database): TaskStore {
  const insertTask = database.prepare(
    `INSERT INTO tasks (id, kind, state, created_at, asked_by, spec) VALUES (@id, @kind, 'queued', @createdAt, @askedBy, @spec)`,
  )
  const insertJob = database.prepare<[string, number, string | null, string | null, string]>(
    `INSERT INTO jobs (id, task_seq, state, created_at, provider, model)
     SELECT ?, seq, 'queued', ?, ?, ? FROM tasks WHERE id = ?`,
  )
  const startJob = database.prepare<[number, string]>(
    `UPDATE jobs SET state = 'in_progress', started_at = ? WHERE id = ? AND state = 'queued'`,
  )
  const finishJob = database.prepare(
    `UPDATE jobs SET state = @state, finished_at = @at, failure_code = @failureCode, message = @message
     WHERE id = @jobId AND finished_at IS NULL`,
  )
  const setTask = database.prepare(
    `UPDATE tasks SET state = @state, finished_at = @finishedAt, outcome = @outcome
     WHERE seq = (SELECT task_seq FROM jobs WHERE id = @jobId) AND finished_at IS NULL`,
  )
  const assignJob = database.prepare<[string, string, string]>('UPDATE jobs SET provider = ?, model = ? WHERE id = ?')
  const selectTask = database.prepare<[string], StoredTask>(`SELECT ${taskColumns} FROM tasks WHERE id = ?`)
  const fromJobs = 'FROM jobs JOIN tasks ON tasks.seq = jobs.task_seq'
  const selectJob = database.prepare<[string], JobRow>(`SELECT ${jobColumns} ${fromJobs} WHERE jobs.id = ?`)
  const selectJobsOf = database.prepare<[string], JobRow>(
    `SELECT ${jobColumns} ${fromJobs} WHERE tasks.id = ? ORDER BY jobs.seq`,
  )
  const tasksMatching = `${fromJobs} WHERE ${lastJob} AND ${filters}`
  const selectTasks = database.prepare<[object], StoredTask>(
    `SELECT ${taskColumns} ${tasksMatching} ORDER BY tasks.seq DESC LIMIT @limit OFFSET @offset`,
  )
  const countTasks = database.prepare<[object], number>(`SELECT count(*) ${tasksMatching}`).pluck()
  const jobsMatching = `${fromJobs} WHERE ${filters}`
  const selectJobs = database.prepare<[object], JobRow>(
    `SELECT ${jobColumns} ${jobsMatching}
     ORDER BY jobs.finished_at IS NOT NULL, CASE WHEN jobs.finished_at IS NULL THEN jobs.seq ELSE -jobs.seq END
     LIMIT @limit OFFSET @offset`,
  )
  const countJobs = database.prepare<[object], number>(`SELECT count(*) ${jobsMatching}`).pluck()
  const deleteBefore = database.prepare<[number]>(
    `DELETE FROM tasks WHERE seq IN (
       SELECT seq FROM tasks WHERE finished_at IS NOT NULL AND created_at < ? ORDER BY created_at LIMIT ${batchRows}
     )`,
  )
  const totals = createTaskTotals(database)
  const finish = database.transaction((jobId: string, at: number, ending: JobEnding) => {
    const { state, outcome, failureCode = null, message = null } = ending
    if (finishJob.run({ jobId, at, state, failureCode, message }).changes === 0) return false
    setTask.run({ jobId, state, finishedAt: at, outcome: outcome === undefined ? null : JSON.stringify(outcome) })
    return true
  })

  return {
    add: database.transaction(({ spec, ...task }, { id, provider, model }) => {
      insertTask.run({ ...task, spec: JSON.stringify(spec) })
      insertJob.run(id, task.createdAt, provider, model, task.id)
    }) as TaskStore['add'],
    rerun: database.transaction((jobId: string, at: number, message: string, nextJobId: string) => {
      const before = selectJob.get(jobId)
      finishJob.run({ jobId, at, state: 'failed', failureCode: 'shutting_down', message })
      insertJob.run(nextJobId, at, before?.provider ?? null, before?.model ?? null, before?.taskId ?? '')
      setTask.run({ jobId: nextJobId, state: 'queued', finishedAt: null, outcome: null })
    }),
    start: database.transaction((jobId: string, startedAt: number) => {
      if (startJob.run(startedAt, jobId).changes === 0) return false
      setTask.run({ jobId, state: 'in_progress', finishedAt: null, outcome: null })
      return true
    }),
    assign: (jobId, provider, model) => {
      assignJob.run(provider, model, jobId)
    },
    finish(jobId, at, ending) {
      if (!finish(jobId, at, ending)) return false
      totals.ended(selectJob.get(jobId)!)
      return true
    },
    task: id => read(selectTask.get(id)),
    job: id => selectJob.get(id),
    jobsOf: taskId => selectJobsOf.all(taskId),
    tasks: (filter, page) => {
      const parameters = parametersOf(filter)
      const rows = selectTasks.all({ ...parameters, ...page })
      return { tasks: rows.map(row => read(row)), total: countTasks.get(parameters) ?? 0 }
    },
    jobs: (filter, page) => {
      const parameters = parametersOf(filter)
      return { jobs: selectJobs.all({ ...parameters, ...page }), total: countJobs.get(parameters) ?? 0 }
    },
    counts: totals.counts,
    typicalMs: totals.typicalMs,
    prune: (beforeMs, signal) =>
      deleteInBatches(() => {
        const { changes } = deleteBefore.run(beforeMs)
        totals.pruned()
        return changes
      }, signal),
  }
}

type StoredTask = Omit<TaskRow, 'spec' | 'outcome'> & { spec: string; outcome: string | null }

function read(row: StoredTask): TaskRow
function read(row: StoredTask | undefined): TaskRow | undefined
function read(row: StoredTask | undefined): TaskRow | undefined {
  if (row === undefined) return undefined
  return {
    ...row,
    spec: JSON.parse(row.spec) as unknown,
    outcome: row.outcome === null ? undefined : (JSON.parse(row.outcome) as unknown),
  }
}

function parametersOf({ kind, askedBy, state, provider, model, taskId, text, unfinished }: JobFilter) {
  return {
    kind: kind ?? null,
    askedBy: askedBy ?? null,
    state: state ?? null,
    provider: provider ?? null,
    model: model ?? null,
    taskId: taskId ?? null,
    text: text ?? null,
    unfinished: unfinished === true ? 1 : 0,
  }
}
