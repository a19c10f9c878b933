import path from 'node:path'
import { InMemoryServerEventBus, type McpServerFactory, type ServerEventBus } from '@modelcontextprotocol/server'
import type { Client } from '../operations/client.ts'
import { operations } from '../operations/index.ts'
import type { News } from '../operations/live.ts'
import type { Principal } from '../operations/operation.ts'
import { createMonitoring } from './monitoring.ts'
import { readSkills } from './prompts.ts'
import { resources } from './resource-list.ts'
import { createMcpFactory } from './server.ts'
import { selectTools } from './select-tools.ts'

export interface McpApplication {
  factory: McpServerFactory
  bus: ServerEventBus
  /** Listens to events of the core and notifies subscribed clients. */
  receive: (news: News) => void
}

export interface McpApplicationParts {
  /** Where the operations run: in this process or another. */
  client: Client
  version: string
  /** URL of the running Signalbox; it may change when another process takes over. */
  url: () => string
  /** `SIGNALBOX_TOOLS` */
  tools: string
  /** Lists and allows read-only operations only. */
  readOnly: boolean
  now: () => number
}

/** The MCP server: all tools, resources and prompts. Throws `ConfigError` if the selected tools do not exist. */
export function createMcpApplication({
  client,
  version,
  url,
  tools,
  readOnly,
  now,
}: McpApplicationParts): McpApplication {
  const bus = new InMemoryServerEventBus()
  let backends: ReadonlySet<string> = new Set()
  let caller: Principal | undefined
  const shown = selectTools(tools, operations).filter(({ effect }) => !readOnly || effect === 'read')
  /** What decides about the lists. */
  const listed = () => JSON.stringify([[...backends].sort(), caller])
  const factory = createMcpFactory({
    version,
    operations: shown,
    caller: () => caller,
    client,
    resources,
    skills: readSkills(path.resolve(import.meta.dirname, 'skills')),
    backends: () => backends,
    monitoring: createMonitoring({ url, now }),
    bus,
  })

  const updated = (uri: string) => {
    bus.publish({ kind: 'resource_updated', uri })
  }
  return {
    factory,
    bus,
    receive(news) {
      if (news.type === 'job') {
        updated(`locallama://jobs/progress/${news.job.job_id}`)
      } else {
        const before = listed()
        backends = new Set(news.backends)
        if (news.type === 'snapshot') caller = news.access && callerWith(news.access)
        if (listed() !== before) {
          bus.publish({ kind: 'tools_list_changed' })
          bus.publish({ kind: 'resources_list_changed' })
        }
      }
      if (news.type !== 'backends') updated('locallama://jobs/active')
      updated('locallama://status')
    },
  }
}

/** The caller whose key another process has checked. */
function callerWith({ admin, read_only }: { admin: boolean; read_only: boolean }): Principal {
  return { name: 'caller', admin, readOnly: read_only }
}
