import type { Endpoint } from '../config/config.ts'
import type { Settings } from '../config/setting.ts'
import type { MediaContent } from '../wire/media.ts'
import type { NonChatType, NonChatReply, NonChatRequests } from '../wire/non-chat.ts'
import type { ChatCompletion, ChatRequest } from '../wire/chat/schema.ts'
import type { Effort } from '../wire/chat/reasoning-effort.ts'
import type { StreamPart } from '../wire/stream-part.ts'
import type { Usage } from '../wire/usage.ts'
import type { ShippedPrices } from '../accounting/price-list.ts'
import type { Price, PriceOrigin } from '../accounting/pricing.ts'
import type { Transport } from './http/transport.ts'

/** Where a model runs, which is what "local first" refers to. */
export type Tier = 'local' | 'remote'

/** What a model can do. `undefined` means the server does not say: nothing is ruled out by it. */
export interface Capabilities {
  /** Supports chat; false for models that only embed. */
  chat?: boolean
  tools?: boolean
  /** Obeys a `tool_choice` that forces a call (`required`, or one function by name). */
  forcedTools?: boolean
  vision?: boolean
  /** `response_format` json_object and json_schema. */
  json?: boolean
  reasoning?: boolean
  logprobs?: boolean
  logitBias?: boolean
  /** Several choices per request (`n`). */
  manyChoices?: boolean
  embeddings?: boolean
}

/** One model on one endpoint, as its server currently describes it. */
export interface Model {
  /** `<provider>/<name>`, unique in this process: a caller names it to get exactly this model. */
  id: string
  /** Name of the provider instance that serves it. */
  provider: string
  /** The model's id on its own server. */
  name: string
  tier: Tier
  /** Undefined where the price is not known; such a model is treated as paid. */
  price: Price | undefined
  /** Absent without a price, and for what runs on this network. */
  priceOrigin?: PriceOrigin | undefined
  /** Free to call: local, or a free offer of a remote provider. */
  free: boolean
  /** The maximum of prompt plus output as the model is loaded now (or as we would load it); undefined where unknown. */
  contextTokens: number | undefined
  maxOutputTokens?: number | undefined
  /** In memory now; undefined where the server does not say or the property does not apply. */
  loaded: boolean | undefined
  capabilities: Capabilities
  family?: string | undefined
  /** Billions of parameters. */
  parametersB?: number | undefined
  /** Release date reported by its server: YYYY-MM-DD. */
  released?: string | undefined
  quantization?: string | undefined
  digest?: string | undefined
  sizeBytes?: number | undefined
  /** Why it should not be chosen now, human-readable; a request that names the model still gets it. */
  avoid?: string | undefined
  /** Client protocols, besides chat completions, that its server supports completely: `passThrough` uses them. */
  nativeProtocols?: readonly 'messages'[] | undefined
}

export interface Health {
  state: 'unknown' | 'up' | 'down'
  /** Why it is down, for its operator. */
  reason?: string
  /** Milliseconds since the epoch. */
  checkedAt: number
}

/** A caller's own key at a provider, and the variable that it came from. */
export interface Credential {
  apiKey: string
  variable: string
}

/** Told by a call as it proceeds: what an attempt that ends early is charged depends on it. */
export interface CallProgress {
  /** The `traceparent` header that the request is sent with, if it is traced. */
  traceParent?: string | undefined
  /** The request goes to the server. */
  sent: () => void
  /** The server has begun to respond. `generationId` is its own id of the call, where it has one. */
  responded: (response: { status: number; generationId: string | undefined }) => void
}

/** One attempt to call a model. */
export interface ProviderCall {
  model: Model
  /** The caller's request; the provider writes its own model name into it. */
  request: ChatRequest
  /** Estimated prompt size in the model's own tokens, for servers that must be given a context size. */
  promptTokens: number
  /** Aborted on a disconnect or a timeout; closes the upstream socket. */
  signal: AbortSignal
  progress?: CallProgress | undefined
  /** Used instead of the operator's. */
  credential?: Credential | undefined
}

/** One attempt in the caller's own protocol. */
export interface PassThroughCall extends Omit<ProviderCall, 'request' | 'promptTokens'> {
  /** A Messages request with this server's name of the model in it. */
  body: Readonly<Record<string, unknown>>
  /** The caller's headers that belong to the protocol: `anthropic-version`, `anthropic-beta`. */
  headers: Readonly<Record<string, string>>
}

/** `native` is the buffered response in the caller's protocol, or says that the parts are, unchanged from the server. */
export type Reply<Body> =
  | { kind: 'complete'; completion: Body; native?: object | undefined }
  | { kind: 'stream'; parts: AsyncIterable<StreamPart>; native?: true | undefined }
export type ProviderReply = Reply<ChatCompletion>

/** One attempt at a non-chat request. */
export interface NonChatCall<Request> {
  model: Model
  request: Request
  promptTokens: number
  signal: AbortSignal
  progress?: CallProgress | undefined
  /** Used instead of the operator's. */
  credential?: Credential | undefined
}

