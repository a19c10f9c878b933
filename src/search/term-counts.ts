/** The terms of a segment being built, numbered in the order they were first seen, and counted chunk by chunk. */
export interface TermCounts {
  /** The term's number, a new one when it was not seen before. */
  numberOf: (term: string) => number
  /** Counts one occurrence in the current chunk. */
  count(number: number, weight: number): void
  /** Visits the terms counted in the current chunk, which belongs to a file, and starts the next one. */
  endChunk(file: number, visit: (number: number, weightedFrequency: number) => void): void
  /** Number of files with the term in a chunk. */
  filesWith(number: number): number
  /** Every term with its number. */
  readonly numbers: ReadonlyMap<string, number>
  /** Clears the terms and keeps the memory. */
  clear(): void
}

export function createTermCounts(): TermCounts {
  const numbers = new Map<string, number>()
  // By a term's number: its frequency in the current chunk, and the last chunk and file it was seen in, plus one.
  let frequency = new Float32Array(4096)
  let lastChunk = new Uint32Array(4096)
  let lastFile = new Uint32Array(4096)
  let filesWith = new Uint32Array(4096)
  let touched = new Uint32Array(4096)
  let touchedCount = 0
  // The number of the current chunk plus one, so that zero means never.
  let chunkStamp = 1

  const grow = () => {
    frequency = doubled(frequency, Float32Array)
    lastChunk = doubled(lastChunk, Uint32Array)
    lastFile = doubled(lastFile, Uint32Array)
    filesWith = doubled(filesWith, Uint32Array)
    touched = doubled(touched, Uint32Array)
  }
  return {
    numberOf(term) {
      const known = numbers.get(term)
      if (known !== undefined) return known
      const number = numbers.size
      numbers.set(flat(term), number)
      if (number === frequency.length) grow()
      return number
    },
    count(number, weight) {
      if (lastChunk[number] === chunkStamp) frequency[number]! += weight
      else {
        lastChunk[number] = chunkStamp
        frequency[number] = weight
        touched[touchedCount++] = number
      }
    },
    endChunk(file, visit) {
      for (let index = 0; index < touchedCount; index++) {
        const number = touched[index]!
        visit(number, frequency[number]!)
        if (lastFile[number] !== file + 1) {
          lastFile[number] = file + 1
          filesWith[number]!++
        }
      }
      touchedCount = 0
      chunkStamp++
    },
    filesWith: number => filesWith[number]!,
    numbers,
    clear() {
      numbers.clear()
      for (const each of [lastChunk, lastFile, filesWith]) each.fill(0)
      touchedCount = 0
      chunkStamp = 1
    },
  }
}

// A longer slice would reference its file's text and keep all of it in memory.
function flat(text: string): string {
  return text.length < 13 ? text : Buffer.from(text).toString()
}

function doubled<T extends Float32Array | Uint32Array>(array: T, kind: new (length: number) => T): T {
  const larger = new kind(array.length * 2)
  larger.set(array)
  return larger
}
