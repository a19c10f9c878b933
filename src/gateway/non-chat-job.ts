import { GatewayError } from '../errors.ts'
import type { Model } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import { measureNonChat } from '../router/measure.ts'
import type { NonChatEndpoint, NonChatType, NonChatReply, NonChatRequests } from '../wire/non-chat.ts'
import type { Call } from './call.ts'
import type { Job, PipelineEffects } from './job.ts'
import { notesOnUnknownFields } from './unknown-fields.ts'

/**
 * Embeddings, completions and rerank. Embeddings never fall back to a model that the caller did not name: vectors of two
 * models are not comparable.
 */
export function nonChatJob<Name extends NonChatType>(
  call: Call,
  nonChat: NonChatEndpoint<Name>,
  request: NonChatRequests[Name],
  effects: Pick<PipelineEffects, 'groupsOf' | 'providerOf' | 'countText' | 'decideNonChat'>,
): Job<NonChatReply> {
  const { groupsOf, providerOf, countText } = effects
  const { name } = nonChat
  const streaming = nonChat.streams && request['stream'] === true
  const able = (model: Model) => providerOf(model).nonChat?.[name] !== undefined

  async function decideNonChat(): Promise<Decision> {
    const groups = groupsOf([request.model]).map(group => ({ ...group, models: group.models.filter(able) }))
    if (groups.every(({ models }) => models.length === 0)) {
      throw new GatewayError('unsupported', `No server of '${request.model}' supports ${name}; name another model.`, {
        param: 'model',
      })
    }
    const text = nonChat.longest(request)
    const counted = typeof text === 'string' ? countText(text) : { tokens: text, exact: true, error: 0 }
    const totals = {
      outputTokens: outputOf(request),
      allPromptTokens: nonChat.mostTokens(request),
      choices: nonChat.choices(request),
    }
    const measured = measureNonChat(name, counted, totals)
    const decision = await effects.decideNonChat(groups, measured, call)
    return name === 'embeddings' ? { ...decision, ranked: ofOneName(decision.ranked) } : decision
  }

  return {
    asked: { model: request.model, stream: streaming },
    decide: decideNonChat,
    prepare: ({ model, provider, promptTokens, maxOutputTokens, credential }) => ({
      call(signal, progress) {
        const nonChat = provider.nonChat?.[name]
        if (nonChat === undefined)
          throw new Error(`${model.id} was chosen for ${name}, which its provider does not support`)
        return nonChat({
          model,
          request: limited(request, maxOutputTokens),
          promptTokens,
          signal,
          progress,
          credential,
        })
      },
      notes: notesOnUnknownFields(name, request, { model, provider }),
      inOnePiece: !streaming,
    }),
    finish: reply => reply,
  }
}

/** Known embedding models first; the same model on other servers stays as a fallback. */
function ofOneName(ranked: readonly Model[]): Model[] {
  const sorted = ranked.toSorted(
    (a, b) => Number(b.capabilities.embeddings ?? false) - Number(a.capabilities.embeddings ?? false),
  )
  return sorted.filter(({ name }) => name === sorted[0]?.name)
}

/** The request, with answers no longer than what is paid for. */
function limited<Request extends NonChatRequests[NonChatType]>(request: Request, paid: number | undefined): Request {
  if (paid === undefined || paid === 0) return request
  const asked = outputOf(request)
  return asked > 0 && asked <= paid ? request : { ...request, max_tokens: paid }
}

function outputOf(request: Record<string, unknown>): number {
  return typeof request['max_tokens'] === 'number' ? request['max_tokens'] : 0
}
