import { asObject, asObjects, asString, parseJson, type JsonObject } from '../../json.ts'

/**
 * One piece of a model's reasoning, in the shape OpenRouter added to chat completions (`reasoning_details`): the only
 * field of that protocol that preserves signatures and encrypted reasoning, so Signalbox stores them there too.
 */
export interface ReasoningDetail {
  /** `reasoning.text`, `reasoning.summary` or `reasoning.encrypted`. */
  type: string
  text?: string
  summary?: string
  data?: string
  /** The vendor's proof that `text` is unmodified; invalid once a byte of the text changes. */
  signature?: string
  id?: string | null
  /** The vendor's format; no other vendor can read its signature or data. */
  format?: string | null
  /** Pieces of a stream with the same index form one detail. */
  index?: number
  [field: string]: unknown
}

export const anthropicFormat = 'anthropic-claude-v1'
export const responsesFormat = 'openai-responses-v1'

/** The valid details in `value`; everything else is left out. */
export function readDetails(value: unknown): ReasoningDetail[] {
  return asObjects(value).filter(item => typeof item['type'] === 'string') as ReasoningDetail[]
}

/** The reasoning text of a chat message or delta, under either of its two field names; empty where there is none. */
export function reasoningText(message: JsonObject): string {
  return asString(message['reasoning_content']) ?? asString(message['reasoning']) ?? ''
}

/** The text of all details, joined; empty where they have none. */
export function detailsText(details: readonly ReasoningDetail[]): string {
  return details
    .map(detail => detail.text ?? detail.summary ?? '')
    .filter(text => text !== '')
    .join('\n\n')
}

/** Whether the detail carries a signature or encrypted data that only the model's vendor can produce. */
export function isIrreplaceable(detail: ReasoningDetail): boolean {
  return isFilled(detail.signature) || isFilled(detail.data)
}

/** Merges a piece of a stream into the details collected so far, in place. */
export function gatherDetail(details: ReasoningDetail[], piece: ReasoningDetail): void {
  const last = details.at(-1)
  const continues =
    last !== undefined &&
    last.type === piece.type &&
    last.index === piece.index &&
    piece.type !== 'reasoning.encrypted' &&
    !(isFilled(last.signature) && isFilled(piece.text))
  if (!continues) {
    details.push({ ...piece })
    return
  }
  if (isFilled(piece.text)) last.text = (last.text ?? '') + piece.text
  if (isFilled(piece.summary)) last.summary = (last.summary ?? '') + piece.summary
  if (isFilled(piece.signature)) last.signature = piece.signature
}

const sealMark = 'signalbox.'

/**
 * Encodes details as one opaque string, for protocols whose encrypted-reasoning field accepts only their own kind.
 * Clients return such strings untouched, so one vendor's reasoning survives a client of another vendor's protocol.
 */
export function seal(details: readonly ReasoningDetail[]): string {
  // Deterministic, so that the conversation stays byte-identical for prompt caches.
  const sorted = details.map(detail =>
    Object.fromEntries(Object.entries(detail).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  )
  return sealMark + Buffer.from(JSON.stringify(sorted)).toString('base64url')
}

/** Decodes a string made by `seal`; undefined for any other `data`. */
export function unseal(data: string): ReasoningDetail[] | undefined {
  if (!data.startsWith(sealMark)) return undefined
  const sealed = parseJson(Buffer.from(data.slice(sealMark.length), 'base64url').toString('utf8'))
  return sealed === undefined ? undefined : readDetails(sealed)
}

function isFilled(text: unknown): text is string {
  return typeof text === 'string' && text !== ''
}

/** The reasoning of a chat message as details: its own details, else one built from its text. */
export function messageDetails(message: unknown): ReasoningDetail[] {
  const fields = asObject(message)
  if (fields === undefined) return []
  const details = readDetails(fields['reasoning_details'])
  const text = reasoningText(fields)
  if (text === '' || detailsText(details) !== '') return details
  return [{ type: 'reasoning.text', text }, ...details]
}
