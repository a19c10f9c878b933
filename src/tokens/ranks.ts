import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** The encodings counted here; tiktoken's others are left to tiktoken. */
export type OwnEncoding = 'o200k_base' | 'cl100k_base'

/** The vocabulary of one encoding: which byte strings are tokens, and their ranks. */
export interface Ranks {
  /** The rank of the token `bytes[start, end)`, whose hash is `hash`; -1 where that is no token. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): number
  /** The rank of the token of two bytes, indexed by `first << 8 | second`; -1 where that is no token. */
  pairs: Int32Array
  /** Bytes of the longest token. */
  longest: number
}

/** A vocabulary that is loaded in slices of some milliseconds, or at once for a caller that cannot wait. */
export interface RanksLoader {
  /** Loads the next slice. Returns whether everything is loaded. */
  loadSlice(): boolean
  /** Loads the rest. */
  load(): Ranks
}

/** Loads a vocabulary that tiktoken ships into one open-addressed table. */
export function openRanks(encoding: OwnEncoding): RanksLoader {
  let builder: ReturnType<typeof buildRanks> | undefined
  let ranks: Ranks | undefined

  function loadSlice(): boolean {
    if (ranks !== undefined) return true
    if (builder === undefined) {
      builder = buildRanks(readPacked(encoding))
      return false
    }
    if (!builder.addTokens(tokensPerSlice)) return false
    ranks = builder.finish()
    builder = undefined
    return true
  }

  return {
    loadSlice,
    load() {
      while (ranks === undefined) loadSlice()
      return ranks
    },
  }
}

/** A polynomial over the bytes, so that the hash of any part of a piece follows from those of two prefixes. */
export function addToHash(hash: number, byte: number): number {
  return (Math.imul(hash, hashFactor) + byte + 1) | 0
}

export const hashFactor = 0x01000193

/** The vocabulary as shipped: `! 0 ` and then every token in base64, in order of rank, separated by spaces. */
function readPacked(encoding: OwnEncoding): Uint8Array {
  const file = createRequire(import.meta.url).resolve(`tiktoken/encoders/${encoding}.json`)
  const { bpe_ranks: packed } = JSON.parse(readFileSync(file, 'utf8')) as { bpe_ranks: string }
  return Buffer.from(packed, 'latin1').subarray('! 0 '.length)
}

function buildRanks(packed: Uint8Array) {
  const maxTokens = Math.ceil(packed.length / bytesPerPackedToken)
  const mask = 2 ** Math.ceil(Math.log2(maxTokens)) - 1
  /** Each slot holds a hash and the start of the token's bytes; 0 where it is free. At most half the slots are used. */
  const table = new Int32Array((mask + 1) * 2)
  /**
   * Each token's rank in three bytes, its length in one, and its bytes: all adjacent, because one cache miss costs more
   * than all other work on a piece.
   */
  const tokens = new Uint8Array(maxTokens * headerBytes + Math.ceil(packed.length * 0.75))
  const pairs = new Int32Array(0x10000).fill(-1)
  let longest = 0
  let rank = 0
  let position = 0
  let end = 0

  /** Adds up to this many tokens. Returns whether those were the last. */
  function addTokens(count: number): boolean {
    const enough = rank + count
    while (rank < enough && position < packed.length) {
      const start = end + headerBytes
      end = start
      let hash = 0
      for (; position < packed.length && packed[position] !== SPACE; position += 4) {
        const third = SEXTETS[packed[position + 2]!]!
        const fourth = SEXTETS[packed[position + 3]!]!
        const bits =
          (SEXTETS[packed[position]!]! << 18) | (SEXTETS[packed[position + 1]!]! << 12) | (third << 6) | fourth
        hash = addToHash(hash, (tokens[end++] = (bits >> 16) & 0xff))
        if (third !== PADDING) hash = addToHash(hash, (tokens[end++] = (bits >> 8) & 0xff))
        if (fourth !== PADDING) hash = addToHash(hash, (tokens[end++] = bits & 0xff))
      }
      position++
      const length = end - start
      tokens[start - 4] = rank
      tokens[start - 3] = rank >> 8
      tokens[start - 2] = rank >> 16
      tokens[start - 1] = length
      if (length > longest) longest = length
      if (length === 2) pairs[(tokens[start]! << 8) | tokens[start + 1]!] = rank
      let place = mixed(hash) & mask
      while (table[place * 2 + 1] !== 0) place = (place + 1) & mask
      table[place * 2] = hash
      table[place * 2 + 1] = start
      rank++
    }
    return position >= packed.length
  }

  return {
    addTokens,
    finish: (): Ranks => finishRanks(table, mask, tokens.slice(0, end), pairs, longest),
  }
}

function finishRanks(table: Int32Array, mask: number, tokens: Uint8Array, pairs: Int32Array, longest: number): Ranks {
  return {
    find(bytes, start, end, hash) {
      let place = mixed(hash) & mask
      for (;;) {
        const found = table[place * 2 + 1]!
        if (found === 0) return -1
        if (table[place * 2] === hash && spells(tokens, found, bytes, start, end)) {
          return tokens[found - 4]! | (tokens[found - 3]! << 8) | (tokens[found - 2]! << 16)
        }
        place = (place + 1) & mask
      }
    },
    pairs,
    longest,
  }
}

function mixed(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
  return once ^ (once >>> 15)
}

function spells(tokens: Uint8Array, from: number, bytes: Uint8Array, start: number, end: number): boolean {
  if (tokens[from - 1] !== end - start) return false
  for (let token = from, byte = start; byte < end; token++, byte++) if (tokens[token] !== bytes[byte]) return false
  return true
}

/** Rank and length before a token's bytes; the longest token of both encodings has 128. */
const headerBytes = 4
/** Four characters of base64 and a space: the minimum a token takes. */
const bytesPerPackedToken = 5
const tokensPerSlice = 20_000
const SPACE = 0x20
// High enough to leave no trace in the three bytes that four characters of base64 encode.
const PADDING = 2 ** 26
const SEXTETS = new Uint32Array(256).fill(PADDING)
Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1').forEach((code, value) => {
  SEXTETS[code] = value
})
