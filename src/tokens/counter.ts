import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { type Encoding, openEncoding } from './encoding.ts'
import { type Estimate, estimateTokens } from './estimate.ts'
import { type ForeignEncoding, openForeignEncoding } from './foreign.ts'
import { growText } from './growing.ts'
import { readMessages } from './messages.ts'
import type { OwnEncoding } from './ranks.ts'

export interface TokenCount {
  tokens: number
  /** Whether `tokens` is what the encoding gives, to the token. */
  exact: boolean
  /** The fraction of `tokens` by which it may be off, either way; 0 when exact. */
  error: number
}

export type EncodingName = OwnEncoding | ForeignEncoding

export interface TokenCounter {
  /** Tokens of a text. What looks like a special token in it is text. */
  countText(text: string): TokenCount
  /**
   * Tokens of a prompt: messages and tools as they came, of any shape. Never throws. Counts at most some 300 kB of new
   * text exactly; what lies beyond is an estimate, and the cache carries on from there when the same messages come again.
   */
  countMessages(messages: unknown, tools?: unknown): TokenCount
  /** Counts a text that arrives in pieces, such as an answer that may break off. */
  countGrowing(): GrowingCount
  /** Reads the vocabulary a few milliseconds at a time, so that the first request need not wait for it. */
  warm(): Promise<void>
  close(): void
}

export interface GrowingCount {
  add(delta: string): void
  /** Tokens of everything added so far. */
  count(): TokenCount
}

export interface TokenCounterOptions {
  encoding?: EncodingName
  /** Texts whose counts are remembered, by their SHA-1: about 200 bytes each, whatever their length. */
  cacheEntries?: number
}

/** Counts tokens exactly and at once, and says so when it does not: no call holds the event loop for long. */
export function createTokenCounter(options: TokenCounterOptions = {}): TokenCounter {
  const encoding = open(options.encoding ?? 'o200k_base')
  const known = new LRUCache<string, Progress>({ max: options.cacheEntries ?? 10_000 })

  function countTexts(texts: readonly string[]): Estimate {
    let tokens = 0
    let workLeft = EXACT_WORK
    const rest: string[] = []
    for (const text of texts) {
      const progress = countFurther(text, workLeft)
      workLeft -= progress.work
      tokens += progress.tokens
      if (progress.read < text.length) rest.push(text.slice(progress.read))
    }
    return withEstimate(tokens, rest.join(''))
  }

  function withEstimate(tokens: number, rest: string): Estimate {
    if (rest === '') return { tokens, margin: 0 }
    const estimate = estimateTokens(rest, encoding)
    return { tokens: tokens + estimate.tokens, margin: estimate.margin }
  }

  /** Counts a text from where an earlier call stopped, which may be its end. */
  function countFurther(text: string, workLeft: number): Progress & { work: number } {
    if (text.length < SHORTEST_REMEMBERED)
      return workLeft > 0 ? encoding.count(text, workLeft) : { ...NOTHING, work: 0 }
    const key = hash('sha1', text, 'base64')
    const before = known.get(key) ?? NOTHING
    if (before.read === text.length || workLeft <= 0) return { ...before, work: 0 }
    const { tokens, read, work } = encoding.count(before.read === 0 ? text : text.slice(before.read), workLeft)
    const progress = { tokens: before.tokens + tokens, read: before.read + read }
    if (read > 0) known.set(key, progress)
    return { ...progress, work }
  }

  return {
    countText: text => counted(countTexts([text])),

    countMessages(messages, tools) {
      const { texts, templateTokens, mediaTokens, complete } = readMessages(messages, tools)
      const { tokens, margin } = countTexts(texts)
      const total = { tokens: tokens + templateTokens + mediaTokens, margin: margin + mediaTokens }
      return complete ? counted(total) : { ...counted(total), exact: false, error: 1 }
    },

    countGrowing() {
      const growing = growText(text => {
        const { tokens, read } = encoding.count(text, EXACT_WORK)
        return withEstimate(tokens, text.slice(read))
      })
      return { add: delta => growing.add(delta), count: () => counted(growing.count()) }
    },

    async warm() {
      while (!encoding.loadSlice()) await new Promise(resolve => setImmediate(resolve))
    },

    close() {
      known.clear()
      encoding.close()
    },
  }
}

/** How far a text has been counted: the tokens of its first `read` UTF-16 units, which end with a piece. */
interface Progress {
  tokens: number
  read: number
}

function open(name: EncodingName): Encoding {
  return name === 'o200k_base' || name === 'cl100k_base' ? openEncoding(name) : openForeignEncoding(name)
}

function counted({ tokens, margin }: Estimate): TokenCount {
  return { tokens, exact: margin === 0, error: margin === 0 ? 0 : Math.min(1, margin / tokens) }
}

const NOTHING: Progress = { tokens: 0, read: 0 }
/** In an encoding's units of work: with the sample, a fifth to a half of the 20 ms that a call may take. */
const EXACT_WORK = 6_000_000
/** UTF-16 units; a shorter text is counted faster than it is hashed. */
const SHORTEST_REMEMBERED = 128
