import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { TestCommand } from '../config.ts'
import { GatewayError, asGatewayError } from '../errors.ts'
import type { Verdict } from '../router/verify.ts'
import { createSlots, type Slots } from './slots.ts'

/** Programs at once, over all requests; the others wait, and give up after as long as they might run. */
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

/** Where programs usually are, and the one that runs this. */
const defaultPath = [path.dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(path.delimiter)

/**
 * Lets the operator's own program judge a text, which it reads from its standard input as it is: no word of a request becomes
 * an argument, a path or a variable. Status 0 accepts. The program gets no shell, none of our environment (which holds keys),
 * and is killed with all that it started when its time is over or the signal aborts; what it prints is not read. Throws
 * `internal` where it cannot be started, and the signal's reason.
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
    // A group of its own, so that what it starts can be ended with it.
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
    // A program that does not want to read it all is free to end.
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

/** Ends a program and whatever it left running. */
function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nobody is left of its group, or this system knows no groups: then it alone is there to be ended.
    child.kill('SIGKILL')
  }
}
