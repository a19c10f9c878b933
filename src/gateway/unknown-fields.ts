import type { Model, Provider } from '../providers/provider.ts'
import type { JsonObject } from '../json.ts'
import { filledFields, omittedNote } from '../wire/notes.ts'
import type { NonChatType } from '../wire/non-chat.ts'

/** Values that ask for what happens anyway. */
const neutral: Readonly<Record<string, unknown>> = { store: false, parallel_tool_calls: true, service_tier: 'auto' }

/** Notes on the fields of a request that the server's own API has no place for. */
export function notesOnUnknownFields(
  endpointType: 'chat' | NonChatType,
  request: JsonObject,
  { model, provider }: { model: Model; provider: Pick<Provider, 'requestFields'> },
): string[] {
  const known = provider.requestFields?.[endpointType]
  if (known === undefined) return []
  return filledFields(request)
    .filter(field => !known.has(field) && request[field] !== neutral[field])
    .map(field => omittedNote(field, model.id))
}
