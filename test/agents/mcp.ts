import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { scriptedUpstream, type SeenRequest } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type TestGateway } from '../helpers/start-gateway.ts'
import { findProgram } from './coding-agents.ts'

/*
 * Real coding agents hand a task to Signalbox over MCP, by stdio and by HTTP; the model that they think with is a script
 * behind the same Signalbox. Run it by hand: AGENTS_BIN=<folder of their programs> node test/agents/mcp.ts.
 */

const timeoutMs = 120_000
const main = path.resolve('bin/signalbox.js')
const delegated = 'DELEGATED: say hello.'

interface Attempt {
  gateway: TestGateway
  home: string
  transport: 'stdio' | 'http'
}

interface Run {
  args: string[]
  env: Record<string, string>
}

const agents: Readonly<Record<string, (attempt: Attempt) => Run>> = {
  claude: ({ gateway, home, transport }) => {
    const file = path.join(home, 'mcp.json')
    const server =
      transport === 'http'
        ? { type: 'http', url: `${gateway.url}/mcp` }
        : { command: process.execPath, args: [main, 'mcp'], env: { SIGNALBOX_ROOT: gateway.core.config().root } }
    writeFileSync(file, JSON.stringify({ mcpServers: { signalbox: server } }))
    return {
      args: ['-p', 'Delegate it.', '--mcp-config', file, '--strict-mcp-config', '--allowedTools', 'mcp__signalbox'],
      env: {
        ANTHROPIC_BASE_URL: gateway.url,
        ANTHROPIC_AUTH_TOKEN: 'none',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        // Otherwise it looks for tools in a search of its own before it sees ours.
        ENABLE_TOOL_SEARCH: 'false',
        // Otherwise its first turn may come before it has heard which tools there are.
        MCP_CONNECTION_NONBLOCKING: 'false',
      },
    }
  },
  codex: ({ gateway, home, transport }) => {
    const folder = path.join(home, '.codex')
    mkdirSync(folder)
    const server =
      transport === 'http'
        ? `url = "${gateway.url}/mcp"`
        : `command = "${process.execPath}"\nargs = ["${main}", "mcp"]\nenv = { SIGNALBOX_ROOT = "${gateway.core.config().root}" }`
    writeFileSync(
      path.join(folder, 'config.toml'),
      `model = "auto"
model_provider = "signalbox"
approval_policy = "never"

[model_providers.signalbox]
name = "Signalbox"
base_url = "${gateway.url}/v1"
wire_api = "responses"

[mcp_servers.signalbox]
${server}
required = true
default_tools_approval_mode = "approve"
`,
    )
    return { args: ['exec', '--skip-git-repo-check', 'Delegate it.'], env: { CODEX_HOME: folder } }
  },
}

let failed = 0
for (const [name, prepare] of Object.entries(agents)) {
  for (const transport of ['stdio', 'http'] as const) {
    const program = findProgram({ program: name })
    if (program === undefined) console.log(`skipped: ${name} over ${transport}, it is not in AGENTS_BIN`)
    else if (await delegates(program, prepare, transport)) console.log(`ok: ${name} over ${transport}`)
    else failed += 1
  }
}
process.exitCode = failed === 0 ? 0 : 1

async function delegates(program: string, prepare: (attempt: Attempt) => Run, transport: 'stdio' | 'http') {
  const undo: (() => Promise<void>)[] = []
  const t = { teardown: (step: () => Promise<void>) => void undo.unshift(step) }
  const home = mkdtempSync(path.join(tmpdir(), 'signalbox-agent-'))
  try {
    const model = await scriptedUpstream(t, 'llama-cpp', {
      models: [{ name: 'scripted', loadedContextTokens: 200_000, tools: true }],
      answer: think,
    })
    const gateway = await startGateway(t, variablesFor(model))
    const { args, env } = prepare({ gateway, home, transport })
    const said = await run(program, args, { PATH: process.env['PATH'] ?? '', HOME: home, ...env }, home)
    const { tasks } = gateway.core.ledger.tasks.tasks({ state: 'completed', text: delegated }, { limit: 1, offset: 0 })
    if (tasks.length === 1) return true
    console.log(`failed: ${program} over ${transport}; it said:\n${said}`)
    return false
  } finally {
    for (const step of undo) await step()
    rmSync(home, { recursive: true, force: true })
  }
}

/** Calls route_task once, then waits for its result, then is content; the delegated task itself is answered at once. */
function think({ body }: SeenRequest) {
  const messages = body['messages'] as { role: string; content: unknown }[]
  if (messages.length === 1 && JSON.stringify(messages[0]).includes(delegated)) return { text: 'Hello.' }
  const tools = (body['tools'] ?? []) as { function?: { name: string } }[]
  const names = tools.flatMap(tool => tool.function?.name ?? [])
  const named = (tool: string) => names.find(name => name === tool || name.endsWith(`__${tool}`))
  const results = messages.filter(({ role }) => role === 'tool')
  const route = named('route_task')
  const status = named('get_task_status')
  const taskId = /task_[0-9a-f-]{36}/.exec(JSON.stringify(results))?.[0]
  if (route !== undefined && results.length === 0) {
    return { toolCalls: [{ name: route, arguments: { task: delegated, context_length: 0 } }] }
  }
  if (status !== undefined && results.length === 1 && taskId !== undefined) {
    return { toolCalls: [{ name: status, arguments: { task_id: taskId, wait_seconds: 20 } }] }
  }
  return { text: 'Done.' }
}

function run(command: string, args: string[], env: Record<string, string>, cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += String(text)))
    child.on('error', reject)
    child.on('close', () => {
      resolve(said)
    })
  })
}
