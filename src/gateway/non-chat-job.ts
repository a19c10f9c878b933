import { GatewayError } from '../errors.ts'
import type { Model, Provider } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import { measureErrand, type Measured, type PromptCount } from '../router/measure.ts'
import type { Group } from '../router/select.ts'
import type { Errand, ErrandName, ErrandReply, ErrandRequests } from '../wire/non-chat.ts'
import type { Job } from './job.ts'

export interface ErrandJobParts {
  groupsOf: (names: readonly string[]) => Group[]
  providerOf: (model: Model) => Provider
  countText: (text: string) => PromptCount
  decide: (groups: readonly Group[], measured: Measured) => Decision
}

/**
 * Embeddings, completions and rerank. A model that the caller did not name is never replaced by another one for embeddings:
 * vectors of two models mean nothing to each other.
 */
export function errandJob<Name extends ErrandName>(
  errand: Errand<Name>,
  request: ErrandRequests[Name],
  { groupsOf, providerOf, countText, decide }: ErrandJobParts,
): Job<ErrandReply> {
  const { name } = errand
  const able = (model: Model) => providerOf(model).errands?.[name] !== undefined

  function decideErrand(): Decision {
    const groups = groupsOf([request.model]).map(group => ({ ...group, models: group.models.filter(able) }))
    if (groups.every(({ models }) => models.length === 0)) {
      throw new GatewayError('unsupported', `No server of '${request.model}' does ${name}; name another model.`, {
        param: 'model',
      })
    }
    const text = errand.longest(request)
    const counted = typeof text === 'string' ? countText(text) : { tokens: text, exact: true, error: 0 }
    const decision = decide(groups, measureErrand(name, counted, outputOf(request)))
    return name === 'embeddings' ? { ...decision, ranked: ofOneName(decision.ranked) } : decision
  }

  return {
    asked: { model: request.model, stream: errand.streams && request['stream'] === true },
    decide: decideErrand,
    prepare: ({ model, provider, promptTokens }) => ({
      call(signal) {
        const errand = provider.errands?.[name]
        if (errand === undefined) throw new Error(`${model.id} was chosen for ${name}, which its provider does not do`)
        return errand({ model, request, promptTokens, signal })
      },
      notes: [],
    }),
    finish: reply => reply,
  }
}

/** Those known to embed go first; the same model on other servers stays as a fallback. */
function ofOneName(ranked: readonly Model[]): Model[] {
  const sorted = ranked.toSorted(
    (a, b) => Number(b.capabilities.embeddings ?? false) - Number(a.capabilities.embeddings ?? false),
  )
  return sorted.filter(({ name }) => name === sorted[0]?.name)
}

function outputOf(request: Record<string, unknown>): number {
  return typeof request['max_tokens'] === 'number' ? request['max_tokens'] : 0
}
