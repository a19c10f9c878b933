import { optionNames } from '../router/options.ts'
import { asObject, asObjects, type JsonObject } from '../json.ts'
import { withOneSystemMessage } from '../wire/chat/system-messages.ts'
import type { ChatMessage } from '../wire/chat/schema.ts'
import { unseal } from '../wire/chat/reasoning-details.ts'
import { billingBlock, clamped, type Target } from './prepare.ts'

/**
 * A Messages request for a server that supports Messages natively: unchanged except for the model's name, fields that only
 * Signalbox or another server understands, and limits beyond the model's own. Pure.
 */
export function preparePassThrough(
  written: Readonly<JsonObject>,
  target: Target,
): { body: JsonObject; notes: string[] } {
  const { model, provider } = target
  const notes: string[] = []
  let body: JsonObject = { ...written, model: model.name }
  if (provider.anthropics !== true) body = withSystemFirst(withoutBilling(body))
  const reasons = model.capabilities.reasoning !== false
  if (!reasons) body = withoutReasoning(body, model.id, notes)
  body = withoutReasoningBlocks(body, block => !reasons || isForeign(block))
  return { body: clamped(withoutOptions(body), target, notes), notes }
}

/** Claude Code's billing block, which defeats every prompt cache except that of Anthropic's own API. */
function withoutBilling(body: JsonObject): JsonObject {
  const { system } = body
  const bills = (text: unknown) => typeof text === 'string' && billingBlock.test(text)
  if (bills(system)) return { ...body, system: String(system).replace(/^[^\n]*\n*/, '') }
  if (!Array.isArray(system) || !system.some(block => bills(asObject(block)?.['text']))) return body
  return { ...body, system: system.filter(block => !bills(asObject(block)?.['text'])) }
}

/** Only Anthropic's own API accepts messages of the role `system`. */
function withSystemFirst(body: JsonObject): JsonObject {
  const written = asObjects(body['messages']) as ChatMessage[]
  const messages = withOneSystemMessage(written)
  if (messages === written) return body
  const [first, ...others] = messages
  if (first?.role !== 'system') return { ...body, messages }
  return { ...body, system: [...blocksOf(body['system']), ...blocksOf(first.content)], messages: others }
}

function blocksOf(content: unknown): JsonObject[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : asObjects(content)
}

function withoutReasoning(body: JsonObject, id: string, notes: string[]): JsonObject {
  const { thinking, output_config: config, ...rest } = body
  const { effort, ...other } = asObject(config) ?? {}
  if (thinking === undefined && effort === undefined) return body
  notes.push(`${id} does not reason; reasoning was turned off`)
  return Object.keys(other).length === 0 ? rest : { ...rest, output_config: other }
}

/** Reasoning without a signature, or encrypted by us, comes from other models; a server that signs its own rejects it. */
function isForeign({ type, signature, data }: JsonObject): boolean {
  if (type === 'thinking') return typeof signature !== 'string' || signature === ''
  return typeof data === 'string' && unseal(data) !== undefined
}

function withoutReasoningBlocks(body: JsonObject, drops: (block: JsonObject) => boolean): JsonObject {
  const dropped = (block: JsonObject) =>
    (block['type'] === 'thinking' || block['type'] === 'redacted_thinking') && drops(block)
  const messages = asObjects(body['messages'])
  if (!messages.some(({ content }) => asObjects(content).some(dropped))) return body
  const kept = messages.map(message =>
    Array.isArray(message['content'])
      ? { ...message, content: asObjects(message['content']).filter(block => !dropped(block)) }
      : message,
  )
  return { ...body, messages: kept.filter(({ content }) => !Array.isArray(content) || content.length > 0) }
}

/** Router options that were put into `metadata`; Anthropic rejects unknown fields there. */
function withoutOptions(body: JsonObject): JsonObject {
  const metadata = asObject(body['metadata'])
  if (metadata === undefined || !optionNames.some(name => name in metadata)) return body
  const rest = Object.entries(metadata).filter(([name]) => !optionNames.includes(name))
  return { ...body, metadata: Object.fromEntries(rest) }
}