/** One attempt at a request that is passed on as it is. */
export interface MediaCall {
  model: Model
  /** Without the base URL's `/v1`. */
  path: string
  sent: MediaContent
  signal: AbortSignal
  progress?: CallProgress | undefined
  /** Used instead of the operator's. */
  credential?: Credential | undefined
}

/** The non-chat endpoints of a kind of server; absent where its API has none. Errors as for chats. */
export type ProviderNonChat = {
  readonly [Name in NonChatType]?: (call: NonChatCall<NonChatRequests[Name]>) => Promise<Reply<NonChatReply>>
}

/**
 * One endpoint of one kind of server. It owns its connections, model list and health, and throws only `GatewayError`.
 * Every answer is in the chat completions format, whatever the server's protocol; a stream ends normally only when the
 * answer is complete.
 */
export interface Provider {
  /** Unique in this process: `ollama`, `ollama-2`, `openrouter`, or the name given in `signalbox.json`. */
  readonly name: string
  /** Display name of the kind of server. */
  readonly label: string
  readonly tier: Tier
  /** For display; never contains a credential. */
  readonly url: string
  /** Supports `cache_control` on parts, messages and tools; other servers may reject the unknown field. */
  readonly cacheControl?: boolean
  /** Accepts images inside tool results; OpenAI's own API accepts them only in user messages. */
  readonly toolImages?: boolean
  /** Accepts system and developer messages anywhere, as OpenAI's own API does; chat templates often want one, first. */
  readonly openAis?: boolean
  /** Is Anthropic's own API, the only one that uses the account metadata Claude Code sends. */
  readonly anthropics?: boolean
  /** Is an Ollama server, the only kind that knows Ollama's `options`, `keep_alive` and `think`. */
  readonly ollamas?: boolean
  /** The values of `reasoning_effort` it supports, where not all of them. */
  readonly efforts?: readonly Effort[]
  /** The fields of a request that its API has a place for; absent where it is sent all of them. */
  readonly requestFields?: { readonly [Type in 'chat' | NonChatType]?: ReadonlySet<string> }
  /** Time limit in milliseconds for the first token, where its operator set one; a cold model loads in that time. */
  readonly firstTokenTimeoutMs?: number | undefined
  /** The models as of the last refresh; empty while the server is down. */
  models(): readonly Model[]
  health(): Health
  /**
   * Queries what the server serves now. Never throws: a failure appears in `health()`. Concurrent calls share one
   * query. Data that rarely changes may come from a cache; `fresh` bypasses it.
   */
  refresh(signal: AbortSignal, options?: { fresh?: boolean }): Promise<void>
  chat(call: ProviderCall): Promise<ProviderReply>
  /** The same for a Messages request, at the server's own Messages endpoint; for models with it in `nativeProtocols`. */
  passThrough?: (call: PassThroughCall) => Promise<ProviderReply>
  /** Prompt tokens as the server itself counts them, its template included, where it can. Generates nothing. */
  readonly countTokens?: (call: Omit<ProviderCall, 'promptTokens'>) => Promise<number>
  readonly nonChat?: ProviderNonChat
  /** Moderation, speech and pictures, where servers of this kind may have them. The parts of the answer are opaque. */
  readonly media?: (call: MediaCall) => Promise<Reply<never>>
  /**
   * What a call consumed and cost according to the provider, for one that ended without saying so. Undefined while the provider
   * does not know the call; some take seconds.
   */
  readonly billOf?: (
    generationId: string,
    call: { signal: AbortSignal; credential: Credential | undefined },
  ) => Promise<Usage | undefined>
  /** What the provider has billed to the key since it exists, in USD: itself, and at the model's own provider (BYOK). */
  readonly account?: (signal: AbortSignal) => Promise<ProviderAccount>
  close(): Promise<void>
}

export interface ProviderAccount {
  billedUsd: number
  byokUsd: number
}

/** What a provider is built from. */
export interface ProviderParts {
  endpoint: Endpoint
  transport: Transport
  /** What models cost where the server does not say. */
  prices: Pick<ShippedPrices, 'at'>
  /** Milliseconds since the epoch. */
  now: () => number
}

/**
 * One kind of server. To add one, write a file that exports this and add it to `index.ts`: its settings, its
 * `.env.example` entry, discovery and the conformance suite follow.
 */
export interface ProviderKind {
  /** The name used in `signalbox.json`. */
  readonly kind: string
  readonly label: string
  /** An endpoint of this kind is ignored without an API key. */
  readonly needsKey?: boolean
  /** The environment variables it reads, in addition to the core's. */
  readonly settings: Settings
  /** Normalizes an address however it is written. */
  readonly normalize: (url: URL) => string
  /** The endpoints that the variables name; without any, the one at its default address, if it has one. */
  endpoints(
    variables: Readonly<Record<string, unknown>>,
    environment: Readonly<Record<string, string | undefined>>,
  ): Endpoint[]
  create(parts: ProviderParts): Provider
}
