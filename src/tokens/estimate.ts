import type { Encoding } from './encoding.ts'

/** A number of tokens and how far off it may be; nothing when it was counted. */
export interface TokenEstimate {
  tokens: number
  /** Error of `tokens`, either way: three standard errors of the sample, plus the effect of cutting tokens. */
  margin: number
}

/** Estimates a text from windows spread over it, one at a drawn place in each of equal parts; the same for equal texts. */
export function estimateTokens(text: string, encoding: Encoding): TokenEstimate {
  const windows = Math.min(WINDOWS, Math.ceil(text.length / shortestWindow))
  const partLength = text.length / windows
  const draw = drawFrom(text.length)
  const densities: number[] = []
  let sampled = 0
  for (let part = 0; part < windows; part++) {
    const length = Math.min(longestWindow, Math.ceil(partLength))
    const start = Math.floor(part * partLength + draw() * Math.max(0, partLength - length))
    const window = countWindow(text.slice(start, start + length), encoding)
    if (window.read === 0) continue
    sampled += window.read
    densities.push(window.tokens / window.read)
  }
  const mean = sum(densities) / densities.length
  const variance = sum(densities.map(density => (density - mean) ** 2)) / Math.max(1, densities.length - 1)
  const unseen = Math.max(0, 1 - sampled / text.length)
  const standardError = Math.sqrt((variance / densities.length) * unseen)
  return {
    tokens: Math.round(text.length * mean),
    margin: Math.ceil(text.length * (3 * standardError + (tokensCut * densities.length) / sampled)),
  }
}

/** A window inside one endless piece is too expensive to count: then its beginning stands for it. */
function countWindow(window: string, encoding: Encoding): { tokens: number; read: number } {
  for (let text = window; ; text = text.slice(0, text.length >> 2)) {
    const { tokens, read } = encoding.count(text, windowWork)
    if (read > 0 || text.length <= 1) return { tokens, read }
  }
}

/** A linear congruential generator (Numerical Recipes' constants): even enough not to align with any period. */
function drawFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

const WINDOWS = 64
/** UTF-16 units; the longest that a window's work limit covers where every piece is a token. */
const shortestWindow = 64
const longestWindow = 1333
/** In an encoding's units of work; all windows together cost about a quarter of the exact count. */
const windowWork = 16_000
/** A window cuts the tokens at both ends. */
const tokensCut = 2
