import { GatewayError } from '../errors.ts'

const maxFrameBytes = 16 * 1024 * 1024
const nothing = Buffer.alloc(0)
const lineFeed = 0x0a
const carriageReturn = 0x0d

export interface FrameSplitter {
  /** Takes bytes from the socket; returns all frames completed by them, as one buffer (often empty). */
  push(bytes: Buffer): Buffer
  /** The rest of a stream that ended without a blank line, as some servers do. */
  end(): Buffer
}

/**
 * Splits a byte stream at the blank lines between server-sent events. It works on bytes, so a UTF-8 character split by
 * the network is complete again before it is decoded. Throws `upstream_error` when one event exceeds 16 MB.
 */
export function createFrameSplitter(): FrameSplitter {
  let pending: Buffer[] = []
  let pendingBytes = 0

  return {
    push(bytes) {
      if (bytes.length === 0) return nothing
      // A blank line may be split between two reads, so the search includes the last bytes of the previous one.
      const tail = tailOf(pending)
      const joined = tail.length === 0 ? bytes : Buffer.concat([tail, bytes])
      const boundary = lastBoundary(joined) - tail.length
      if (boundary <= 0) {
        pending.push(bytes)
        pendingBytes += bytes.length
        if (pendingBytes > maxFrameBytes) {
          throw new GatewayError('upstream_error', 'The upstream sent a single stream event of more than 16 MB.')
        }
        return nothing
      }
      const whole = bytes.subarray(0, boundary)
      const frames = pending.length === 0 ? whole : Buffer.concat([...pending, whole])
      const rest = bytes.subarray(boundary)
      pending = rest.length === 0 ? [] : [rest]
      pendingBytes = rest.length
      return frames
    },
    end() {
      const rest = Buffer.concat(pending)
      pending = []
      pendingBytes = 0
      return rest
    },
  }
}

/** The `data:` payloads of complete frames, in order; comments, event names, ids and empty events are left out. */
export function readData(frames: Buffer): string[] {
  const payloads: string[] = []
  let lines: string[] = []
  const flush = () => {
    const payload = lines.join('\n')
    if (payload !== '') payloads.push(payload)
    lines = []
  }
  for (const line of frames.toString('utf8').split(/\r\n|\n|\r/)) {
    if (line === '') flush()
    else if (line.startsWith('data:')) lines.push(line.slice(line.charCodeAt(5) === 0x20 ? 6 : 5))
  }
  flush()
  return payloads
}

/** Index after the last blank line in `bytes`, or -1. */
function lastBoundary(bytes: Buffer): number {
  for (let position = bytes.lastIndexOf(lineFeed); position > 0; position = bytes.lastIndexOf(lineFeed, position - 1)) {
    const before = bytes[position - 1]
    if (before === lineFeed) return position + 1
    if (before === carriageReturn && bytes[position - 2] === lineFeed) return position + 1
  }
  return -1
}

function tailOf(buffers: readonly Buffer[]): Buffer {
  const last = buffers.slice(-3)
  return last.length === 0 ? nothing : Buffer.concat(last).subarray(-3)
}
