import path from 'node:path'

/** How a client speaks MCP to Signalbox. */
export type McpServer =
  | { transport: 'http'; url: string }
  | { transport: 'stdio'; command: string; args: string[]; env: Record<string, string> }

export interface Task {
  /** Signalbox’s address, without `/v1`. */
  base: string
  key: string
  prompt: string
  /** The agent’s home folder. */
  home: string
  /** Of the model, where the agent is told. */
  contextTokens: number
  mcp?: McpServer
}

/** How an agent is started for one task. */
export interface Start {
  args: string[]
  environment?: Record<string, string>
  /** Written before, by path below the home folder. */
  files?: Record<string, string>
}

/** A coding agent as its users start it, pointed at Signalbox only by a base URL. */
export interface CodingAgent {
  name: string
  /** Of npm. */
  package: string
  /** The name of its program. */
  program: string
  protocol: 'chat completions' | 'Messages' | 'Responses' | 'Gemini'
  /** The tool by which it runs a command, and what that takes. */
  shell: { tool: string; input: (command: string) => Record<string, unknown> }
  /** What its users set, for the documentation. */
  settings: string
  /** It can be given an MCP server. */
  speaksMcp: boolean
  start: (task: Task) => Start
}

const withDescription = (command: string) => ({ command, description: 'run it' })
const bare = (command: string) => ({ command })

