import { GatewayError } from '../errors.ts'

const maxLineBytes = 16 * 1024 * 1024
const lineFeed = 0x0a

/** Splits a byte stream into lines; a character split by the network is complete again before it is decoded. */
export interface LineSplitter {
  /** The lines completed by this input, without line ends; empty lines are left out. */
  push(bytes: Buffer): string[]
  /** The last line, if the stream ended without a line end. */
  end(): string[]
}

/** Throws `upstream_error` when one line exceeds 16 MB. */
export function createLineSplitter(): LineSplitter {
  let pending: Buffer[] = []
  let pendingBytes = 0
  const linesOf = (bytes: Buffer) =>
    bytes
      .toString('utf8')
      .split('\n')
      .map(line => line.replace(/\r$/, ''))
      .filter(line => line.trim() !== '')

  return {
    push(bytes) {
      const end = bytes.lastIndexOf(lineFeed)
      if (end < 0) {
        pending.push(bytes)
        pendingBytes += bytes.length
        if (pendingBytes > maxLineBytes) {
          throw new GatewayError('upstream_error', 'The upstream sent a single line of more than 16 MB.')
        }
        return []
      }
      const whole = Buffer.concat([...pending, bytes.subarray(0, end)])
      const rest = bytes.subarray(end + 1)
      pending = rest.length === 0 ? [] : [rest]
      pendingBytes = rest.length
      return linesOf(whole)
    },
    end() {
      const rest = Buffer.concat(pending)
      pending = []
      pendingBytes = 0
      return linesOf(rest)
    },
  }
}
