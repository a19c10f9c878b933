import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readLaunchOptions } from '../launch-options.ts'

export interface AgentStart {
  /** From the start of the process to its answer to `initialize`. */
  ms: number
  /** Processor time of the process by then; only Linux tells it. */
  cpuMs: number | undefined
}

const main = path.resolve(import.meta.dirname, '../../../bin/signalbox.js')
const clientInfo = { name: 'bench', version: '1.0.0' }
const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }
const initialize = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`
/** Of one tick, in the unit of `/proc/PID/stat`. */
const tickMs = 10

/** Starts `count` processes of `signalbox mcp` at once on a new data directory and ends them when all have answered. */
export async function startAgents(count: number): Promise<AgentStart[]> {
  const root = mkdtempSync(path.join(tmpdir(), 'signalbox-bench-'))
  const started = Array.from({ length: count }, () => startAgent(root))
  const starts = await Promise.all(started.map(({ answered }) => answered))
  for (const { child } of started) {
    const left = once(child, 'exit')
    child.stdin?.end()
    await left
  }
  rmSync(root, { recursive: true, force: true })
  return starts
}

function startAgent(root: string): { child: ChildProcess; answered: Promise<AgentStart> } {
  const { flags, env } = readLaunchOptions()
  const startedAt = performance.now()
  const child = spawn(process.execPath, [...flags, main, 'mcp'], {
    env: {
      ...process.env,
      ...env,
      SIGNALBOX_ROOT: root,
      PORT: '0',
      LOG_LEVEL: 'silent',
      OLLAMA_ENDPOINT: 'off',
      LM_STUDIO_ENDPOINT: 'off',
      LLAMA_CPP_ENDPOINT: 'off',
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.write(initialize)
  const answered = once(child.stdout, 'data').then(() => ({
    ms: performance.now() - startedAt,
    cpuMs: cpuMsOf(child.pid),
  }))
  return { child, answered }
}

function cpuMsOf(pid: number | undefined): number | undefined {
  try {
    // The name of the program, in brackets, may contain spaces; user and system time are fields 14 and 15.
    const fields = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
      .split(') ')[1]!
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) * tickMs
  } catch {
    return undefined
  }
}
