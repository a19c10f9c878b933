import { lastBorder } from './border.ts'
import type { TokenEstimate } from './estimate.ts'

/** Counts a text that arrives in pieces and keeps no more of it than could still change. */
export function growText(count: (text: string) => TokenEstimate) {
  let settled: TokenEstimate = { tokens: 0, margin: 0 }
  let tail = ''
  let longestTail = maxTailUnits

  const withTail = (text: string): TokenEstimate => {
    const { tokens, margin } = count(text)
    return { tokens: settled.tokens + tokens, margin: settled.margin + margin }
  }

  return {
    add(delta: string) {
      tail += delta
      if (tail.length < longestTail) return
      const border = lastBorder(tail, 0, tail.length)
      // Looking twice as far apart while there is none keeps the whole linear.
      longestTail = border === 0 ? longestTail * 2 : maxTailUnits
      settled = withTail(tail.slice(0, border))
      tail = tail.slice(border)
    },
    count: () => withTail(tail),
  }
}

/** UTF-16 units. */
const maxTailUnits = 8192
