import { randomUUID } from 'node:crypto'
import {
  acceptedContent,
  inputRequired,
  McpServer,
  type CallToolResult,
  type InputRequiredResult,
  type McpServerFactory,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import {
  createdTask,
  followsTasks,
  registerTaskExtension,
  requireTasks,
  type FollowedTask,
} from '../../src/mcp/task-extension.ts'

type Input = Record<string, unknown>
type Answered = CallToolResult | InputRequiredResult

/** The tools that the public conformance suite follows tasks with. Its tasks live as long as the factory. */
export function taskFixtureServer(): McpServerFactory {
  const tasks = openTasks()
  const tools: Record<string, (input: Input, context: ServerContext) => Answered | Promise<Answered>> = {
    greet: ({ name }) => text(`Hello, ${String(name)}!`),
    slow_compute: async ({ seconds }, context) => {
      const task = tasks.start(Number(seconds) * 1000, () => ({ result: text('Computed.') }))
      return followsTasks(context) ? createdTask(task) : await tasks.ended(task.taskId)
    },
    failing_job: (_, context) => {
      requireTasks(context)
      return createdTask(tasks.start(1000, () => ({ result: { ...text('It failed.'), isError: true } })))
    },
    protocol_error_job: (_, context) => {
      requireTasks(context)
      return createdTask(tasks.start(100, () => ({ error: { code: -32_603, message: 'It broke.' } })))
    },
    confirm_delete: (_, context) => {
      requireTasks(context)
      return createdTask(tasks.ask(['confirm'], text('Deleted.')))
    },
    multi_input: (_, context) => {
      requireTasks(context)
      return createdTask(tasks.ask(['first', 'second'], text('Both came.')))
    },
    test_tool_with_task: (_, context) => {
      requireTasks(context)
      const answer = acceptedContent(context.mcpReq.inputResponses, 'user_name', z.object({ name: z.string() }))
      if (answer === undefined) return inputRequired({ inputRequests: { user_name: elicit('What is your name?') } })
      return createdTask(tasks.start(100, () => ({ result: text(`Hello, ${answer.name}!`) })))
    },
  }
  return () => {
    const server = new McpServer({ name: 'tasks', version: '1.0.0' }, { capabilities: { tools: {} } })
    server.server.setRequestHandler('tools/list', () => ({
      tools: Object.keys(tools).map(name => ({ name, inputSchema: { type: 'object' } })),
    }))
    server.server.setRequestHandler('tools/call', async ({ params }, context) => {
      return await tools[params.name]!(params.arguments ?? {}, context)
    })
    registerTaskExtension(server, {
      get: taskId => Promise.resolve(tasks.get(taskId)),
      cancel: taskId => Promise.resolve(tasks.cancel(taskId)),
      answer: (taskId, answers) => tasks.answer(taskId, answers),
    })
    return server
  }
}

type Outcome = Pick<FollowedTask, 'result' | 'error'>

function openTasks() {
  const tasks = new Map<string, FollowedTask>()
  const waiting = new Map<string, { keys: Set<string>; result: CallToolResult }>()

  function add(task: Partial<FollowedTask>): FollowedTask {
    const at = new Date().toISOString()
    const base = { taskId: randomUUID(), status: 'working', createdAt: at, lastUpdatedAt: at } as const
    const made: FollowedTask = { ...base, ttlMs: 60_000, pollIntervalMs: 100, ...task }
    tasks.set(made.taskId, made)
    return made
  }
  function finish(taskId: string, outcome: Outcome): void {
    const task = tasks.get(taskId)!
    if (task.status !== 'working') return
    const status = outcome.error === undefined ? 'completed' : 'failed'
    tasks.set(taskId, { ...task, status, lastUpdatedAt: new Date().toISOString(), ...outcome })
  }

  return {
    get: (taskId: string) => tasks.get(taskId),
    start(ms: number, outcome: () => Outcome): FollowedTask {
      const task = add({})
      setTimeout(() => {
        finish(task.taskId, outcome())
      }, ms).unref()
      return task
    },
    ask(keys: string[], result: CallToolResult): FollowedTask {
      const inputRequests = Object.fromEntries(keys.map(key => [key, elicit('Sure?')]))
      const task = add({ status: 'input_required', inputRequests })
      waiting.set(task.taskId, { keys: new Set(keys), result })
      return task
    },
    answer(taskId: string, answers: Record<string, unknown>): void {
      const asked = waiting.get(taskId)
      const { inputRequests, ...task } = tasks.get(taskId)!
      if (asked === undefined || task.status !== 'input_required') return
      for (const key of Object.keys(answers)) asked.keys.delete(key)
      const left = Object.entries(inputRequests ?? {}).filter(([key]) => asked.keys.has(key))
      if (left.length > 0) {
        tasks.set(taskId, { ...task, inputRequests: Object.fromEntries(left) })
        return
      }
      tasks.set(taskId, { ...task, status: 'working' })
      finish(taskId, { result: asked.result })
    },
    cancel(taskId: string): boolean {
      const task = tasks.get(taskId)
      if (task?.status === 'working' || task?.status === 'input_required') {
        const { inputRequests: _, ...rest } = task
        tasks.set(taskId, { ...rest, status: 'cancelled' })
      }
      return task !== undefined
    },
    async ended(taskId: string): Promise<CallToolResult> {
      while (tasks.get(taskId)?.status === 'working') await new Promise(resolve => setTimeout(resolve, 20))
      return tasks.get(taskId)?.result ?? text('Nothing.')
    },
  }
}

function text(said: string): CallToolResult {
  return { content: [{ type: 'text', text: said }] }
}

function elicit(message: string) {
  return inputRequired.elicit({ message, requestedSchema: z.object({ name: z.string() }) })
}
