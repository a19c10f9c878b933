import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import { isObject } from '../json.ts'
import { freePrice } from '../accounting/pricing.ts'
import { endpointList, withoutEnding } from './http/endpoints.ts'
import { gapInPrompt } from './openai/fim-prompt.ts'
import { type ChatBody, localChatBody, openAiChat } from './openai/chat.ts'
import { openAiNonChat } from './openai/non-chat.ts'
import { billions } from './parameter-count.ts'
import type { Model, ProviderKind } from './provider.ts'
import { serverKind } from './server-kind.ts'
import { rejectUnsupported } from './reject-unsupported.ts'
import type { Upstream } from './http/upstream.ts'

export const lmStudio: ProviderKind = serverKind({
  kind: 'lm-studio',
  label: 'LM Studio',
  settings: {
    LM_STUDIO_ENDPOINT: {
      schema: endpointList,
      help: 'LM Studio servers, separated by commas; `off` disables it. Unset, the default address is tried.',
      example: 'http://127.0.0.1:1234/v1',
    },
  },
  normalize: withoutEnding('/api/v1', '/api/v0', '/v1', '/api'),
  variable: 'LM_STUDIO_ENDPOINT',
  defaultUrl: 'http://127.0.0.1:1234',
  tier: 'local',
  remedy: 'start its server with `lms server start`',
  connect({ endpoint, upstream }) {
    const nonChat = openAiNonChat(upstream, '/v1')
    return {
      listModels: signal => listModels(upstream, endpoint.name, signal),
      efforts: ['none', 'low', 'medium', 'high'],
      async chat(call) {
        rejectUnsupported(call)
        return openAiChat(upstream, '/v1/chat/completions', call, withJsonSchema(localChatBody(call)))
      },
      nonChat: {
        embeddings: nonChat.embeddings,
        completions: call => nonChat.completions({ ...call, request: gapInPrompt(call.request, call.model.name) }),
      },
    }
  },
})

/** LM Studio supports `json_schema` but not `json_object`. */
function withJsonSchema(body: ChatBody): ChatBody {
  if (!isObject(body.response_format) || body.response_format.type !== 'json_object') return body
  const anyObject = { name: 'object', schema: { type: 'object' } }
  return { ...body, response_format: { type: 'json_schema', json_schema: anyObject } }
}

const NativeList = z.looseObject({
  models: z.array(
    z.looseObject({
      key: z.string(),
      type: z.string().optional(),
      architecture: z.string().nullish(),
      quantization: z.looseObject({ name: z.string().nullish() }).nullish(),
      size_bytes: z.number().nullish(),
      params_string: z.string().nullish(),
      max_context_length: z.number().nullish(),
      loaded_instances: z
        .array(
          z.looseObject({
            id: z.string().optional(),
            config: z.looseObject({ context_length: z.number().nullish() }).nullish(),
          }),
        )
        .nullish(),
      capabilities: z
        .looseObject({ vision: z.boolean().nullish(), trained_for_tool_use: z.boolean().nullish() })
        .nullish(),
    }),
  ),
})
/** Before 0.4. */
const OldList = z.looseObject({
  data: z.array(
    z.looseObject({
      id: z.string(),
      type: z.string().optional(),
      arch: z.string().nullish(),
      quantization: z.string().nullish(),
      state: z.string().nullish(),
      max_context_length: z.number().nullish(),
      loaded_context_length: z.number().nullish(),
      capabilities: z.array(z.string()).nullish(),
    }),
  ),
})
/** Before 0.3.6, and any other server on this port. */
const PlainList = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) })

/** Tried from the newest API to the oldest; each version has only some of them. */
async function listModels(upstream: Upstream, provider: string, signal: AbortSignal): Promise<Model[]> {
  const native = NativeList.safeParse(await upstream.jsonIfKnown('/api/v1/models', { signal }))
  if (native.success) return native.data.models.map(listed => nativeModel(listed, provider))
  const old = OldList.safeParse(await upstream.jsonIfKnown('/api/v0/models', { signal }))
  if (old.success) return old.data.data.map(listed => oldModel(listed, provider))
  const plain = PlainList.safeParse(await upstream.json('/v1/models', { signal }))
  if (plain.success) return plain.data.data.map(({ id }) => plainModel(provider, id, undefined))
  throw new GatewayError('upstream_error', `${upstream.label} lists no models; check that its address is LM Studio's.`)
}

function nativeModel(listed: z.output<typeof NativeList>['models'][number], provider: string): Model {
  const model = plainModel(provider, listed.key, listed.type)
  const instances = listed.loaded_instances ?? []
  const instance = instances.find(({ id }) => id === listed.key) ?? instances[0]
  const vision = listed.capabilities?.vision
  return {
    ...model,
    // An unloaded model gets a context of LM Studio's choice, at most this.
    contextTokens: instance?.config?.context_length ?? listed.max_context_length ?? undefined,
    loaded: instances.length > 0,
    capabilities: {
      ...model.capabilities,
      ...(typeof vision === 'boolean' ? { vision } : {}),
      ...toolUse(listed.capabilities?.trained_for_tool_use),
    },
    family: listed.architecture ?? undefined,
    parametersB: billions(listed.params_string),
    quantization: listed.quantization?.name ?? undefined,
    sizeBytes: listed.size_bytes ?? undefined,
  }
}

function oldModel(listed: z.output<typeof OldList>['data'][number], provider: string): Model {
  const model = plainModel(provider, listed.id, listed.type)
  return {
    ...model,
    contextTokens: listed.loaded_context_length ?? listed.max_context_length ?? undefined,
    loaded: listed.state === 'loaded',
    capabilities: {
      ...model.capabilities,
      ...(listed.type === undefined ? {} : { vision: listed.type === 'vlm' }),
      ...toolUse(listed.capabilities?.includes('tool_use')),
    },
    family: listed.arch ?? undefined,
    quantization: listed.quantization ?? undefined,
  }
}

/** A model not trained for tools gets them through its prompt, so this does not rule it out. */
function toolUse(trained: boolean | null | undefined): { tools?: true } {
  return trained === true ? { tools: true } : {}
}

function plainModel(provider: string, name: string, type: string | undefined): Model {
  const embeds = type === 'embedding' || type === 'embeddings'
  return {
    id: `${provider}/${name}`,
    provider,
    name,
    tier: 'local',
    price: freePrice,
    free: true,
    contextTokens: undefined,
    loaded: undefined,
    capabilities: {
      ...(type === undefined ? {} : { chat: !embeds, embeddings: embeds }),
      json: true,
      logprobs: false,
      manyChoices: false,
    },
  }
}
