import type { Readable } from 'node:stream'
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server'

export interface HoldParts {
  /** Settles once requests can be served. */
  ready: Promise<unknown>
  /** Where the messages come from; paused when too many wait. */
  stdin: Readable
}

/** Answered from what a server is created with. */
const handshake = ['initialize', 'server/discover', 'ping', 'notifications/initialized']
const maxHeld = 64

/** The same transport, but until `ready` settles it delivers only the handshake; everything from the next message on waits, in order. */
export function holdUntilReady(wire: Transport, { ready, stdin }: HoldParts): Transport {
  let held: JSONRPCMessage[] | undefined = []
  const transport: Transport = {
    async start() {
      Object.assign(wire, {
        onmessage: receive,
        onclose: () => transport.onclose?.(),
        onerror: (error: Error) => transport.onerror?.(error),
      })
      await wire.start()
    },
    send: (message, options) => wire.send(message, options),
    close: () => wire.close(),
  }
  ready.then(release, release)
  return transport

  function receive(message: JSONRPCMessage): void {
    if (held === undefined || (held.length === 0 && isHandshake(message))) {
      transport.onmessage?.(message)
      return
    }
    held.push(message)
    if (held.length >= maxHeld) stdin.pause()
  }

  function release(): void {
    const waiting = held ?? []
    held = undefined
    for (const message of waiting) transport.onmessage?.(message)
    if (waiting.length >= maxHeld) stdin.resume()
  }
}

function isHandshake(message: JSONRPCMessage): boolean {
  return 'method' in message && handshake.includes(message.method)
}
