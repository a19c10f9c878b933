import { asObjects, asString } from '../../json.ts'

/** The text of a chat message's content, which is a string or a list of parts; empty where it has none. */
export function contentText(content: unknown): string {
  if (typeof content === 'string') return content
  return asObjects(content)
    .map(part => asString(part['text']) ?? '')
    .join('')
}
