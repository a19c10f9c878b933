import { isObject, parseJson } from '../../json.ts'
import { faultInChunk } from './check-shape.ts'
import type { ChatChunk } from './schema.ts'

/** Frames of one answer that differ only in the text they add. */
interface FrameForm {
  /** What precedes and follows the text. */
  before: string
  after: string
  /** The event with another text. */
  chunk: (text: string) => ChatChunk
}

/**
 * Reads frames that only add text without parsing each: a frame with the same start and end as a parsed one, and the inside of
 * a JSON string between, is the same event with another text. Parsing each one costs several times as much.
 */
export function createTextFrameReader(): { read: (frames: string) => ChatChunk | undefined } {
  let form: FrameForm | undefined

  return {
    /** One event that adds the text of all these frames; undefined where one of them does anything else. */
    read(frames) {
      const firstEnd = frames.indexOf('\n\n')
      if (firstEnd < 0) return undefined
      if (form === undefined || textIn(form, frames, 0, firstEnd) === undefined) {
        form = formOf(frames.slice(0, firstEnd))
        if (form === undefined) return undefined
      }
      let inside = ''
      for (let start = 0, end = firstEnd; start < frames.length; start = end + 2, end = frames.indexOf('\n\n', start)) {
        const text = end < 0 ? undefined : textIn(form, frames, start, end)
        if (text === undefined) return undefined
        inside += text
      }
      return form.chunk(JSON.parse(`"${inside}"`) as string)
    },
  }
}

/** The inside of the string in which the frame differs from others of the form; undefined for any other frame. */
function textIn({ before, after }: FrameForm, frames: string, start: number, end: number): string | undefined {
  const textStart = start + before.length
  const textEnd = end - after.length
  if (textEnd < textStart || !frames.startsWith(before, start) || !frames.startsWith(after, textEnd)) return undefined
  const text = frames.slice(textStart, textEnd)
  return insideOfString.test(text) ? text : undefined
}

/** What JSON allows between the quotes of a string. */
const insideOfString = /^(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*$/

/** Undefined where the frame does not just add text to one field of one choice. */
function formOf(frame: string): FrameForm | undefined {
  const start = /^data: ?/.exec(frame)?.[0].length
  if (start === undefined || frame.includes('\n')) return undefined
  const chunk = parseJson(frame.slice(start))
  if (!isObject(chunk) || faultInChunk(chunk) !== undefined) return undefined
  const { choices } = chunk as ChatChunk
  const [choice] = choices ?? []
  if (choice === undefined || choices!.length > 1) return undefined
  const { index: _index, delta, ...more } = choice
  // Whatever else a choice has would have to be added once for each frame.
  if (!isObject(delta) || Object.values(more).some(value => value !== null)) return undefined
  const added = Object.entries(delta).filter(([name, value]) => name !== 'role' && value !== null)
  const [[field, text] = []] = added
  if (added.length !== 1 || field === undefined || typeof text !== 'string') return undefined
  const inside = insideOf(frame, field)
  if (inside === undefined || JSON.parse(`"${frame.slice(inside.start, inside.end)}"`) !== text) return undefined
  return {
    before: frame.slice(0, inside.start),
    after: frame.slice(inside.end),
    chunk: text => ({ ...chunk, choices: [{ ...choice, delta: { ...delta, [field]: text } }] }),
  }
}

/** Where the string that is the value of the delta's field starts and ends, without its quotes. */
function insideOf(frame: string, field: string): { start: number; end: number } | undefined {
  const delta = frame.indexOf('"delta"')
  const name = frame.indexOf(`"${field}"`, delta)
  if (delta < 0 || name < 0) return undefined
  const opening = /: *"/y
  opening.lastIndex = name + field.length + 2
  if (!opening.test(frame)) return undefined
  const closing = /(?:[^"\\]|\\.)*/y
  closing.lastIndex = opening.lastIndex
  closing.test(frame)
  return { start: opening.lastIndex, end: closing.lastIndex }
}
