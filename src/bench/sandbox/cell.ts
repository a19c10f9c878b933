import dgram from 'node:dgram'
import dns from 'node:dns'
import net from 'node:net'
import { Worker } from 'node:worker_threads'
import type { CellRequest } from './cage.ts'

/** Whether the code has used up its time. */
export type IsLate = () => boolean

/** Code that its cell has not stopped this long after its limit is killed. */
const graceMs = 1_000

/**
 * Inside a cage: closes the network, promises to die with its parent and of code that cannot be stopped, and answers one
 * request at a time.
 */
export function serve(handle: (request: never, isLate: IsLate) => unknown): void {
  sealNetwork()
  const deadline = new Float64Array(new SharedArrayBuffer(8)).fill(Infinity)
  watch(deadline)
  const answer = async (request: CellRequest): Promise<void> => {
    deadline[0] = processorMs() + request.timeLimitMs + graceMs
    const reply = await handle(request as never, stopwatch(request.timeLimitMs))
    deadline[0] = Infinity
    process.send?.({ reply })
  }
  process.on('message', ({ request }: { request: CellRequest }) => void answer(request))
  process.send?.({ reply: 'ready' })
}

/**
 * Code is given processor time: on a busy machine a right answer must not fail because others worked too. It is asked
 * between instructions, so the cheap clock is read first: within the limit by the wall's clock is within it by any.
 */
export function stopwatch(limitMs: number): IsLate {
  const startedAt = Date.now()
  const startedAtProcessorMs = processorMs()
  return () => Date.now() - startedAt > limitMs && processorMs() - startedAtProcessorMs > limitMs
}

function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/** Node's permission model does not know the network (before Node 25), so its doors are bricked up here. */
function sealNetwork(): void {
  const refuse = () => {
    throw new Error('There is no network here.')
  }
  net.Socket.prototype.connect = refuse
  net.Server.prototype.listen = refuse
  dgram.Socket.prototype.bind = refuse
  dgram.Socket.prototype.send = refuse
  Object.assign(dns, { lookup: refuse, resolve: refuse })
  for (const name of ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest']) Reflect.deleteProperty(globalThis, name)
}

/**
 * Code that loops inside WebAssembly or a regular expression never lets this thread see `disconnect` or a timer; a second
 * thread watches the parent and the clock. SIGVTALRM, a timer of processor time, tells the parent which of the two it was.
 */
function watch(deadline: Float64Array): void {
  process.on('disconnect', () => process.exit())
  const watcher = new Worker(
    `const deadline = require('node:worker_threads').workerData
    setInterval(() => {
      const { user, system } = process.cpuUsage()
      if ((user + system) / 1000 > deadline[0]) process.kill(process.pid, 'SIGVTALRM')
    }, 100)
    setInterval(() => {
      try { process.kill(${process.ppid}, 0) } catch { process.kill(process.pid, 'SIGKILL') }
    }, 1000)`,
    { eval: true, workerData: deadline },
  )
  watcher.unref()
}
