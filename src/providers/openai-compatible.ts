import { z } from 'zod'
import type { Endpoint } from '../config/config.ts'
import { GatewayError } from '../errors.ts'
import { readNumber } from '../json.ts'
import { freePrice, isFree } from '../accounting/pricing.ts'
import { isLocalNetwork } from '../net.ts'
import { endpointList } from './http/endpoints.ts'
import { completionsOrChat } from './openai/completion-by-chat.ts'
import { gapInPrompt } from './openai/fim-prompt.ts'
import { chatBody, openAiChat } from './openai/chat.ts'
import { openAiMedia } from './openai/media.ts'
import { openAiNonChat } from './openai/non-chat.ts'
import { askMessages } from './openai/messages-answer.ts'
import type { Model, ProviderCall, ProviderKind, ProviderParts, Tier } from './provider.ts'
import { serverKind } from './server-kind.ts'
import type { Upstream } from './http/upstream.ts'

/** Any server of the chat completions protocol: vLLM, SGLang, llamafile, a cloud provider, another gateway. */
export const openAiCompatible: ProviderKind = serverKind({
  kind: 'openai-compatible',
  label: 'OpenAI-compatible server',
  settings: {
    OPENAI_COMPATIBLE_ENDPOINT: {
      schema: endpointList,
      help: 'Other OpenAI-compatible servers, separated by commas: url or name=url. The API key of each is read from <NAME>_API_KEY.',
      example: 'vllm=http://192.168.1.20:8000/v1,groq=https://api.groq.com/openai/v1',
    },
  },
  normalize: baseUrl,
  variable: 'OPENAI_COMPATIBLE_ENDPOINT',
  tier: endpoint => (isLocalNetwork(new URL(endpoint.url).hostname) ? 'local' : 'remote'),
  remedy: 'check that the server runs and that its address is right',
  endpointLabel: endpoint => endpoint.name,
  connect({ endpoint, tier, upstream, upstreamWith, prices }) {
    const { hostname } = new URL(endpoint.url)
    const anthropics = hostname === 'api.anthropic.com'
    const native = anthropics
      ? upstreamWith({ keyHeader: 'x-api-key', headers: { 'anthropic-version': '2023-06-01' } })
      : upstream
    const nativeProtocols = anthropics ? (['messages'] as const) : endpoint.nativeProtocols
    const chat = (call: ProviderCall) => openAiChat(upstream, '/chat/completions', call, chatBody(call))
    const nonChat = openAiNonChat(upstream, '')
    const complete: typeof nonChat.completions = call =>
      nonChat.completions({ ...call, request: gapInPrompt(call.request, call.model.name) })
    return {
      async listModels(signal) {
        const listed = await listModels(native, endpoint, signal)
        return listed.map(entry => ({ ...describe(entry, endpoint, tier, prices), nativeProtocols }))
      },
      anthropics,
      openAis: hostname === 'api.openai.com' || hostname.endsWith('.openai.azure.com'),
      chat,
      passThrough: call => askMessages(native, '/messages', call),
      media: openAiMedia(upstream, ''),
      nonChat: { ...nonChat, completions: completionsOrChat(complete, chat) },
    }
  },
})

/** What servers report about a model besides its id, under all known field names. */
const ListedModel = z.looseObject({
  id: z.string().min(1),
  max_model_len: z.unknown().optional(),
  context_length: z.unknown().optional(),
  context_window: z.unknown().optional(),
  max_context_length: z.unknown().optional(),
})
type ListedModel = z.output<typeof ListedModel>
const ModelList = z.union([z.looseObject({ data: z.array(ListedModel) }), z.array(ListedModel)])

/** The server's model list; where it has none, the models that the operator listed with prices. */
async function listModels(upstream: Upstream, endpoint: Endpoint, signal: AbortSignal): Promise<ListedModel[]> {
  let answer: unknown
  try {
    answer = await upstream.json('/models', { signal })
  } catch (error) {
    const known = Object.keys(endpoint.prices ?? {})
    if (!(error instanceof GatewayError) || error.code !== 'model_not_found' || known.length === 0) throw error
    return known.map(id => ({ id }))
  }
  const list = ModelList.safeParse(answer)
  if (list.success) return Array.isArray(list.data) ? list.data : list.data.data
  throw new GatewayError(
    'upstream_error',
    `${upstream.label} has no model list at ${endpoint.url}/models; check its address.`,
  )
}

function describe(
  listed: ListedModel,
  { name: provider, url }: Endpoint,
  tier: Tier,
  prices: ProviderParts['prices'],
): Model {
  const known = tier === 'remote' ? prices.at(url, listed.id) : undefined
  const price = tier === 'local' ? freePrice : known?.price
  return {
    id: `${provider}/${listed.id}`,
    provider,
    name: listed.id,
    tier,
    price,
    priceOrigin: known?.origin,
    free: price !== undefined && isFree(price),
    contextTokens: readNumber(
      listed.max_model_len ?? listed.context_length ?? listed.context_window ?? listed.max_context_length,
    ),
    loaded: undefined,
    capabilities: {},
  }
}

/** `http://host` means `http://host/v1`; an explicit path is kept, so that every cloud's own address works. */
function baseUrl(url: URL): string {
  const path = url.pathname.replace(/\/+$/, '').replace(/\/(chat\/completions|models)$/, '')
  return url.origin + (path === '' ? '/v1' : path)
}
