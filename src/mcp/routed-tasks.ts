import type { CallToolResult, ServerContext } from '@modelcontextprotocol/server'
import { asGatewayError } from '../errors.ts'
import type { Client } from '../operations/client.ts'
import type { Principal } from '../operations/operation.ts'
import { TaskStatus } from '../operations/task-view.ts'
import type { FollowedTask, TaskSource } from './task-extension.ts'
import { failedResult, toolResult } from './tool-result.ts'

const pollIntervalMs = 1_000

/** The tasks of `route_task` for clients that follow tasks. */
export function routedTasks(client: Client, principal: Principal | undefined): TaskSource {
  /** Undefined for a task that does not exist for the caller. */
  const call = async (name: string, taskId: string, { mcpReq: { signal } }: ServerContext) => {
    try {
      return await client.call(name, { task_id: taskId }, { signal, ...(principal !== undefined && { principal }) })
    } catch (thrown) {
      const error = asGatewayError(thrown)
      if (error.code === 'not_found') return undefined
      throw error
    }
  }
  return {
    async get(taskId, context) {
      const found = await call('get_task_status', taskId, context)
      return found && followedTask(found)
    },
    cancel: async (taskId, context) => (await call('cancel_task', taskId, context)) !== undefined,
  }
}

/** A `TaskStatus` as the tasks extension has it. `failed` is for errors of the protocol, so a failure of the model is a result. */
export function followedTask(output: Record<string, unknown>): FollowedTask {
  const status = TaskStatus.parse(output)
  const { task_id, created_at, started_at, finished_at, progress_message, queue_position } = status
  const waiting = queue_position > 0 ? `queued, position ${String(queue_position)}` : undefined
  const message = progress_message ?? status.error?.message ?? waiting
  const done = resultOf(status, output)
  return {
    taskId: task_id,
    status: done !== undefined ? 'completed' : status.status === 'cancelled' ? 'cancelled' : 'working',
    ...(message !== undefined && { statusMessage: message }),
    createdAt: created_at,
    lastUpdatedAt: finished_at ?? started_at ?? created_at,
    ttlMs: null,
    pollIntervalMs,
    ...(done !== undefined && { result: done }),
  }
}

function resultOf(status: TaskStatus, output: Record<string, unknown>): CallToolResult | undefined {
  if (status.status === 'completed') return toolResult(output)
  return status.error === null ? undefined : failedResult(status.error)
}
