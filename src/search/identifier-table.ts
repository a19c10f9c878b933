/**
 * Maps an identifier to its terms, looked up by its characters in the text. A `Map` would need a string for each
 * occurrence; without one, indexing takes two thirds of the time.
 */
export interface IdentifierTable {
  /** The identifier's entry, or -1. `hash` is that of `hashStep` over its characters, which are all ASCII. */
  find(text: string, start: number, end: number, hash: number): number
  add(text: string, start: number, end: number, hash: number, terms: readonly number[]): number
  /** By entry, where its terms start in `terms`; they end where the next entry's start. */
  readonly firstTerms: Uint32Array
  readonly terms: Uint32Array
  readonly size: number
  /** Clears the identifiers and keeps the memory. */
  clear(): void
}

/** One step of a multiplicative hash over character codes, kept within 32 bits. */
export function hashStep(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193)
}

export function createIdentifierTable(): IdentifierTable {
  let slots = new Int32Array(4096)
  let hashes = new Int32Array(2048)
  let starts = new Uint32Array(2049)
  let firstTerms = new Uint32Array(2049)
  let characters = new Uint8Array(16_384)
  let terms = new Uint32Array(8192)
  let size = 0

  const slotFor = (hash: number) => {
    const mask = slots.length - 1
    let slot = (hash ^ (hash >>> 15)) & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    return slot
  }
  const growEntries = () => {
    hashes = larger(hashes, new Int32Array(hashes.length * 2))
    starts = larger(starts, new Uint32Array(hashes.length + 1))
    firstTerms = larger(firstTerms, new Uint32Array(hashes.length + 1))
    slots = new Int32Array(slots.length * 2)
    for (let entry = 0; entry < size; entry++) slots[slotFor(hashes[entry]!)] = entry + 1
  }
  return {
    find(text, start, end, hash) {
      const mask = slots.length - 1
      const length = end - start
      for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
        const entry = slots[slot]! - 1
        if (entry < 0) return -1
        if (hashes[entry] !== hash) continue
        const from = starts[entry]!
        if (starts[entry + 1]! - from !== length) continue
        let index = 0
        while (index < length && characters[from + index] === text.charCodeAt(start + index)) index++
        if (index === length) return entry
      }
    },
    add(text, start, end, hash, its) {
      if (size === hashes.length) growEntries()
      const entry = size++
      const from = starts[entry]!
      if (from + end - start > characters.length) characters = larger(characters, new Uint8Array(characters.length * 2))
      for (let index = start; index < end; index++) characters[from + index - start] = text.charCodeAt(index)
      starts[entry + 1] = from + end - start
      const firstTerm = firstTerms[entry]!
      if (firstTerm + its.length > terms.length) terms = larger(terms, new Uint32Array(terms.length * 2))
      terms.set(its, firstTerm)
      firstTerms[entry + 1] = firstTerm + its.length
      hashes[entry] = hash
      slots[slotFor(hash)] = entry + 1
      return entry
    },
    get firstTerms() {
      return firstTerms
    },
    get terms() {
      return terms
    },
    get size() {
      return size
    },
    clear() {
      slots.fill(0)
      size = 0
    },
  }
}

function larger<T extends Int32Array | Uint32Array | Uint8Array>(from: T, to: T): T {
  to.set(from)
  return to
}
