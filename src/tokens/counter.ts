import { LRUCache } from 'lru-cache'
import { lastBorder } from './border.ts'
import { longestText, openEncoding, type Stretch } from './encoding.ts'
import { type TokenEstimate, estimateTokens } from './estimate.ts'
import { createFingerprint } from './fingerprint.ts'
import { readMessages } from './messages.ts'
import type { OwnEncoding } from './ranks.ts'

export interface TokenCount {
  tokens: number
  /** Whether `tokens` is the encoding's exact count. */
  exact: boolean
  /** Error bound as a fraction of `tokens`, either way; 0 when exact. */
  error: number
}

export interface TokenCounter {
  /** Tokens of a text. Special tokens in it are treated as text. */
  countText(text: string): TokenCount
  /**
   * Tokens of a prompt: messages and tools as received, of any shape. Never throws. Counts about 130 kB of new text
   * exactly (30 kB of Chinese or base64, 20 kB of one endless word); the rest is an estimate, and the cache continues
   * from there when the same messages come again.
   */
  countMessages(messages: unknown, tools?: unknown): TokenCount
  /** Reads the vocabulary a few milliseconds at a time, so that the first request need not wait for it. */
  warm(): Promise<void>
  close(): void
}

export interface TokenCounterOptions {
  encoding?: OwnEncoding
  /** Texts, and parts of long ones, whose counts are remembered by a hash of theirs: about 200 bytes each. */
  cacheEntries?: number
}

/** Counts tokens exactly within a work limit, and says when a count is estimated: no call holds the event loop for long. */
export function createTokenCounter(options: TokenCounterOptions = {}): TokenCounter {
  const encoding = openEncoding(options.encoding ?? 'o200k_base')
  const keyOf = createFingerprint(longestText)
  const known = new LRUCache<string, number>({ max: options.cacheEntries ?? 10_000 })

  /** Counts texts part by part, exactly until the work is done, and estimates what is left of all of them together. */
  function countTexts(texts: readonly string[]): TokenEstimate {
    let tokens = 0
    let workLeft = exactWork
    let rest = ''
    for (const text of texts) {
      let position = 0
      while (position < text.length && workLeft > 0) {
        const end =
          text.length - position <= longestText ? text.length : lastBorder(text, position, position + longestText)
        const part = countAndRemember(
          position === 0 && end === text.length ? text : text.slice(position, end),
          workLeft,
        )
        tokens += part.tokens
        workLeft -= part.work
        position += part.read
        if (position < end || part.read === 0) break
      }
      rest += position === 0 ? text : text.slice(position)
    }
    if (rest === '') return { tokens, margin: 0 }
    const estimate = estimateTokens(rest, encoding)
    return { tokens: tokens + estimate.tokens, margin: estimate.margin }
  }

  function countAndRemember(text: string, workLeft: number): Stretch {
    if (text.length < shortestRemembered) return encoding.count(text, workLeft)
    const key = keyOf(text)
    const tokens = known.get(key)
    if (tokens !== undefined) return { tokens, read: text.length, work: 0 }
    const stretch = encoding.count(text, workLeft)
    if (stretch.read === text.length) known.set(key, stretch.tokens)
    return stretch
  }

  return {
    countText: text => counted(countTexts([text])),

    countMessages(messages, tools) {
      const { texts, templateTokens, mediaTokens, complete } = readMessages(messages, tools)
      const { tokens, margin } = countTexts(texts)
      const total = { tokens: tokens + templateTokens + mediaTokens, margin: margin + mediaTokens }
      return complete ? counted(total) : { ...counted(total), exact: false, error: 1 }
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

function counted({ tokens, margin }: TokenEstimate): TokenCount {
  return { tokens, exact: margin === 0, error: margin === 0 ? 0 : Math.min(1, margin / tokens) }
}

/**
 * In an encoding's units of work; including the sample of the rest, half of the 20 ms that a call may take on a slow
 * machine.
 */
const exactWork = 2_500_000
/** UTF-16 units; a shorter text is counted faster than it is hashed. */
const shortestRemembered = 128
