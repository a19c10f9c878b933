import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { GatewayError } from '../../errors.ts'

export interface CageOptions {
  /** The module beside this one that serves inside, without its extension. */
  cell: string
  /** The packages it reads from disk; nothing else but this folder can be read. */
  packages: readonly string[]
  /** Of JavaScript heap; each cell bounds its own WebAssembly memory. */
  memoryMegabytes: number
}

export interface CellRequest {
  /** Of processor time, so that a busy machine does not make right code fail. */
  timeLimitMs: number
}

/** A child process that answers one request at a time and is replaced when it hangs or dies. */
export interface Cage<Reply> {
  /** `failure` says why there is no reply: it ran out of time, or ended itself. Rejects when the signal aborts. */
  ask: (request: CellRequest, signal?: AbortSignal) => Promise<{ reply: Reply } | { failure: string }>
  close: () => Promise<void>
}

const startLimitMs = 60_000
/** The cell stops code at its limit, or its whole process a little later; this is for a process that does not even run. */
const patienceMs = 60_000

/**
 * The outer wall around generated code, behind the WebAssembly one: an empty environment, Node's permission model (no
 * writing, no child processes, no addons, reading only what the cell needs) and no code from strings, so that even an
 * object of the host's JavaScript that leaks inwards leads nowhere.
 */
export function openCage<Reply>({ cell, packages, memoryMegabytes }: CageOptions): Cage<Reply> {
  let child: ChildProcess | undefined
  let queue: Promise<unknown> = Promise.resolve()
  let closed = false

  const start = async (): Promise<ChildProcess> => {
    const started = fork(path.join(import.meta.dirname, cell + path.extname(import.meta.filename)), [], {
      env: {},
      cwd: import.meta.dirname,
      execArgv: [
        '--permission',
        '--allow-worker',
        ...readableFolders(packages).map(folder => `--allow-fs-read=${folder}`),
        '--disallow-code-generation-from-strings',
        `--max-old-space-size=${memoryMegabytes}`,
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
    const answer = await nextAnswer(started, startLimitMs)
    if ('reply' in answer) return started
    started.kill('SIGKILL')
    throw new GatewayError('internal', `The sandbox for generated code could not start (${cell}): ${complaint.trim()}`)
  }

  const ask = async (request: CellRequest, signal?: AbortSignal) => {
    if (closed) throw new GatewayError('shutting_down', 'The sandbox is closed.')
    signal?.throwIfAborted()
    child ??= await start()
    const current = child
    current.send({ request })
    const answer = await nextAnswer<Reply>(current, request.timeLimitMs + patienceMs, signal)
    if ('reply' in answer) return answer
    child = undefined
    current.kill('SIGKILL')
    signal?.throwIfAborted()
    return current.signalCode === 'SIGVTALRM' ? ranLonger(request.timeLimitMs) : answer
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

type Answer<Reply> = { reply: Reply } | { failure: string }

function nextAnswer<Reply>(child: ChildProcess, limitMs: number, signal?: AbortSignal): Promise<Answer<Reply>> {
  return new Promise(resolve => {
    const settle = (answer: Answer<Reply>) => {
      clearTimeout(timer)
      child.off('message', hear).off('exit', end).off('error', end)
      signal?.removeEventListener('abort', abort)
      resolve(answer)
    }
    const hear = (message: unknown) => {
      settle(message as { reply: Reply })
    }
    const end = () => {
      settle({ failure: 'the code ended its process or exhausted its memory' })
    }
    const abort = () => {
      settle({ failure: 'aborted' })
    }
    const timer = setTimeout(() => {
      settle(ranLonger(limitMs))
    }, limitMs)
    child.once('message', hear).once('exit', end).once('error', end)
    signal?.addEventListener('abort', abort, { once: true })
  })
}

function ranLonger(limitMs: number): { failure: string } {
  return { failure: `the code ran longer than ${limitMs / 1_000} s and was stopped` }
}

function readableFolders(packages: readonly string[]): string[] {
  const modules = packages.map(name => {
    const entry = fileURLToPath(import.meta.resolve(name))
    return entry.slice(0, entry.lastIndexOf(`node_modules${path.sep}`) + 'node_modules'.length)
  })
  return [...new Set([import.meta.dirname, ...modules])]
}
