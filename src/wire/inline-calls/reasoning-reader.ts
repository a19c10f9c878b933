import type { TextSegment, TextReader } from './text-reader.ts'

const marks: readonly { opening: string; closing: string }[] = [
  { opening: '<think>', closing: '</think>' },
  { opening: '[THINK]', closing: '[/THINK]' },
]

/** White space that may stand before a thought. */
const maxSpace = 100
/** Characters of an answer that are kept in case its thought turns out to be all of it. */
const maxCached = 1024 * 1024

/**
 * Models whose chat templates write the opening tag themselves, so that their answers begin inside a thought. A server that
 * parses thoughts says so by its first piece of reasoning, and then its text is left alone.
 */
export function startsInReasoning(model: string): boolean {
  return /qwq|deepseek-r1|-thinking\b/i.test(model) && !/no-?thinking|non-?thinking/i.test(model)
}

/**
 * Finds the thought at the beginning of an answer: the text starts with an opening tag, or, `within`, goes on from one that the
 * model's template wrote. Anywhere else such tags are words like others. Should a thought without an opening tag never be
 * closed although the answer is whole, then the model did not think: the text is given again as content.
 */
export function createInlineReasoningReader(within: boolean): TextReader {
  let state: 'before' | 'inside' | 'behind' | 'over' = 'before'
  let held = ''
  let closing: string | undefined
  /** The whole text as long as it may have to be given again. */
  let kept: string | undefined = within ? '' : undefined
  let seen = false

  const release = (): TextSegment[] => {
    state = 'over'
    const text = held
    held = ''
    return text === '' ? [] : [{ content: text }]
  }

  const enter = (): TextSegment[] => {
    const start = held.trimStart()
    const mark = marks.find(({ opening }) => start.startsWith(opening))
    if (mark !== undefined) {
      ;({ closing } = mark)
      kept = undefined
      held = start.slice(mark.opening.length)
    } else {
      const undecided = start === '' ? held.length <= maxSpace : marks.some(({ opening }) => opening.startsWith(start))
      if (undecided) return []
      if (!within) return release()
      ;({ closing } = marks[0]!)
    }
    state = 'inside'
    return think()
  }

  const think = (): TextSegment[] => {
    const tag = closing!
    const at = held.indexOf(tag)
    const known = at < 0 ? held.slice(0, held.length - beginningOf(tag, held)) : held.slice(0, at)
    const text = (seen ? known : known.trimStart()).trimEnd()
    seen ||= text !== ''
    const segments: TextSegment[] = text === '' ? [] : [{ reasoning: text }]
    if (at >= 0) {
      held = held.slice(at + tag.length)
      state = 'behind'
      return [...segments, ...resume()]
    }
    // White space at the end belongs to the thought only if more of it follows.
    held = held.slice(known.trimEnd().length)
    return segments
  }

  const resume = (): TextSegment[] => {
    held = held.trimStart()
    return held === '' ? [] : release()
  }

  return {
    push(text) {
      if (state === 'over') return [{ content: text }]
      held += text
      if (kept !== undefined) kept = kept.length > maxCached ? undefined : kept + text
      if (state === 'before') return enter()
      return state === 'inside' ? think() : resume()
    },
    end(whole) {
      if (state === 'before') return release()
      if (state !== 'inside') return []
      state = 'over'
      if (whole && kept !== undefined) return [{ content: kept }]
      const rest = held.trimEnd()
      return rest === '' ? [] : [{ reasoning: rest }]
    },
    served(what) {
      if (what === 'calls' || state !== 'before') return []
      return release()
    },
    settled: () => state === 'over',
  }
}

/** How many characters at the end of `text` may be the beginning of `tag`. */
function beginningOf(tag: string, text: string): number {
  for (let length = Math.min(tag.length - 1, text.length); length > 0; length -= 1) {
    if (tag.startsWith(text.slice(-length))) return length
  }
  return 0
}
