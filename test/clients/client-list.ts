import path from 'node:path'
import type { Teardown } from '../helpers/start-gateway.ts'
import { agentCases } from './agent-cases.ts'
import type { CaseOutcome } from './case-outcome.ts'
import { codingAgents } from './coding-agents.ts'
import { mcpCases, mcpClients } from './mcp-clients.ts'
import { sdkCases, sdks } from './sdks.ts'

export type ClientKind = 'agent' | 'sdk' | 'mcp'

export interface ClientCase {
  name: string
  /** Why it cannot be run. */
  skip?: string
  run: (t: Teardown, folder: string) => Promise<CaseOutcome>
}

/** A client of any kind: what npm calls it and what it has to do. */
export interface Client {
  kind: ClientKind
  /** The name of its folder; letters, digits and dashes. */
  id: string
  name: string
  /** Of npm; the first is the client itself. */
  packages: readonly string[]
  protocols: string
  /** What its users set; Markdown. */
  settings: string
  cases: readonly ClientCase[]
}

export const clients: readonly Client[] = [
  ...codingAgents.map(agent => ({
    ...described('agent', agent.name),
    packages: [agent.package],
    protocols: agent.protocol,
    settings: agent.settings,
    cases: agentCases.map(({ name, skip, run }) => {
      const why = skip?.(agent)
      const program = (folder: string) => path.join(folder, 'node_modules/.bin', agent.program)
      return {
        name,
        ...(why !== undefined && { skip: why }),
        run: (t: Teardown, folder: string) => run({ agent, program: program(folder), t }),
      }
    }),
  })),
  ...sdks.map(sdk => ({
    ...described('sdk', sdk.name),
    packages: sdk.packages,
    protocols: sdk.protocols,
    settings: 'the base URL',
    cases: sdkCases.map(({ name, run }) => ({
      name,
      run: (t: Teardown, folder: string) => run({ sdk, folder, t }),
    })),
  })),
  ...mcpClients.map(client => ({
    ...described('mcp', client.name),
    packages: client.packages,
    protocols: 'MCP',
    settings: 'the command or the URL',
    cases: mcpCases.map(({ name, run }) => ({
      name,
      run: (t: Teardown, folder: string) => run({ client, folder, t }),
    })),
  })),
]

function described(kind: ClientKind, name: string) {
  return { kind, name, id: `${kind}-${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}` }
}
