import { asObject, asObjects, type JsonObject } from '../../json.ts'
import type { Protocol } from '../protocol.ts'
import { compactedItems, triggerType } from './compaction.ts'
import { responses } from './protocol.ts'
import { inputItems, listedItems } from './schema.ts'

/** `POST /v1/responses/compact`: the conversation in, what stands for it out. */
export const compact: Protocol = {
  ...responses,
  path: `${responses.path}/compact`,
  parseRequest(body) {
    const fields = asObject(body) ?? {}
    const input = inputItems(fields['input'])
    const asked = { ...fields, input: [...input, { type: triggerType }], stream: false, store: false }
    const parsed = responses.parseRequest(asked)
    return {
      ...parsed,
      writeCompletion(completion, facts) {
        const { id, created_at, output, usage } = parsed.writeCompletion(completion, facts) as JsonObject
        return {
          id,
          object: 'response.compaction',
          created_at,
          output: listedItems(compactedItems(input, asObjects(output)), String(id)),
          usage,
        }
      },
    }
  },
}
