/** A typed array that grows. `values` may be replaced by the next append. */
export interface Growing<T> {
  push(value: number): void
  readonly values: T
  readonly length: number
  /** The values appended so far. */
  view(): T
  /** Clears the numbers and keeps the memory. */
  clear(): void
}

type Numbers = Uint8Array | Uint32Array | Float32Array

export function createGrowingArray<T extends Numbers>(kind: new (length: number) => T): Growing<T> {
  let values = new kind(1024)
  let length = 0
  return {
    push(value) {
      if (length === values.length) {
        const larger = new kind(length * 2)
        larger.set(values)
        values = larger
      }
      values[length++] = value
    },
    get values() {
      return values
    },
    get length() {
      return length
    },
    view: () => values.subarray(0, length) as T,
    clear() {
      length = 0
    },
  }
}
