import dgram from 'node:dgram'
import dns from 'node:dns'
import net from 'node:net'
import { readyNonce, type CellAnswer, type CellQuestion } from './messages.ts'

/** Whether the code has used up its time. */
export type IsLate = () => boolean

/** Inside a cage: disables the remaining host functions and answers one request at a time. */
export function serve(handle: (request: never, isLate: IsLate) => unknown): void {
  const send = process.send?.bind(process) as (answer: CellAnswer<unknown>) => void
  closeHost()
  const answer = async ({ nonce, request }: CellQuestion) => {
    send({ nonce, reply: await handle(request as never, stopwatch(request.timeLimitMs)) })
  }
  process.on('message', (question: CellQuestion) => void answer(question))
  process.on('disconnect', () => process.exit())
  send({ nonce: readyNonce, reply: 'ready' })
}

/**
 * Measures processor time: on a busy machine a correct answer must not fail because of other processes. It is read between
 * instructions, so the cheap clock comes first: whatever is within the limit in real time is within it in processor time.
 */
export function stopwatch(limitMs: number): IsLate {
  const startedAt = Date.now()
  const startedAtProcessorMs = processorMs()
  return () => Date.now() - startedAt > limitMs && processorMs() - startedAtProcessorMs > limitMs
}

const cpuUsage = process.cpuUsage.bind(process)

function processorMs(): number {
  const { user, system } = cpuUsage()
  return (user + system) / 1_000
}

/**
 * Limits what leaked host objects can do: prototypes cannot be changed, Node's modules unreachable, and network functions throw
 * (Node's permission model does not cover the network before Node 25).
 */
function closeHost(): void {
  const refuse = () => {
    throw new Error('No network access in the sandbox.')
  }
  net.Socket.prototype.connect = refuse
  net.Server.prototype.listen = refuse
  dgram.Socket.prototype.bind = refuse
  dgram.Socket.prototype.send = refuse
  Object.assign(dns, { lookup: refuse, resolve: refuse })
  for (const name of ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'require', 'Worker'])
    Reflect.deleteProperty(globalThis, name)
  for (const name of ['getBuiltinModule', 'kill', 'dlopen', '_linkedBinding', '_kill', 'chdir', 'abort', 'mainModule'])
    Reflect.deleteProperty(process, name)
  // Emscripten sets `toString` and the like on its own objects, which a frozen prototype would forbid.
  Object.seal(Object.prototype)
  for (const prototype of prototypes()) if (prototype !== Object.prototype) Object.freeze(prototype)
}

/** Prototypes of the language only: what Node adds is loaded on first use, which must not happen here. */
function prototypes(): object[] {
  const found = Object.values(Object.getOwnPropertyDescriptors(globalThis)).flatMap(({ value }) => {
    const prototype: unknown = typeof value === 'function' ? (value as { prototype: unknown }).prototype : undefined
    return typeof prototype === 'object' && prototype !== null ? [prototype] : []
  })
  const ofArrays = Object.getPrototypeOf(Uint8Array.prototype) as object
  return [...found, ofArrays, Function.prototype]
}
