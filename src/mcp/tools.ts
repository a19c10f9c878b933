import {
  ProtocolError,
  ProtocolErrorCode,
  type CallToolResult,
  type McpServer,
  type ServerContext,
  type Tool,
  type ToolAnnotations,
} from '@modelcontextprotocol/server'
import { asGatewayError } from '../errors.ts'
import { asString } from '../json.ts'
import { mayCall } from '../operations/access.ts'
import type { Client } from '../operations/client.ts'
import type { Effect, Operation, Principal } from '../operations/operation.ts'
import type { Monitoring } from './monitoring.ts'
import { cardMeta } from './cards.ts'
import { portableSchema } from './portable-schema.ts'
import { progressSender } from './progress.ts'
import { followedTask } from './routed-tasks.ts'
import { createdTask, followsTasks } from './task-extension.ts'
import { failedResult, toolResult } from './tool-result.ts'

export interface ToolParts {
  operations: readonly Operation<never>[]
  client: Client
  /** The current backends; a tool that needs another is not listed. */
  backends: () => ReadonlySet<string>
  monitoring: Monitoring
  /** Who makes the calls of this process, where another process authenticates them. */
  caller?: () => Principal | undefined
}

/** The tools that operations are listed as, by name and in their order. */
export function toolsOf(operations: readonly Operation<never>[]): ReadonlyMap<string, Tool> {
  return new Map(operations.map(operation => [operation.name, toolOf(operation)]))
}

/**
 * Lists as a tool each operation that the principal may call – all of them where nobody authenticates – and whose backend is
 * there, and calls it. `tools` are the operations' definitions by name, as `toolsOf` makes them.
 */
export function registerTools(
  server: McpServer,
  parts: ToolParts & { tools: () => ReadonlyMap<string, Tool> },
  principal: Principal | undefined,
): void {
  const { operations, tools, client, backends, monitoring, caller } = parts
  const shown = () => {
    const present = backends()
    const asker = principal ?? caller?.()
    return operations.filter(
      operation =>
        (operation.needs === undefined || present.has(operation.needs)) &&
        (asker === undefined || mayCall(asker, operation)),
    )
  }
  // Set here rather than with `registerTool`, which accepts only one kind of answer and converts every schema for every list.
  server.server.setRequestHandler('tools/list', () => ({
    tools: shown().flatMap(({ name }) => tools().get(name) ?? []),
  }))
  server.server.setRequestHandler('tools/call', async ({ params }, context) => {
    const operation = shown().find(({ name }) => name === params.name)
    if (operation === undefined) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Tool ${params.name} not found`)
    }
    const result = await callTool(client, { operation, input: params.arguments, principal }, context)
    const meta = monitoring.metaFor(operation)
    return meta === undefined ? result : { ...result, _meta: meta }
  })
}

function toolOf({ name, summary, effect, openWorld, input, output, card }: Operation<never>): Tool {
  return {
    name,
    description: summary,
    // An object's schema has this type.
    inputSchema: portableSchema(input, 'input') as Tool['inputSchema'],
    outputSchema: portableSchema(output, 'output'),
    annotations: { ...annotationsOf[effect], openWorldHint: openWorld ?? effect === 'spend' },
    ...(card !== undefined && { _meta: cardMeta(card) }),
  }
}

const annotationsOf: Record<Effect, ToolAnnotations> = {
  read: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  write: { readOnlyHint: false, destructiveHint: false, idempotentHint: true },
  destroy: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  spend: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
}

interface ToolCall {
  operation: Operation<never>
  input: unknown
  principal: Principal | undefined
}

async function callTool(
  client: Client,
  { operation, input, principal }: ToolCall,
  context: ServerContext,
): Promise<CallToolResult> {
  const progress = progressSender(context)
  try {
    const output = await client.call(operation.name, input, {
      signal: context.mcpReq.signal,
      progress: progress.send,
      traceParent: asString(context.mcpReq._meta?.['traceparent']),
      ...(principal !== undefined && { principal }),
    })
    if (operation.startsTask === true && followsTasks(context)) return createdTask(followedTask(output))
    return toolResult(output)
  } catch (thrown) {
    return failedResult(asGatewayError(thrown))
  } finally {
    await progress.end()
  }
}
