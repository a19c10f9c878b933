import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'

/** What a process says and how it ended. */
export interface Ended {
  code: number | null
  /** Standard output and error together. */
  output: string
}

/** A Signalbox in a process of its own, started by its command. */
export interface ServerProcess {
  readonly child: ChildProcess
  /** Resolves to the URL when it listens, or to how it ended before. */
  readonly ready: Promise<string | Ended>
  readonly ended: Promise<Ended>
  /** SIGKILL, unless it has ended already. */
  kill: () => Promise<Ended>
  /** SIGTERM. */
  stop: () => Promise<Ended>
}

export interface ServerParts {
  dataDir: string
  /** Of a llama-server. */
  upstreamUrl: string
  variables?: Record<string, string>
  /** A command that runs the given one, such as one that sets a limit. */
  within?: readonly string[]
  /** The user to run as. */
  uid?: number
}

const program = path.resolve(import.meta.dirname, '../../bin/signalbox.js')
const listens = /listens on (http:\S+)/

export function startServer({ dataDir, upstreamUrl, variables = {}, within = [], uid }: ServerParts): ServerProcess {
  const [command, ...args] = [...within, process.execPath, program, 'serve', '--port', '0', '--data-dir', dataDir]
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid }),
    env: {
      PATH: process.env['PATH'] ?? '',
      OLLAMA_ENDPOINT: 'off',
      LM_STUDIO_ENDPOINT: 'off',
      OPENROUTER_ENDPOINT: 'off',
      LLAMA_CPP_ENDPOINT: upstreamUrl,
      PROVIDER_MAX_CONCURRENT_LOCAL: '8',
      QUALITY_THRESHOLD: '0',
      EXPLORATION_SHARE: '0',
      BENCHMARK_RESULTS_PATH: path.join(dataDir, 'benchmarks'),
      ...variables,
    },
  })
  let output = ''
  const ended = once(child, 'close').then(([code]): Ended => ({ code: code as number | null, output }))
  const listening = new Promise<string>(resolve => {
    const read = (bytes: Buffer) => {
      output += bytes.toString()
      const url = listens.exec(output)?.[1]
      if (url !== undefined) resolve(url)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
  })
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal)
    return ended
  }
  return {
    child,
    ready: Promise.race([listening, ended]),
    ended,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  }
}

/** The URL of a server that has to come up. Throws what it said if it does not. */
export async function urlOf(server: ServerProcess): Promise<string> {
  const ready = await server.ready
  if (typeof ready === 'string') return ready
  throw new Error(`The server ended with ${ready.code}: ${ready.output}`)
}
