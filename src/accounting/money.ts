/**
 * Money is kept in USD as multiples of a picodollar (1e-12 USD), fine enough for the price of any token, and summed as
 * integers: no sum depends on its order, and 0.1 + 0.2 is 0.3.
 */
const picosPerUsd = 1e12
const digits = 12

/** A sum of amounts, exact however many there are. */
export interface UsdSum {
  /** USD. */
  add: (usd: number) => void
  /** USD. */
  total: () => number
}

export function createUsdSum(): UsdSum {
  let picos = 0n
  // What has been added since: whole numbers are added exactly, and several times faster, while they are safe.
  let recent = 0
  return {
    add(usd) {
      const more = Math.round(usd * picosPerUsd)
      if (Math.abs(recent) + Math.abs(more) > Number.MAX_SAFE_INTEGER) {
        picos += BigInt(recent)
        recent = 0
        if (Math.abs(more) > Number.MAX_SAFE_INTEGER) {
          picos += BigInt(more)
          return
        }
      }
      recent += more
    },
    total: () => usdOf(picos + BigInt(recent)),
  }
}

/** An amount in USD as picodollars, rounded to the nearest. */
export function picosOf(usd: number): bigint {
  return BigInt(Math.round(usd * picosPerUsd))
}

/** The nearest amount that is kept; USD. */
export function roundUsd(usd: number): number {
  return Math.round(usd * picosPerUsd) / picosPerUsd
}

/** The exact sum of amounts in USD. */
export function sumUsd(amounts: readonly number[]): number {
  const sum = createUsdSum()
  for (const usd of amounts) sum.add(usd)
  return sum.total()
}

/** Picodollars in USD, by way of the decimal form: a total may have more digits than a number can count in picodollars. */
export function usdOf(picos: bigint): number {
  const text = (picos < 0n ? -picos : picos).toString().padStart(digits + 1, '0')
  return Number(`${picos < 0n ? '-' : ''}${text.slice(0, -digits)}.${text.slice(-digits)}`)
}
