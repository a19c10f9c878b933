import {
  McpServer,
  type McpServerFactory,
  type ServerEvent,
  type ServerEventBus,
  type Tool,
} from '@modelcontextprotocol/server'
import { principalOf } from './auth-info.ts'
import { appsExtension, registerCards } from './cards.ts'
import { registerPrompts, type Skill } from './prompts.ts'
import { registerResources, type ResourceParts } from './resources.ts'
import { routedTasks } from './routed-tasks.ts'
import { registerTaskExtension } from './task-extension.ts'
import { registerTools, toolsOf, type ToolParts } from './tools.ts'

export interface McpParts extends ToolParts, ResourceParts {
  version: string
  skills: readonly Skill[]
  /** What clients may subscribe to; notified when backends come or go and when a resource changes. */
  bus: ServerEventBus
}

const instructions =
  'Signalbox runs tasks on local models first and on paid ones when they are worth it. Hand a self-contained task to ' +
  'route_task, go on working, and collect the result with get_task_status (wait_seconds waits for it). ' +
  'preemptive_route_task and get_cost_estimate predict which model would run it and what it would cost.'

const minuteMs = 60_000

/**
 * How long clients may keep what they read. What a caller may see depends on their key; the rest is the same for all and changes
 * with the version only. Clients that listen hear of changes before the time is over.
 */
const cacheHints = {
  'server/discover': { ttlMs: 5 * minuteMs, cacheScope: 'public' },
  'tools/list': { ttlMs: minuteMs, cacheScope: 'private' },
  'resources/list': { ttlMs: minuteMs, cacheScope: 'private' },
  'resources/templates/list': { ttlMs: minuteMs, cacheScope: 'private' },
  'prompts/list': { ttlMs: 60 * minuteMs, cacheScope: 'public' },
} as const

/** Creates a server with the same catalog for every session or request. */
export function createMcpFactory(parts: McpParts): McpServerFactory {
  let made: ReadonlyMap<string, Tool> | undefined
  const cards = new Set(parts.operations.flatMap(({ card }) => card ?? []))
  const tools = () => (made ??= toolsOf(parts.operations))
  return ({ era, requestInfo, authInfo }) => {
    const principal = principalOf(authInfo)
    const server = new McpServer(
      { name: 'signalbox', title: 'Signalbox', version: parts.version },
      {
        capabilities: {
          tools: { listChanged: true },
          resources: { subscribe: true, listChanged: true },
          prompts: {},
          completions: {},
          extensions: { [appsExtension]: {} },
        },
        instructions,
        cacheHints,
        // One backend hides or shows several tools; its clients need only one notification.
        debouncedNotificationMethods: ['notifications/tools/list_changed', 'notifications/resources/list_changed'],
      },
    )
    registerTools(server, { ...parts, tools }, principal)
    // Earlier revisions have tasks of their own, by the same names.
    if (era === 'modern') registerTaskExtension(server, routedTasks(parts.client, principal))
    const refreshResources = registerResources(server, parts, principal)
    registerCards(server, cards)
    registerPrompts(server, parts.skills)
    // A 2026 client over HTTP has a server for one request only; the mount keeps its subscriptions.
    const lastsForOneRequest = era === 'modern' && requestInfo !== undefined
    if (!lastsForOneRequest) {
      const subscribed = era === 'legacy' ? acceptSubscriptions(server) : everything
      deliver(server, parts.bus, event => {
        if (event.kind === 'tools_list_changed') server.sendToolListChanged()
        else if (event.kind === 'resources_list_changed') refreshResources()
        else if (event.kind === 'resource_updated' && server.isConnected() && subscribed.has(event.uri)) {
          void server.server.sendResourceUpdated({ uri: event.uri })
        }
      })
    }
    return server
  }
}

/** A 2026 connection filters by the client's subscriptions after the server has sent. */
const everything = { has: () => true }
const subscriptionLimit = 1024

function acceptSubscriptions(server: McpServer): ReadonlySet<string> {
  const subscribed = new Set<string>()
  server.server.setRequestHandler('resources/subscribe', ({ params }) => {
    if (subscribed.size < subscriptionLimit) subscribed.add(params.uri)
    return {}
  })
  server.server.setRequestHandler('resources/unsubscribe', ({ params }) => {
    subscribed.delete(params.uri)
    return {}
  })
  return subscribed
}

function deliver(server: McpServer, bus: ServerEventBus, listener: (event: ServerEvent) => void): void {
  const unsubscribe = bus.subscribe(listener)
  Object.assign(server.server, { onclose: unsubscribe })
}
