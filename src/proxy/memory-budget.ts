import { GatewayError } from '../errors.ts'

const retryAfterSeconds = 5

/** Bounds the memory that all requests in progress take together. */
export interface MemoryBudget {
  /** For one request; it holds nothing yet. */
  open(): Reservation
  /** Bytes held by all requests. */
  used(): number
}

export interface Reservation {
  /**
   * Holds `bytes` from now on, instead of what it held. Throws `memory_full` if others leave too little, and
   * `request_too_large` if it would be too much for one request alone.
   */
  hold(bytes: number): void
  release(): void
}

export function createMemoryBudget(limitBytes: number): MemoryBudget {
  let used = 0
  return {
    used: () => used,
    open() {
      let held = 0
      const change = (bytes: number) => {
        used += bytes - held
        held = bytes
      }
      return {
        hold(bytes) {
          if (bytes > held && used - held + bytes > limitBytes) throw tooMuch(bytes, limitBytes)
          change(bytes)
        },
        release: () => change(0),
      }
    },
  }
}

function tooMuch(bytes: number, limitBytes: number): GatewayError {
  const megabytes = (value: number) => `${Math.ceil(value / 1024 / 1024)} MB`
  if (bytes > limitBytes) {
    return new GatewayError(
      'request_too_large',
      `The request would take ${megabytes(bytes)} of memory, of ${megabytes(limitBytes)} for all requests; send less, or raise REQUEST_MEMORY_MB.`,
    )
  }
  return new GatewayError(
    'memory_full',
    `Requests in progress take all of the ${megabytes(limitBytes)} of memory for them; try again in ${retryAfterSeconds} s, or raise REQUEST_MEMORY_MB.`,
    { retryAfterSeconds },
  )
}