export const codingAgents: readonly CodingAgent[] = [
  {
    name: 'Claude Code',
    package: '@anthropic-ai/claude-code',
    program: 'claude',
    protocol: 'Messages',
    shell: { tool: 'Bash', input: withDescription },
    settings: '`ANTHROPIC_BASE_URL`, `ANTHROPIC_AUTH_TOKEN`, `CLAUDE_CODE_MAX_CONTEXT_TOKENS`',
    speaksMcp: true,
    start: ({ base, key, prompt, home, contextTokens, mcp }) => ({
      args: [
        '-p',
        prompt,
        '--allowedTools',
        'Bash',
        'mcp__signalbox',
        ...(mcp === undefined ? [] : ['--mcp-config', path.join(home, 'mcp.json'), '--strict-mcp-config']),
      ],
      environment: {
        ANTHROPIC_BASE_URL: base,
        ANTHROPIC_AUTH_TOKEN: key,
        CLAUDE_CODE_MAX_CONTEXT_TOKENS: String(contextTokens),
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
        // Otherwise it looks for tools in a search of its own before it sees ours.
        ENABLE_TOOL_SEARCH: 'false',
        // Otherwise its first turn may come before it has heard which tools there are.
        MCP_CONNECTION_NONBLOCKING: 'false',
      },
      ...(mcp !== undefined && { files: { 'mcp.json': mcpServers(mcp) } }),
    }),
  },
  {
    name: 'Codex',
    package: '@openai/codex',
    program: 'codex',
    protocol: 'Responses',
    shell: { tool: 'exec_command', input: command => ({ cmd: command }) },
    settings: '`base_url`, `wire_api = "responses"`, `model_context_window` in `config.toml`',
    speaksMcp: true,
    start: ({ base, key, prompt, contextTokens, mcp }) => ({
      args: ['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', prompt],
      environment: { SIGNALBOX_KEY: key },
      files: {
        '.codex/config.toml': `model = "gpt-5.5-codex"
model_provider = "signalbox"
model_context_window = ${String(contextTokens)}

[model_providers.signalbox]
name = "Signalbox"
base_url = "${base}/v1"
wire_api = "responses"
env_key = "SIGNALBOX_KEY"
${mcp === undefined ? '' : `\n[mcp_servers.signalbox]\n${tomlOf(mcp)}required = true\ndefault_tools_approval_mode = "approve"\n`}`,
      },
    }),
  },
  {
    name: 'Qwen Code',
    package: '@qwen-code/qwen-code',
    program: 'qwen',
    protocol: 'chat completions',
    shell: { tool: 'run_shell_command', input: withDescription },
    settings: '`OPENAI_BASE_URL`, `OPENAI_API_KEY`, `OPENAI_MODEL`',
    speaksMcp: true,
    start: ({ base, key, prompt, mcp }) => ({
      args: ['-p', prompt, '--yolo', '--auth-type', 'openai'],
      environment: { OPENAI_BASE_URL: `${base}/v1`, OPENAI_API_KEY: key, OPENAI_MODEL: 'auto' },
      ...(mcp !== undefined && {
        files: {
          '.qwen/settings.json': JSON.stringify({
            // Otherwise its model sees the tools only after it has searched for them.
            tools: { toolSearch: { enabled: false } },
            ...(JSON.parse(mcpServers(mcp, 'httpUrl')) as object),
          }),
        },
      }),
    }),
  },
  {
    name: 'Gemini CLI',
    package: '@google/gemini-cli',
    program: 'gemini',
    protocol: 'Gemini',
    shell: { tool: 'run_shell_command', input: withDescription },
    settings: '`GOOGLE_GEMINI_BASE_URL`, `GEMINI_API_KEY`',
    speaksMcp: true,
    start: ({ base, key, prompt, mcp }) => ({
      args: ['-p', prompt, '--yolo', '--skip-trust', '-m', 'gemini-2.5-pro'],
      environment: { GOOGLE_GEMINI_BASE_URL: base, GEMINI_API_KEY: key },
      files: {
        '.gemini/settings.json': JSON.stringify({
          security: { auth: { selectedType: 'gemini-api-key' } },
          ...(mcp !== undefined && (JSON.parse(mcpServers(mcp, 'httpUrl')) as object)),
        }),
      },
    }),
  },
  {
    name: 'opencode',
    package: 'opencode-ai',
    program: 'opencode',
    protocol: 'chat completions',
    shell: { tool: 'bash', input: withDescription },
    settings: 'a provider with `"npm": "@ai-sdk/openai-compatible"` and `baseURL` in `opencode.json`',
    speaksMcp: true,
    start: ({ base, key, prompt, contextTokens, mcp }) => ({
      args: ['run', '--auto', '-m', 'signalbox/auto', prompt],
      environment: { OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1' },
      files: {
        '.config/opencode/opencode.json': JSON.stringify({
          provider: {
            signalbox: {
              npm: '@ai-sdk/openai-compatible',
              options: { baseURL: `${base}/v1`, apiKey: key },
              models: { auto: { name: 'auto', limit: { context: contextTokens, output: 4096 } } },
            },
          },
          ...(mcp !== undefined && { mcp: { signalbox: opencodeServer(mcp) } }),
        }),
      },
    }),
  },
  {
    name: 'Continue',
    package: '@continuedev/cli',
    program: 'cn',
    protocol: 'chat completions',
    shell: { tool: 'Bash', input: bare },
    settings: '`provider: openai`, `apiBase` in `config.yaml`',
    speaksMcp: true,
    start: ({ base, key, prompt, home, contextTokens, mcp }) => ({
      args: ['-p', prompt, '--auto', '--config', path.join(home, 'config.yaml')],
      environment: { CONTINUE_TELEMETRY_ENABLED: '0' },
      files: {
        // JSON is YAML, too.
        'config.yaml': JSON.stringify({
          name: 'test',
          version: '1.0.0',
          models: [
            {
              name: 'auto',
              provider: 'openai',
              model: 'auto',
              apiBase: `${base}/v1`,
              apiKey: key,
              capabilities: ['tool_use'],
              defaultCompletionOptions: { contextLength: contextTokens, maxTokens: 1024 },
            },
          ],
          ...(mcp !== undefined && { mcpServers: [continueServer(mcp)] }),
        }),
      },
    }),
  },
  {
    name: 'Cline',
    package: 'cline',
    program: 'cline',
    protocol: 'chat completions',
    shell: { tool: 'run_commands', input: command => ({ commands: [command] }) },
    settings: '`cline auth -p openai-compatible -b http://127.0.0.1:3001/v1 -k none -m auto`',
    speaksMcp: true,
    start: ({ base, key, prompt, contextTokens, mcp }) => ({
      args: ['-P', 'openai-compatible', '-m', 'auto', prompt],
      environment: { CLINE_NO_AUTO_UPDATE: '1' },
      files: {
        '.cline/data/settings/providers.json': JSON.stringify({
          version: 1,
          lastUsedProvider: 'openai-compatible',
          providers: {
            'openai-compatible': {
              settings: {
                provider: 'openai-compatible',
                apiKey: key,
                model: 'auto',
                baseUrl: `${base}/v1`,
                contextWindow: contextTokens,
              },
              updatedAt: '2026-11-01T00:00:00.000Z',
              tokenSource: 'manual',
            },
          },
        }),
        ...(mcp !== undefined && {
          '.cline/data/settings/cline_mcp_settings.json': mcpServers(mcp, 'url', 'streamableHttp'),
        }),
      },
    }),
  },
  {
    name: 'Kilo',
    package: '@kilocode/cli',
    program: 'kilo',
    protocol: 'chat completions',
    shell: { tool: 'bash', input: withDescription },
    settings: 'as opencode, in `kilo.json`',
    speaksMcp: true,
    start: ({ base, key, prompt, contextTokens, mcp }) => ({
      args: ['run', '--auto', '-m', 'signalbox/auto', prompt],
      files: {
        '.config/kilo/kilo.json': JSON.stringify({
          provider: {
            signalbox: {
              npm: '@ai-sdk/openai-compatible',
              options: { baseURL: `${base}/v1`, apiKey: key },
              models: { auto: { name: 'auto', limit: { context: contextTokens, output: 4096 } } },
            },
          },
          ...(mcp !== undefined && { mcp: { signalbox: opencodeServer(mcp) } }),
        }),
      },
    }),
  },
  {
    name: 'pi',
    package: '@earendil-works/pi-coding-agent',
    program: 'pi',
    protocol: 'chat completions',
    shell: { tool: 'bash', input: bare },
    settings: 'a provider with `"api": "openai-completions"` in `models.json`',
    speaksMcp: true,
    start: ({ base, key, prompt, contextTokens, mcp }) => ({
      args: ['-p', '--model', 'signalbox/auto', prompt],
      files: {
        '.pi/agent/models.json': JSON.stringify({
          providers: {
            signalbox: {
              baseUrl: `${base}/v1`,
              api: 'openai-completions',
              apiKey: key,
              models: [{ id: 'auto', contextWindow: contextTokens, maxTokens: 4096 }],
            },
          },
        }),
        // Otherwise its model sees the tools only after it has searched for them.
        ...(mcp !== undefined && {
          '.pi/agent/mcp.json': mcpServers(mcp, 'url', 'http', { toolExposure: { '*': 'direct' } }),
        }),
      },
    }),
  },
  {
    name: 'Copilot CLI',
    package: '@github/copilot',
    program: 'copilot',
    protocol: 'chat completions',
    shell: { tool: 'bash', input: withDescription },
    settings: '`COPILOT_PROVIDER_BASE_URL`, `COPILOT_MODEL`, `COPILOT_PROVIDER_MAX_PROMPT_TOKENS`',
    speaksMcp: true,
    start: ({ base, key, prompt, contextTokens, mcp }) => ({
      args: ['-p', prompt, '--allow-all-tools', '--no-auto-update'],
      environment: {
        COPILOT_OFFLINE: 'true',
        COPILOT_PROVIDER_BASE_URL: `${base}/v1`,
        COPILOT_PROVIDER_API_KEY: key,
        COPILOT_MODEL: 'auto',
        COPILOT_PROVIDER_MAX_PROMPT_TOKENS: String(contextTokens),
      },
      ...(mcp !== undefined && {
        files: { '.copilot/mcp-config.json': mcpServers(mcp, 'url', 'http', { tools: ['*'] }) },
      }),
    }),
  },
  {
    name: 'Kimi Code',
    package: '@moonshot-ai/kimi-code',
    program: 'kimi',
    protocol: 'chat completions',
    shell: { tool: 'Bash', input: withDescription },
    settings: '`KIMI_MODEL_NAME`, `KIMI_MODEL_PROVIDER_TYPE=openai`, `KIMI_MODEL_BASE_URL`, `KIMI_MODEL_API_KEY`',
    speaksMcp: true,
    start: ({ base, key, prompt, contextTokens, mcp }) => ({
      args: ['-p', prompt],
      environment: {
        KIMI_MODEL_NAME: 'auto',
        KIMI_MODEL_PROVIDER_TYPE: 'openai',
        KIMI_MODEL_BASE_URL: `${base}/v1`,
        KIMI_MODEL_API_KEY: key,
        KIMI_MODEL_MAX_CONTEXT_SIZE: String(contextTokens),
        KIMI_CODE_NO_AUTO_UPDATE: '1',
      },
      ...(mcp !== undefined && { files: { '.kimi-code/mcp.json': mcpServers(mcp, 'url') } }),
    }),
  },
  {
    name: 'grok-cli',
    package: '@vibe-kit/grok-cli',
    program: 'grok',
    protocol: 'chat completions',
    shell: { tool: 'bash', input: bare },
    settings: '`GROK_BASE_URL`, `GROK_API_KEY`, `GROK_MODEL`',
    speaksMcp: false,
    start: ({ base, key, prompt }) => ({
      args: ['-p', prompt, '-m', 'auto'],
      environment: { GROK_BASE_URL: `${base}/v1`, GROK_API_KEY: key },
    }),
  },
]

/** The form that most clients read; `httpKey` is what they call the address. */
function mcpServers(server: McpServer, httpKey = 'url', httpType = 'http', more: object = {}): string {
  const signalbox =
    server.transport === 'http'
      ? { type: httpType, [httpKey]: server.url, ...more }
      : { command: server.command, args: server.args, env: server.env, ...more }
  return JSON.stringify({ mcpServers: { signalbox } })
}

function tomlOf(server: McpServer): string {
  if (server.transport === 'http') return `url = "${server.url}"\n`
  const { command, args, env } = server
  const variables = Object.entries(env).map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
  return `command = "${command}"\nargs = ${JSON.stringify(args)}\nenv = { ${variables.join(', ')} }\n`
}

function opencodeServer(server: McpServer): object {
  if (server.transport === 'http') return { type: 'remote', url: server.url, oauth: false }
  return { type: 'local', command: [server.command, ...server.args], environment: server.env, timeout: 30_000 }
}

function continueServer(server: McpServer): object {
  if (server.transport === 'http') return { name: 'signalbox', type: 'streamable-http', url: server.url }
  return { name: 'signalbox', command: server.command, args: server.args, env: server.env }
}
