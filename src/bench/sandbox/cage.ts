import { fork, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { GatewayError } from '../../errors.ts'
import { readyNonce, type CellAnswer, type CellQuestion, type CellRequest } from './messages.ts'
import type { Walls } from './walls.ts'

export interface CageOptions {
  /** Name of the module in this folder that runs inside the cage, without its extension. */
  cell: string
  /** The packages it reads from disk; only these and this folder are readable. */
  packages: readonly string[]
  /** Limit of the JavaScript heap; each cell bounds its own WebAssembly memory. */
  heapMegabytes: number
  /** Limit of the process's writable memory, if the system can enforce one. */
  processMegabytes: number
  walls: () => Promise<Walls>
}

/** A child process that answers one request at a time and is replaced when it hangs or dies. */
export interface Cage<Reply> {
  /** `failure` says why there is no reply: a timeout, or the process ended. Rejects when the signal aborts. */
  ask: (request: CellRequest, signal?: AbortSignal) => Promise<{ reply: Reply } | { failure: string }>
  close: () => Promise<void>
}

const startLimitMs = 60_000
/** A cell stops code at its limit; if it cannot, the process is killed after this much more processor time. */
const graceMs = 1_000
/** Limit of real time, for a process that does not run at all, and if a process's time cannot be read. */
const patienceMs = 60_000
const watchEveryMs = 100

/**
 * The outer isolation of generated code, around WebAssembly: the system's (see `walls.ts`), an empty environment, Node's
 * permission model (no writing, no child processes, threads or addons, reading only what the cell needs) and no code from
 * strings, so that even a leaked object of the host's JavaScript gives no access.
 */
export function openCage<Reply>(options: CageOptions): Cage<Reply> {
  let child: ChildProcess | undefined
  let queue: Promise<unknown> = Promise.resolve()
  let closed = false

  const ask = async (request: CellRequest, signal?: AbortSignal): Promise<Answer<Reply>> => {
    if (closed) throw new GatewayError('shutting_down', 'The sandbox is closed.')
    signal?.throwIfAborted()
    child ??= await start(options)
    const current = child
    const nonce = randomUUID()
    const answering = nextAnswer<Reply>(current, { nonce, timeLimitMs: request.timeLimitMs }, signal)
    current.send({ nonce, request } satisfies CellQuestion)
    const answer = await answering
    if ('reply' in answer) return answer
    child = undefined
    current.kill('SIGKILL')
    signal?.throwIfAborted()
    return answer
  }

  return {
    ask: (request, signal) => {
      const turn = queue.then(() => ask(request, signal))
      queue = turn.catch(() => undefined)
      return turn
    },
    close: async () => {
      closed = true
      await queue
      const last = child
      child = undefined
      if (last === undefined || last.exitCode !== null || last.signalCode !== null) return
      last.kill('SIGKILL')
      await once(last, 'exit')
    },
  }
}

async function start({ cell, packages, heapMegabytes, processMegabytes, walls }: CageOptions): Promise<ChildProcess> {
  const folders = readableFolders(packages)
  const { launcher, limits } = await walls()
  const before = [
    ...launcher,
    ...(limits === undefined ? [] : [`--data=${processMegabytes * 2 ** 20}`]),
    process.execPath,
  ]
  const command = before.shift()
  const started = fork(path.join(import.meta.dirname, cell + path.extname(import.meta.filename)), [], {
    env: {},
    cwd: import.meta.dirname,
    execPath: command,
    execArgv: [
      ...before,
      '--permission',
      ...folders.map(folder => `--allow-fs-read=${folder}`),
      '--disallow-code-generation-from-strings',
      '--disable-proto=delete',
      '--no-addons',
      '--expose-gc',
      `--max-old-space-size=${heapMegabytes}`,
      '--no-warnings',
      // Deep recursion of the inner engine uses this stack too; Windows' main thread has only one megabyte of it.
      ...(process.platform === 'win32' ? [] : ['--stack-size=3900']),
    ],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let complaint = ''
  started.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2_000)
  })
  const answer = await nextAnswer(started, { nonce: readyNonce, timeLimitMs: startLimitMs })
  if ('reply' in answer) return started
  started.kill('SIGKILL')
  throw new GatewayError('internal', `The sandbox for generated code could not start (${cell}): ${complaint.trim()}`)
}

type Answer<Reply> = { reply: Reply } | { failure: string }

function nextAnswer<Reply>(
  child: ChildProcess,
  { nonce, timeLimitMs }: { nonce: string; timeLimitMs: number },
  signal?: AbortSignal,
): Promise<Answer<Reply>> {
  return new Promise(resolve => {
    const settle = (answer: Answer<Reply>) => {
      clearInterval(watch)
      child.off('message', hear).off('exit', end).off('error', end)
      signal?.removeEventListener('abort', abort)
      resolve(answer)
    }
    const hear = (message: CellAnswer<Reply>) => {
      settle(message.nonce === nonce ? { reply: message.reply } : { failure: 'the code forged a result' })
    }
    const end = () => {
      settle({ failure: 'the code ended its process or exhausted its memory' })
    }
    const abort = () => {
      settle({ failure: 'aborted' })
    }
    const startedAt = performance.now()
    const startedAtProcessorMs = processorMs(child.pid)
    const watch = setInterval(() => {
      const worked = (processorMs(child.pid) ?? 0) - (startedAtProcessorMs ?? 0)
      const waited = performance.now() - startedAt
      if (worked > timeLimitMs + graceMs || waited > timeLimitMs + patienceMs)
        settle({ failure: `the code ran longer than ${timeLimitMs / 1_000} s and was stopped` })
    }, watchEveryMs)
    child.on('message', hear).once('exit', end).once('error', end)
    signal?.addEventListener('abort', abort, { once: true })
  })
}

const clockTicksPerSecond = 100

/** Processor time of another process, from procfs on Linux; elsewhere only real time counts. */
function processorMs(pid: number | undefined): number | undefined {
  if (process.platform !== 'linux' || pid === undefined) return undefined
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The command's name, in parentheses, may contain spaces; user and system time are fields 12 and 13 after it.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1_000) / clockTicksPerSecond
  } catch {
    return undefined
  }
}

/** The folders of the packages, and the parent folders in which Node looks for them, which may be links. */
function readableFolders(packages: readonly string[]): string[] {
  const found = packages.map(name => {
    const entry = fileURLToPath(resolve(name))
    return entry.slice(0, entry.lastIndexOf(`node_modules${path.sep}`) + 'node_modules'.length)
  })
  const looked: string[] = []
  for (let folder = import.meta.dirname; path.dirname(folder) !== folder; folder = path.dirname(folder))
    looked.push(path.join(folder, 'node_modules'))
  return [...new Set([import.meta.dirname, ...found, ...looked.filter(folder => existsSync(folder))])]
}

/** The engines for generated code are optional dependencies, needed only for benchmarks. */
function resolve(name: string): string {
  try {
    return import.meta.resolve(name)
  } catch (cause) {
    throw new GatewayError(
      'internal',
      `Running generated code requires the package ${name}, which is not installed. Install it next to Signalbox: npm install ${name}`,
      { cause },
    )
  }
}
