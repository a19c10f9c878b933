import {
  CLIENT_CAPABILITIES_META_KEY,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type CallToolResult,
  type ClientCapabilities,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'

/** The tasks extension of revision 2026-07-28 (SEP-2663): a call may answer with a task, which the client then follows. */
export const tasksExtension = 'io.modelcontextprotocol/tasks'

/** A task as clients see it. */
export interface FollowedTask {
  taskId: string
  status: 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled'
  statusMessage?: string
  /** ISO 8601. */
  createdAt: string
  /** ISO 8601. */
  lastUpdatedAt: string
  /** Milliseconds from its creation; null: it is kept. */
  ttlMs: number | null
  pollIntervalMs: number
  /** What the call would have answered; only of a completed task, failures of the tool included. */
  result?: CallToolResult
  /** A JSON-RPC error; only of a failed task. */
  error?: { code: number; message: string }
  /** What the task asks of the client; only while input is required. */
  inputRequests?: Record<string, unknown>
}

/** Where the tasks are. Each function returns undefined or false for a task that does not exist for the caller. */
export interface TaskSource {
  get: (taskId: string, context: ServerContext) => Promise<FollowedTask | undefined>
  cancel: (taskId: string, context: ServerContext) => Promise<boolean>
  /** Takes a client's answers. Left out where no task asks for any. */
  answer?: (taskId: string, answers: Record<string, unknown>) => void
}

/** Whether the client of a request can follow tasks; it says so with each. */
export function followsTasks({ mcpReq }: ServerContext): boolean {
  const envelope: { [CLIENT_CAPABILITIES_META_KEY]?: ClientCapabilities } | undefined = mcpReq.envelope
  return envelope?.[CLIENT_CAPABILITIES_META_KEY]?.extensions?.[tasksExtension] !== undefined
}

/** Throws the error for a client that cannot follow tasks. */
export function requireTasks(context: ServerContext): void {
  if (followsTasks(context)) return
  throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [tasksExtension]: {} } } })
}

/** The answer to a call that has become a task. */
export function createdTask(task: FollowedTask): CallToolResult {
  const { taskId, status, statusMessage, createdAt, lastUpdatedAt, ttlMs, pollIntervalMs } = task
  const created = { taskId, status, createdAt, lastUpdatedAt, ttlMs, pollIntervalMs }
  return { resultType: 'task', ...created, ...(statusMessage !== undefined && { statusMessage }), content: [] }
}

const OneTask = z.looseObject({ taskId: z.string() })

/** Serves `tasks/get`, `tasks/update` and `tasks/cancel` to clients of revision 2026-07-28. */
export function registerTaskExtension(server: McpServer, source: TaskSource): void {
  const find = async (taskId: string, context: ServerContext): Promise<FollowedTask> => {
    requireTasks(context)
    const task = await source.get(taskId, context)
    if (task === undefined) throw noSuchTask(taskId)
    return task
  }
  server.server.registerCapabilities({ extensions: { [tasksExtension]: {} } })
  server.server.setRequestHandler('tasks/get', { params: OneTask }, async ({ taskId }, context) => ({
    ...(await find(taskId, context)),
  }))
  server.server.setRequestHandler('tasks/update', { params: OneTask }, async ({ taskId }, context) => {
    await find(taskId, context)
    // The SDK takes them out of the parameters.
    source.answer?.(taskId, context.mcpReq.inputResponses ?? {})
    return {}
  })
  server.server.setRequestHandler('tasks/cancel', { params: OneTask }, async ({ taskId }, context) => {
    requireTasks(context)
    if (!(await source.cancel(taskId, context))) throw noSuchTask(taskId)
    return {}
  })
}

function noSuchTask(taskId: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown task: ${taskId}.`)
}
