import { asObject, asObjects, asString, type JsonObject } from '../../json.ts'

/**
 * One piece of a model's reasoning, in the shape OpenRouter gave to chat completions (`reasoning_details`): it is the one
 * place in that dialect where signatures and encrypted reasoning survive, so it is where Signalbox keeps them too.
 */
export interface ReasoningDetail {
  /** `reasoning.text`, `reasoning.summary` or `reasoning.encrypted`. */
  type: string
  text?: string
  summary?: string
  data?: string
  /** Proof by the model's maker that `text` is its own; worthless once a byte of the text changes. */
  signature?: string
  id?: string | null
  /** Whose reasoning it is; nobody else can read its signature or data. */
  format?: string | null
  /** Pieces of a stream that share an index are one detail. */
  index?: number
  [field: string]: unknown
}

export const anthropicFormat = 'anthropic-claude-v1'
export const responsesFormat = 'openai-responses-v1'

/** The details in `value`; whatever is not one is left out. */
export function readDetails(value: unknown): ReasoningDetail[] {
  return asObjects(value).filter(item => typeof item['type'] === 'string') as ReasoningDetail[]
}

/** The reasoning in words of a chat message or delta, under either of the names it goes by; empty where there is none. */
export function reasoningText(message: JsonObject): string {
  return asString(message['reasoning_content']) ?? asString(message['reasoning']) ?? ''
}

/** The words of details, joined; empty where they have none. */
export function detailsText(details: readonly ReasoningDetail[]): string {
  return details
    .map(detail => detail.text ?? detail.summary ?? '')
    .filter(text => text !== '')
    .join('\n\n')
}

/** Whether nobody but the model's maker could write this detail again. */
export function isIrreplaceable(detail: ReasoningDetail): boolean {
  return isFilled(detail.signature) || isFilled(detail.data)
}

/** Adds a piece of a stream to the details gathered so far, in place. */
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
 * Details as one opaque string, for protocols that have a place for encrypted reasoning but only of their own kind. Clients
 * send such strings back untouched, so reasoning of one maker survives in a client that speaks another's protocol.
 */
export function seal(details: readonly ReasoningDetail[]): string {
  // Always the same string for the same reasoning, so that a conversation stays the same for prompt caches.
  const sorted = details.map(detail =>
    Object.fromEntries(Object.entries(detail).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  )
  return sealMark + Buffer.from(JSON.stringify(sorted)).toString('base64url')
}

/** What `seal` closed; undefined when `data` is somebody else's. */
export function unseal(data: string): ReasoningDetail[] | undefined {
  if (!data.startsWith(sealMark)) return undefined
  try {
    return readDetails(JSON.parse(Buffer.from(data.slice(sealMark.length), 'base64url').toString('utf8')))
  } catch {
    return undefined
  }
}

function isFilled(text: unknown): text is string {
  return typeof text === 'string' && text !== ''
}

/** The reasoning that a chat message carries, as details: those it has, else one made of its words. */
export function messageDetails(message: unknown): ReasoningDetail[] {
  const fields = asObject(message)
  if (fields === undefined) return []
  const details = readDetails(fields['reasoning_details'])
  const text = reasoningText(fields)
  if (text === '' || detailsText(details) !== '') return details
  return [{ type: 'reasoning.text', text }, ...details]
}
