import type { Model, Provider } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import { reserveTokens } from '../router/filter.ts'
import { promptTokensFor, type Knowledge } from '../router/knowledge.ts'
import type { ChatRequest } from '../wire/chat/schema.ts'
import { withOneSystemMessage } from '../wire/chat/system-messages.ts'

/** A server is asked to count a prompt that ends this close to the end of its context, as a share of the context. */
const nearShare = 0.1
/** Maximum servers asked for one request, in parallel. */
const maxServers = 3
/** A later count is not worth waiting for: the server itself rejects prompts that are too long. */
const maxMs = 500

/** A model whose context may or may not fit the prompt by our count, and its server's way to count. */
interface Doubt {
  model: Model
  countTokens: NonNullable<Provider['countTokens']>
}

/**
 * The candidates for which our count is too rough: the one that would be called and those excluded as too small, if the
 * prompt ends within a tenth of the context from the limit and the server can count. Never for prompts with images.
 */
export function doubtsIn(
  { ranked, excluded, measured }: Decision,
  providerOf: (model: Model) => Provider,
  knowledge: Pick<Knowledge, 'ratioOf'>,
): Doubt[] {
  if (measured.vision) return []
  const doubts: Doubt[] = []
  const consider = (model: Model) => {
    const { countTokens } = providerOf(model)
    const { contextTokens } = model
    if (countTokens === undefined || contextTokens === undefined) return
    const room = contextTokens - reserveTokens(measured, contextTokens)
    const distance = Math.abs(promptTokensFor(model, measured, knowledge) - room)
    if (distance <= nearShare * contextTokens && doubts.length < maxServers) doubts.push({ model, countTokens })
  }
  if (ranked[0] !== undefined) consider(ranked[0])
  for (const { model, exclusion } of excluded) if (exclusion.code === 'context') consider(model)
  return doubts
}

/** The servers' counts, by model id. A server that fails or takes too long is left out, and our count applies. */
export async function askServers(
  doubts: readonly Doubt[],
  request: ChatRequest,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  // The template that a server counts with is the one that it answers with.
  const counted = { ...request, messages: [...withOneSystemMessage(request.messages)] }
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(maxMs)])
  const counts = await Promise.allSettled(
    doubts.map(({ model, countTokens }) => countTokens({ model, request: counted, signal: bounded })),
  )
  signal.throwIfAborted()
  return Object.fromEntries(
    counts.flatMap((count, index) => (count.status === 'fulfilled' ? [[doubts[index]!.model.id, count.value]] : [])),
  )
}
