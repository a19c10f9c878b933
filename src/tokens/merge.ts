import { addToHash, hashFactor, type Ranks } from './ranks.ts'

/**
 * Byte pair encoding of one piece: from single bytes, the adjacent pair with the lowest rank is joined, the leftmost
 * among equals, until no pair is a token. Returns the number of tokens in `bytes[start, end)`.
 */
export type Merge = (bytes: Uint8Array, start: number, end: number) => number

/**
 * Merges pieces of up to `longestBytes`, which sizes the working arrays. Both algorithms give the same result; each is
 * faster on its side of `shortBytes`.
 */
export function createMerge(ranks: Ranks, longestBytes: number): Merge {
  const rankOf = createRankOf(ranks, longestBytes)
  const mergeShort = createShortMerge(rankOf)
  const mergeLong = createLongMerge(rankOf, longestBytes)

  return (bytes, start, end) => {
    rankOf.prepare(bytes, start, end)
    return (end - start <= shortBytes ? mergeShort : mergeLong)(bytes, start, end - start)
  }
}

const shortBytes = 48

/** Looks up parts of one piece by their bounds, in constant time and without copying. */
function createRankOf(ranks: Ranks, longestBytes: number) {
  const hashes = new Int32Array(longestBytes + 1)
  const powers = new Int32Array(ranks.longest + 1)
  powers[0] = 1
  for (let n = 1; n <= ranks.longest; n++) powers[n] = Math.imul(powers[n - 1]!, hashFactor)

  return {
    prepare(bytes: Uint8Array, start: number, end: number) {
      let hash = 0
      for (let position = start; position < end; position++)
        hashes[position - start + 1] = hash = addToHash(hash, bytes[position]!)
    },
    /** The rank of the token spelled by part [from, to) of the piece at `start`, or `NONE`. */
    find(bytes: Uint8Array, start: number, from: number, to: number): number {
      const length = to - from
      if (length > ranks.longest) return NONE
      // hash(from, to) = hash(0, to) - hash(0, from) * factor^(to - from), as addToHash adds one to every byte.
      const hash = (hashes[to]! - Math.imul(hashes[from]!, powers[length]!)) | 0
      const rank =
        length === 2
          ? ranks.pairs[(bytes[start + from]! << 8) | bytes[start + from + 1]!]!
          : ranks.find(bytes, start + from, start + to, hash)
      return rank < 0 ? NONE : rank
    },
  }
}

type RankOf = ReturnType<typeof createRankOf>

/** Scans all pairs for the lowest rank; quadratic, but over a few adjacent numbers. */
function createShortMerge(rankOf: RankOf) {
  const starts = new Int32Array(shortBytes + 2)
  /** The rank of part k joined with the next. */
  const joined = new Int32Array(shortBytes + 2)

  return (bytes: Uint8Array, start: number, length: number): number => {
    let parts = length
    for (let k = 0; k <= length; k++) {
      starts[k] = k
      joined[k] = k + 2 <= length ? rankOf.find(bytes, start, k, k + 2) : NONE
    }
    for (;;) {
      let least: number = NONE
      let position = 0
      for (let k = 0; k < parts - 1; k++) {
        if (joined[k]! >= least) continue
        least = joined[k]!
        position = k
      }
      if (least === NONE) return parts
      for (let k = position + 1; k < parts; k++) {
        starts[k] = starts[k + 1]!
        joined[k] = joined[k + 1]!
      }
      parts--
      joined[position] =
        position + 2 <= parts ? rankOf.find(bytes, start, starts[position]!, starts[position + 2]!) : NONE
      if (position > 0) joined[position - 1] = rankOf.find(bytes, start, starts[position - 1]!, starts[position + 1]!)
    }
  }
}

/**
 * A linked list of parts, and over them a tree of minima whose root is the pair to join: O(n log n), so that a long
 * piece cannot hold the event loop.
 */
function createLongMerge(rankOf: RankOf, longestBytes: number) {
  /** Where the part after the one that starts here starts. */
  const next = new Int32Array(longestBytes + 1)
  const previous = new Int32Array(longestBytes + 1)
  /**
   * Leaf `leaves + at` is the rank of the part that starts at `at` joined with the next; node k is the minimum of 2k,
   * 2k + 1.
   */
  const least = new Int32Array(2 * leavesOver(longestBytes))

  return (bytes: Uint8Array, start: number, length: number): number => {
    const leaves = leavesOver(length)
    const join = (position: number): number => {
      const second = next[position]!
      return second < length ? rankOf.find(bytes, start, position, next[second]!) : NONE
    }
    const set = (position: number, rank: number) => {
      let node = leaves + position
      least[node] = rank
      while (node > 1) {
        const other = least[node ^ 1]!
        const own = least[node]!
        node >>= 1
        const less = own < other ? own : other
        if (least[node] === less) return
        least[node] = less
      }
    }
    for (let position = 0; position <= length; position++) {
      next[position] = position + 1
      previous[position] = position - 1
    }
    for (let position = 0; position < leaves; position++)
      least[leaves + position] = position < length ? join(position) : NONE
    for (let node = leaves - 1; node > 0; node--) least[node] = Math.min(least[node * 2]!, least[node * 2 + 1]!)
    let parts = length
    for (let rank = least[1]!; rank !== NONE; rank = least[1]!) {
      let node = 1
      while (node < leaves) node = least[node * 2] === rank ? node * 2 : node * 2 + 1
      const position = node - leaves
      const gone = next[position]!
      const after = next[gone]!
      next[position] = after
      previous[after] = position
      parts--
      set(gone, NONE)
      set(position, join(position))
      if (position > 0) set(previous[position]!, join(previous[position]!))
    }
    return parts
  }
}

function leavesOver(length: number): number {
  return 2 ** Math.ceil(Math.log2(length))
}

/** Above every rank, so that the minimum is found without testing for absence. */
const NONE = 0x7fffffff
