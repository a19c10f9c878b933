import { GatewayError } from '../errors.ts'
import type { Model } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import { measureMedia } from '../router/measure.ts'
import type { MediaEndpoint, MediaRequest } from '../wire/media.ts'
import type { NonChatReply } from '../wire/non-chat.ts'
import type { Call } from './call.ts'
import type { Job, PipelineEffects } from './job.ts'

/** A request that is passed on to a server as it is. Its answer is always a stream, of bytes that nobody reads here. */
export function mediaJob(
  call: Call,
  endpoint: MediaEndpoint,
  request: MediaRequest,
  effects: Pick<PipelineEffects, 'groupsOf' | 'providerOf' | 'decideNonChat'>,
): Job<NonChatReply> {
  const { groupsOf, providerOf } = effects
  const offers = (model: Model) => providerOf(model).media !== undefined

  function decide(): Promise<Decision> {
    const groups = groupsOf([request.model]).map(group => {
      const able = group.models.filter(offers)
      // A model that the caller named is for what the caller says.
      const fits = group.preset === undefined ? able : able.filter(({ name }) => endpoint.models.test(name))
      return { ...group, models: fits }
    })
    if (groups.every(({ models }) => models.length === 0)) throw notOffered(endpoint, request.model)
    return effects.decideNonChat(groups, measureMedia(), call)
  }

  return {
    asked: { model: request.model, stream: false },
    decide,
    prepare: ({ model, provider, credential }) => ({
      call(signal, progress) {
        if (provider.media === undefined)
          throw new Error(`${model.id} was chosen for ${endpoint.name}, which its provider does not support`)
        const { path } = endpoint
        return provider.media({ model, path, sent: request.withModel(model.name), signal, progress, credential })
      },
      notes: [],
      inOnePiece: true,
    }),
    finish: reply => reply,
  }
}

function notOffered({ path, example }: MediaEndpoint, model: string): GatewayError {
  return new GatewayError(
    'not_offered',
    `No configured server offers /v1${path} for '${model}'. It is passed on to OpenAI-compatible servers with a model for it, such as ${example}: configure one (OPENAI_COMPATIBLE_ENDPOINT), and name its model. GET /v1/models lists all models.`,
    { param: 'model' },
  )
}
