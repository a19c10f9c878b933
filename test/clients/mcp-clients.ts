import { copyFileSync } from 'node:fs'
import path from 'node:path'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'
import type { CaseOutcome } from './case-outcome.ts'
import { failure, runProgram, scratchFolder } from './run-program.ts'

/** A library that speaks MCP, and a script of this folder's `mcp-tasks` that hands a task over with it. */
export interface McpClient {
  name: string
  packages: string[]
  /** File in `mcp-tasks`, without its ending. */
  task: string
}

export const mcpClients: readonly McpClient[] = [
  { name: 'MCP client 2', packages: ['@modelcontextprotocol/client'], task: 'mcp-client' },
  { name: 'MCP SDK 1', packages: ['@modelcontextprotocol/sdk'], task: 'mcp-sdk' },
  { name: 'AI SDK', packages: ['@ai-sdk/mcp', 'ai', 'zod'], task: 'ai-sdk' },
  { name: 'LangChain', packages: ['@langchain/mcp-adapters', '@langchain/core'], task: 'langchain' },
  { name: 'MCP Inspector', packages: ['@modelcontextprotocol/inspector'], task: 'inspector' },
]

interface McpParts {
  client: McpClient
  /** Where its packages are installed. */
  folder: string
  t: Teardown
}

const timeoutMs = 90_000
const main = path.resolve(import.meta.dirname, '../../bin/signalbox.js')

export const mcpCases = (['stdio', 'http'] as const).map(transport => ({
  name: `MCP ${transport}`,
  run: (parts: McpParts) => delegates(parts, transport),
}))

async function delegates({ client, folder, t }: McpParts, transport: 'stdio' | 'http'): Promise<CaseOutcome> {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(local))
  const { home, remove } = scratchFolder()
  t.teardown(async () => remove())
  const script = path.join(folder, `${client.task}.mjs`)
  copyFileSync(path.join(import.meta.dirname, 'mcp-tasks', `${client.task}.mjs`), script)
  const server: Record<string, string> =
    transport === 'http'
      ? { MCP_URL: `${gateway.url}/mcp` }
      : {
          MCP_COMMAND: JSON.stringify({ command: process.execPath, args: [main, 'mcp'] }),
          SIGNALBOX_ROOT: gateway.core.config().root,
        }
  const ran = await runProgram(process.execPath, [script], { cwd: folder, home, environment: server, timeoutMs })
  return ran.code === 0 && ran.output.includes('DONE') ? {} : failure('the task did not come back', ran)
}
