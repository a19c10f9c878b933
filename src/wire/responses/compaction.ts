import { GatewayError } from '../../errors.ts'
import { asObject, asString, parseJson, type JsonObject } from '../../json.ts'
import type { ChatMessage } from '../chat/schema.ts'

/**
 * Compaction: a client whose context is full gets an item that stands for the conversation, and sends that instead. It asks
 * with an item `compaction_trigger` at the end of its input, or at `/v1/responses/compact`.
 */

export const triggerType = 'compaction_trigger'

/** Whether a request asks for a compaction instead of an answer. */
export function isCompaction(input: unknown): boolean {
  return asObject(Array.isArray(input) ? input.at(-1) : undefined)?.['type'] === triggerType
}

/** What a model is asked for the summary. */
export const summaryRequest: ChatMessage = {
  role: 'user',
  content:
    'The context is full and will be cleared now. Write a summary from which the work can go on without the conversation above: ' +
    'what the user wants and their conditions, what was decided and why, what was done and found (files, commands, results, exact names), ' +
    'what is still open, and the next steps. Answer with the summary alone; call no tool.',
}

const mark = 'signalbox.summary.'

/** The item for a summary. Throws `upstream_error` for an empty one. */
export function compactionItem(summary: string, id: string): JsonObject {
  if (summary.trim() === '') {
    throw new GatewayError('upstream_error', 'The model wrote an empty summary; try again or use another model.')
  }
  return {
    id,
    type: 'compaction',
    encrypted_content: mark + Buffer.from(JSON.stringify(summary)).toString('base64url'),
  }
}

/** The message that a compaction item stands for; undefined for an item that was not made here. */
export function messageOfCompaction(item: JsonObject): ChatMessage | undefined {
  const sealed = asString(item['encrypted_content'])
  if (sealed?.startsWith(mark) !== true) return undefined
  const summary = asString(parseJson(Buffer.from(sealed.slice(mark.length), 'base64url').toString('utf8')))
  if (summary === undefined) return undefined
  return { role: 'user', content: `This is the summary of the conversation so far:\n\n${summary}` }
}

/** The conversation that a compaction leaves: what the user wrote, and the summary. */
export function compactedItems(input: readonly JsonObject[], output: readonly JsonObject[]): JsonObject[] {
  const isUsers = ({ type = 'message', role }: JsonObject) => type === 'message' && role === 'user'
  return [...input.filter(isUsers), ...output]
}
