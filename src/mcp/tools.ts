import type { CallToolResult, McpServer, ServerContext, ToolAnnotations } from '@modelcontextprotocol/server'
import { ConfigError } from '../config.ts'
import { asGatewayError } from '../errors.ts'
import { mayCall } from '../operations/access.ts'
import type { Client } from '../operations/client.ts'
import type { Effect, Operation, Principal, Progress } from '../operations/operation.ts'
import type { Monitoring } from './monitoring.ts'

export interface ToolParts {
  operations: readonly Operation<never>[]
  client: Client
  /** The current backends; a tool that needs another is not listed. */
  backends: () => ReadonlySet<string>
  monitoring: Monitoring
}

/**
 * The operations listed as tools: `all`, `core`, or names separated by commas. Throws `ConfigError` naming what is not
 * an operation.
 */
export function selectTools<Context>(
  selection: string,
  operations: readonly Operation<Context>[],
): readonly Operation<Context>[] {
  if (selection === 'all') return operations
  if (selection === 'core') return operations.filter(({ core }) => core === true)
  const names = selection.split(',').map(name => name.trim())
  const unknown = names.find(name => operations.every(operation => operation.name !== name))
  if (unknown !== undefined) throw new ConfigError(`SIGNALBOX_TOOLS: there is no tool named ${unknown || '""'}`)
  return operations.filter(({ name }) => names.includes(name))
}

/**
 * Registers as a tool each operation that the principal may call: all of them where the mount does not authenticate. The
 * returned function lists and hides tools when their backends come or go.
 */
export function registerTools(server: McpServer, parts: ToolParts, principal: Principal | undefined): () => void {
  const { operations, client, backends, monitoring } = parts
  const callable = operations.filter(operation => principal === undefined || mayCall(principal, operation))
  const tools = callable.map(operation => {
    const { name, summary: description, effect, openWorld, input: inputSchema, output: outputSchema } = operation
    const annotations = { ...annotationsOf[effect], openWorldHint: openWorld ?? effect === 'spend' }
    const tool = server.registerTool(
      name,
      { description, inputSchema, outputSchema, annotations },
      async (input: unknown, context: ServerContext) => {
        const result = await callTool(client, { name, input, principal }, context)
        const meta = monitoring.metaFor(operation)
        return meta === undefined ? result : { ...result, _meta: meta }
      },
    )
    return { tool, needs: operation.needs }
  })
  const refresh = () => {
    const present = backends()
    for (const { tool, needs } of tools) {
      const wanted = needs === undefined || present.has(needs)
      if (wanted === tool.enabled) continue
      if (wanted) tool.enable()
      else tool.disable()
    }
  }
  refresh()
  return refresh
}

const annotationsOf: Record<Effect, ToolAnnotations> = {
  read: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  write: { readOnlyHint: false, destructiveHint: false, idempotentHint: true },
  destroy: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  spend: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
}

interface ToolCall {
  name: string
  input: unknown
  principal: Principal | undefined
}

async function callTool(
  client: Client,
  { name, input, principal }: ToolCall,
  context: ServerContext,
): Promise<CallToolResult> {
  const progress = progressSender(context)
  try {
    const output = await client.call(name, input, {
      signal: context.mcpReq.signal,
      progress: progress.send,
      ...(principal !== undefined && { principal }),
    })
    return { content: [{ type: 'text', text: JSON.stringify(output) }], structuredContent: output }
  } catch (thrown) {
    // Structured content would have to match the output schema, which an error never does.
    const { code, message, retryAfterSeconds } = asGatewayError(thrown)
    const retry = retryAfterSeconds === undefined ? '' : ` Try again in ${String(Math.ceil(retryAfterSeconds))} s.`
    return { isError: true, content: [{ type: 'text', text: `${code}: ${message}${retry}` }] }
  } finally {
    await progress.sent()
  }
}

/** Sends progress in order, to clients that requested it, and never after the result. */
function progressSender({ mcpReq }: ServerContext): { send: (progress: Progress) => void; sent: () => Promise<void> } {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return { send: () => undefined, sent: () => Promise.resolve() }
  let sent = Promise.resolve()
  const clientGone = () => undefined
  return {
    send: progress => {
      const params = { ...progress, progressToken }
      sent = sent.then(() => mcpReq.notify({ method: 'notifications/progress', params }).catch(clientGone))
    },
    sent: () => sent,
  }
}
