import { z } from 'zod'
import { GatewayError } from '../../errors.ts'
import { freePrice } from '../../accounting/pricing.ts'
import { endpointList, withoutEnding } from '../http/endpoints.ts'
import { countTokens } from './count.ts'
import { infill } from './infill.ts'
import { localChatBody, openAiChat, type ChatBody } from '../openai/chat.ts'
import { openAiNonChat } from '../openai/non-chat.ts'
import type { Model, ProviderKind } from '../provider.ts'
import { serverKind } from '../server-kind.ts'
import type { Upstream } from '../http/upstream.ts'

/** llama-server, with one model or as a router over many. */
export const llamaCpp: ProviderKind = serverKind({
  kind: 'llama-cpp',
  label: 'llama.cpp',
  settings: {
    LLAMA_CPP_ENDPOINT: {
      schema: endpointList,
      help: 'llama-server addresses, separated by commas; `off` disables it. Unset, the default address is tried.',
      example: 'http://127.0.0.1:8080',
    },
  },
  normalize: withoutEnding('/v1'),
  variable: 'LLAMA_CPP_ENDPOINT',
  defaultUrl: 'http://127.0.0.1:8080',
  tier: 'local',
  remedy: 'start it with `llama-server -m model.gguf --jinja`',
  connect({ endpoint, upstream }) {
    const nonChat = openAiNonChat(upstream, '/v1', withPromptProgress)
    return {
      listModels: signal => listModels(upstream, endpoint.name, signal),
      toolImages: true,
      chat: call => openAiChat(upstream, '/v1/chat/completions', call, withPromptProgress(localChatBody(call))),
      countTokens: call => countTokens(upstream, call),
      nonChat: {
        ...nonChat,
        completions: call => (call.request.suffix ? infill(upstream, call) : nonChat.completions(call)),
      },
    }
  },
})

/**
 * llama-server notices a closed connection at once only when it writes. While it reads a prompt it writes nothing, and goes on
 * for seconds after a disconnect, unless it reports its progress.
 */
function withPromptProgress(body: ChatBody): ChatBody {
  return { return_progress: true, ...body }
}

const Listed = z.looseObject({
  id: z.string(),
  /** Router mode only. */
  status: z
    .looseObject({ value: z.string(), args: z.array(z.string()).optional(), failed: z.boolean().optional() })
    .optional(),
  context_length: z.number().nullish(),
  architecture: z.looseObject({ input_modalities: z.array(z.string()).optional() }).optional(),
  meta: z
    .looseObject({
      n_ctx: z.number().nullish(),
      n_params: z.number().nullish(),
      size: z.number().nullish(),
      ftype: z.string().nullish(),
    })
    .nullish(),
})
type Listed = z.output<typeof Listed>
const List = z.looseObject({ data: z.array(Listed) })

const Props = z.looseObject({
  /** Per slot: with `-c 8192 -np 2` it is 4096, which is what a request gets. */
  default_generation_settings: z.looseObject({ n_ctx: z.number().optional() }).optional(),
  modalities: z.looseObject({ vision: z.boolean().optional() }).optional(),
  chat_template_caps: z
    .looseObject({
      supports_tools: z.boolean().optional(),
      supports_tool_calls: z.boolean().optional(),
      supports_preserve_reasoning: z.boolean().optional(),
    })
    .optional(),
})
type Props = z.output<typeof Props>

async function listModels(upstream: Upstream, provider: string, signal: AbortSignal): Promise<Model[]> {
  const list = List.safeParse(await upstream.json('/v1/models', { signal }))
  if (!list.success) {
    throw new GatewayError(
      'upstream_error',
      `${upstream.label} lists no models; check that its address is llama-server's.`,
    )
  }
  const models = list.data.data.filter(({ status }) => status?.value !== 'downloading')
  return Promise.all(models.map(async listed => describe(listed, provider, await propsOf(upstream, listed, signal))))
}

/** Querying a router about an unloaded model could load it, so it is not queried. */
async function propsOf(upstream: Upstream, { id, status }: Listed, signal: AbortSignal): Promise<Props | undefined> {
  if (status !== undefined && status.value !== 'loaded') return undefined
  const path = status === undefined ? '/props' : `/props?model=${encodeURIComponent(id)}&autoload=false`
  // It may just have been unloaded, or be older than these details.
  return Props.safeParse(await upstream.jsonIfKnown(path, { signal })).data
}

function describe(listed: Listed, provider: string, props: Props | undefined): Model {
  const { id, status, meta, architecture } = listed
  const template = props?.chat_template_caps
  const vision = props?.modalities?.vision ?? architecture?.input_modalities?.includes('image')
  return {
    id: `${provider}/${id}`,
    provider,
    name: id,
    tier: 'local',
    price: freePrice,
    free: true,
    contextTokens: props?.default_generation_settings?.n_ctx || meta?.n_ctx || contextWhenLoaded(listed),
    loaded: status === undefined || status.value === 'loaded' || status.value === 'sleeping',
    capabilities: {
      json: true,
      logprobs: true,
      logitBias: true,
      forcedTools: true,
      ...(vision === undefined ? {} : { vision }),
      // Without a template for tools llama-server describes them in text, so a missing template rules nothing out.
      ...(template?.supports_tools === true || template?.supports_tool_calls === true ? { tools: true } : {}),
    },
    parametersB: typeof meta?.n_params === 'number' ? meta.n_params / 1e9 : undefined,
    quantization: meta?.ftype ?? undefined,
    sizeBytes: meta?.size ?? undefined,
    avoid: status?.failed === true ? 'llama-server could not load it; see its log' : undefined,
  }
}

/** The arguments the router would start the model with: its context is divided among the slots. */
function contextWhenLoaded({ context_length: trained, status }: Listed): number | undefined {
  const args = status?.args ?? []
  const option = (...names: string[]) => {
    const index = args.findIndex(arg => names.includes(arg))
    const value = index < 0 ? Number.NaN : Number(args[index + 1])
    return Number.isInteger(value) && value > 0 ? value : undefined
  }
  const total = option('--ctx-size', '-c') ?? trained ?? undefined
  const unified = args.some(arg => arg === '--kv-unified' || arg === '-kvu')
  const slots = unified ? 1 : (option('--parallel', '-np') ?? 1)
  if (total === undefined) return undefined
  return Math.min(Math.floor(total / slots), trained ?? Number.POSITIVE_INFINITY)
}
