import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { TestCommand } from '../config/core-settings.ts'
import { GatewayError, asGatewayError } from '../errors.ts'
import type { Verdict } from '../router/verify.ts'
import { createSlots, type Slots } from './slots.ts'

/** Maximum programs at once, over all requests; others wait at most their own time limit. */
const maxAtOnce = 2
const maxWaiting = 100

/** The slots for tests; `timeoutMs` is read each time. */
export function testSlots(timeoutMs: () => number): Slots {
  return createSlots('VERIFY_COMMANDS', () => ({
    slots: maxAtOnce,
    queueLimit: maxWaiting,
    queueTimeoutMs: timeoutMs(),
  }))
}

/** The usual folders of programs, and that of the running Node. */
const defaultPath = [path.dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(path.delimiter)

/**
 * Lets the operator's own program judge a text, passed unchanged on its standard input: no part of a request becomes an
 * argument, a path or a variable. Status 0 accepts. The program gets no shell and none of our environment (which holds
 * keys), and is killed with its child processes when its time is up or the signal aborts; its output is not read. Throws
 * `internal` if it cannot be started, and the signal's reason.
 */
export async function runTests(
  { run, cwd, env }: TestCommand,
  text: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Verdict> {
  signal.throwIfAborted()
  const [program = '', ...options] = run
  const child = spawn(program, options, {
    cwd,
    env: { PATH: defaultPath, ...env },
    stdio: ['pipe', 'ignore', 'ignore'],
    // Its own process group, so that its child processes can be killed with it.
    detached: true,
  })
  let late = false
  const timer = setTimeout(() => {
    late = true
    endGroup(child)
  }, timeoutMs)
  const leave = () => endGroup(child)
  signal.addEventListener('abort', leave, { once: true })
  try {
    // A program may end without reading all of its input.
    child.stdin.on('error', () => undefined)
    child.stdin.end(text)
    const [status] = (await once(child, 'exit')) as [number | null]
    signal.throwIfAborted()
    if (late) return { accepted: false, why: `they did not end within ${timeoutMs} ms` }
    if (status === 0) return { accepted: true }
    return { accepted: false, why: status === null ? 'they were killed' : `they ended with status ${status}` }
  } catch (cause) {
    if (signal.aborted) throw asGatewayError(signal.reason)
    throw new GatewayError('internal', `The tests cannot be run: ${(cause as Error).message}.`, { cause })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', leave)
    child.stdin.destroy()
    endGroup(child)
  }
}

/** Kills a program and the processes it left running. */
function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The group is empty, or this system has no process groups: then only the program itself can be killed.
    child.kill('SIGKILL')
  }
}
