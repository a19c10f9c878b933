import type { TextSegment, TextReader } from './text-reader.ts'

const marks: readonly { opening: string; closing: string }[] = [
  { opening: '<think>', closing: '</think>' },
  { opening: '[THINK]', closing: '[/THINK]' },
]

/** Whitespace that may precede the reasoning. */
const maxSpace = 100
/** Maximum number of characters kept in case the supposed reasoning turns out to be the whole answer. */
const maxCached = 1024 * 1024

/**
 * Models whose chat templates emit the opening tag themselves, so that their answers start inside the reasoning. A
 * server that parses reasoning shows it by its first reasoning delta; from then on its text is left unchanged.
 */
export function startsInReasoning(model: string): boolean {
  return /qwq|deepseek-r1|-thinking\b/i.test(model) && !/no-?thinking|non-?thinking/i.test(model)
}

/**
 * Extracts the reasoning at the start of an answer: the text starts with an opening tag or, with `within`, continues
 * one that the model's template emitted. Elsewhere such tags are ordinary text. If reasoning without an opening tag is
 * never closed although the answer is complete, the model did not reason and the text is emitted as content.
 */
export function createInlineReasoningReader(within: boolean): TextReader {
  let state: 'before' | 'inside' | 'behind' | 'over' = 'before'
  let held = ''
  let closing: string | undefined
  /** The full text, while it may still have to be emitted as content. */
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
    const position = held.indexOf(tag)
    const known = position < 0 ? held.slice(0, held.length - beginningOf(tag, held)) : held.slice(0, position)
    const text = (seen ? known : known.trimStart()).trimEnd()
    seen ||= text !== ''
    const segments: TextSegment[] = text === '' ? [] : [{ reasoning: text }]
    if (position >= 0) {
      held = held.slice(position + tag.length)
      state = 'behind'
      return [...segments, ...resume()]
    }
    // Trailing whitespace belongs to the reasoning only if more reasoning follows.
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

/** Number of trailing characters of `text` that could be the start of `tag`. */
function beginningOf(tag: string, text: string): number {
  for (let length = Math.min(tag.length - 1, text.length); length > 0; length -= 1) {
    if (tag.startsWith(text.slice(-length))) return length
  }
  return 0
}
