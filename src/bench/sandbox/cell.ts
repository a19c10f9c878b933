import dgram from 'node:dgram'
import dns from 'node:dns'
import net from 'node:net'
import { Worker } from 'node:worker_threads'

/** Inside a cage: closes the network, promises to die with its parent, and answers one request at a time. */
export function serve(handle: (request: never) => unknown): void {
  sealNetwork()
  dieWithParent()
  process.on('message', (message: { request: never }) => {
    void Promise.resolve(handle(message.request)).then(reply => process.send?.({ reply }))
  })
  process.send?.({ reply: 'ready' })
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

/** Code that loops inside WebAssembly never lets this thread see `disconnect`; a second thread watches the parent. */
function dieWithParent(): void {
  process.on('disconnect', () => process.exit())
  const watcher = new Worker(
    `setInterval(() => {
      try { process.kill(${process.ppid}, 0) } catch { process.kill(process.pid, 'SIGKILL') }
    }, 1000)`,
    { eval: true },
  )
  watcher.unref()
}
