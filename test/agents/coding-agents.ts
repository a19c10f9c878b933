import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A coding agent as its users start it, pointed at Signalbox only by a base URL. */
export interface CodingAgent {
  name: string
  /** The name of its program. */
  program: string
  /** The tool by which it runs a command, and what that takes. */
  shell: { tool: string; input: (command: string) => Record<string, string> }
  /** Its command line for one task; `base` is Signalbox's address. */
  start(base: string, task: string): { args: string[]; environment: Record<string, string> }
}

export const codingAgents: readonly CodingAgent[] = [
  {
    name: 'Claude Code',
    program: 'claude',
    shell: { tool: 'Bash', input: command => ({ command, description: 'run it' }) },
    start: (base, task) => ({
      args: ['-p', task, '--allowedTools', 'Bash'],
      environment: {
        ANTHROPIC_BASE_URL: base,
        ANTHROPIC_AUTH_TOKEN: 'none',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
      },
    }),
  },
  codex('Codex', 'supports_websockets=false'),
  codex('Codex over a WebSocket', 'supports_websockets=true'),
  {
    name: 'Qwen Code',
    program: 'qwen',
    shell: { tool: 'run_shell_command', input: command => ({ command, description: 'run it' }) },
    start: (base, task) => ({
      args: ['-p', task, '--yolo', '--auth-type', 'openai'],
      environment: { OPENAI_BASE_URL: `${base}/v1`, OPENAI_API_KEY: 'none', OPENAI_MODEL: 'auto' },
    }),
  },
]

function codex(name: string, transport: string): CodingAgent {
  return {
    name,
    program: 'codex',
    shell: { tool: 'exec_command', input: command => ({ cmd: command }) },
    start: (base, task) => ({
      args: [
        'exec',
        '--skip-git-repo-check',
        '--dangerously-bypass-approvals-and-sandbox',
        ...[
          'model_provider="signalbox"',
          'model_providers.signalbox.name="Signalbox"',
          `model_providers.signalbox.base_url="${base}/v1"`,
          'model_providers.signalbox.wire_api="responses"',
          `model_providers.signalbox.${transport}`,
        ].flatMap(setting => ['-c', setting]),
        '-m',
        'gpt-5.5-codex',
        task,
      ],
      environment: {},
    }),
  }
}

/** The path of the agent's program: in AGENTS_BIN, or among the packages installed here. */
export function findProgram({ program }: Pick<CodingAgent, 'program'>): string | undefined {
  const folders = [process.env['AGENTS_BIN'], path.resolve(import.meta.dirname, '../../node_modules/.bin')]
  return folders
    .flatMap(folder => (folder === undefined ? [] : [path.join(folder, program)]))
    .find(file => existsSync(file))
}

export interface Ran {
  code: number | null
  output: string
}

/** Separate work and home folders for the agent, so that no user data is read or written. */
export function scratchFolder(): { work: string; home: string; remove: () => void } {
  const root = mkdtempSync(path.join(tmpdir(), 'signalbox-agent-'))
  const [work, home] = [mkdtempSync(path.join(root, 'work-')), mkdtempSync(path.join(root, 'home-'))]
  writeFileSync(path.join(work, 'note.txt'), 'A note.\n')
  return { work, home, remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }) }
}

/** Runs a program to its end, at most `timeoutMs`; then its whole process group is killed. */
export async function run(
  file: string,
  args: readonly string[],
  {
    cwd,
    home,
    environment,
    timeoutMs,
  }: { cwd: string; home: string; environment: Record<string, string>; timeoutMs: number },
): Promise<Ran> {
  const child = spawn(file, args, {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: home, NO_COLOR: '1', ...environment },
  })
  let output = ''
  const gather = (bytes: Buffer) => (output = (output + bytes.toString()).slice(-100_000))
  child.stdout.on('data', gather)
  child.stderr.on('data', gather)
  const end = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
  }
  const timer = setTimeout(end, timeoutMs)
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  return { code, output }
}
