import type { Endpoint, Settings } from '../config.ts'
import type { NonChatType, NonChatReply, NonChatRequests } from '../wire/non-chat.ts'
import type { ChatCompletion, ChatRequest } from '../wire/chat/schema.ts'
import type { Effort } from '../wire/chat/reasoning-effort.ts'
import type { StreamPart } from '../wire/stream-part.ts'
import type { Price } from '../accounting/pricing.ts'
import type { Transport } from './http/transport.ts'

/** Where a model runs, which is what "local first" is about. */
export type Tier = 'local' | 'remote'

/** What a model can do. `undefined` means the server does not say: nothing is ruled out by it. */
export interface Capabilities {
  /** Answers chats at all; false for models that only embed. */
  chat?: boolean
  tools?: boolean
  /** Obeys `tool_choice` where it demands a call (`required`, or one function by name). */
  forcedTools?: boolean
  vision?: boolean
  /** `response_format` json_object and json_schema. */
  json?: boolean
  reasoning?: boolean
  logprobs?: boolean
  logitBias?: boolean
  /** More than one choice a request (`n`). */
  manyChoices?: boolean
  embeddings?: boolean
}

/** One model on one endpoint, as its server describes it now. */
export interface Model {
  /** `<provider>/<name>`, unique in this process: what a caller writes to get exactly this one. */
  id: string
  /** Name of the provider instance that serves it. */
  provider: string
  /** The id its own server knows it by. */
  name: string
  tier: Tier
  /** Undefined where nobody told us; such a model is paid for all we know. */
  price: Price | undefined
  /** Costs nothing to call: local, or a free offer of a remote provider. */
  free: boolean
  /** The largest prompt plus output it can serve as it is loaded now (or would be loaded by us); undefined where unknown. */
  contextTokens: number | undefined
  maxOutputTokens?: number | undefined
  /** In memory now; undefined where the server does not say or the question makes no sense. */
  loaded: boolean | undefined
  capabilities: Capabilities
  family?: string | undefined
  /** Billions of parameters. */
  parametersB?: number | undefined
  /** When it came out, as its server tells: YYYY-MM-DD. */
  released?: string | undefined
  quantization?: string | undefined
  digest?: string | undefined
  sizeBytes?: number | undefined
  /** Why it should not be chosen now, for people; naming the model still gets it. */
  avoid?: string | undefined
  /** Callers' protocols, beside chat completions, that its server speaks for it whole: `relay` asks in them. */
  nativeProtocols?: readonly 'messages'[] | undefined
}

export interface Health {
  state: 'unknown' | 'up' | 'down'
  /** Why it is down, in words for its operator. */
  reason?: string
  /** Milliseconds since the epoch. */
  checkedAt: number
}

/** One attempt at one model. */
export interface ProviderCall {
  model: Model
  /** The caller's request; the provider writes its own model name into it. */
  request: ChatRequest
  /** What the prompt is expected to take in the model's own tokens, for servers that must be told how much context to allocate. */
  promptTokens: number
  /** Aborted when the caller hangs up or a timeout passes; the upstream socket closes with it. */
  signal: AbortSignal
}

/** One attempt in the caller's own protocol. */
export interface PassThroughCall extends Omit<ProviderCall, 'request' | 'promptTokens'> {
  /** A Messages request with this server's name of the model in it. */
  body: Readonly<Record<string, unknown>>
  /** The caller's that belong to the protocol: `anthropic-version`, `anthropic-beta`. */
  headers: Readonly<Record<string, string>>
}

/** `native` is the whole answer, or says that the parts are, in the caller's protocol as its server wrote it. */
export type Reply<Body> =
  | { kind: 'complete'; completion: Body; native?: object | undefined }
  | { kind: 'stream'; parts: AsyncIterable<StreamPart>; native?: true | undefined }
export type ProviderReply = Reply<ChatCompletion>

/** One attempt at something else than a chat. */
export interface NonChatCall<Request> {
  model: Model
  request: Request
  promptTokens: number
  signal: AbortSignal
}

/** What a kind of server does beside chats; what its API has no place for is absent. Failures as with chats. */
export type ProviderNonChat = {
  readonly [Name in NonChatType]?: (call: NonChatCall<NonChatRequests[Name]>) => Promise<Reply<NonChatReply>>
}

/**
 * One endpoint of one kind of server. It owns its connections, its list of models and its health, and throws only
 * `GatewayError`. Every answer is in the chat completions dialect, whatever the server speaks; a stream ends normally only
 * when the answer is complete.
 */
export interface Provider {
  /** Unique in this process: `ollama`, `ollama-2`, `openrouter`, or the name given in `signalbox.json`. */
  readonly name: string
  /** What people call this kind of server. */
  readonly label: string
  readonly tier: Tier
  /** For people; never holds a credential. */
  readonly url: string
  /** Understands `cache_control` on parts, messages and tools; to all others it is an unknown field, which some refuse. */
  readonly cacheControl?: boolean
  /** Takes images inside the results of tools; OpenAI's own dialect has them in messages of users alone. */
  readonly toolImages?: boolean
  /** Is Anthropic's own API, which alone can use what Claude Code tells it for its accounts. */
  readonly anthropics?: boolean
  /** The words it takes as `reasoning_effort`, where not every one will do. */
  readonly efforts?: readonly Effort[]
  /** How long its first token may take where its operator set a time of its own; a cold model loads in that time. */
  readonly firstTokenTimeoutMs?: number | undefined
  /** The models as of the last refresh; empty while the server is down. */
  models(): readonly Model[]
  health(): Health
  /**
   * Asks the server what it serves now. Never throws: a failure becomes `health()`. Concurrent calls share one question. What
   * hardly changes may be answered from memory; `fresh` asks for that too.
   */
  refresh(signal: AbortSignal, options?: { fresh?: boolean }): Promise<void>
  chat(call: ProviderCall): Promise<ProviderReply>
  /** The same for a Messages request, at the server's own endpoint for that; for models that say so in `speaks`. */
  passThrough?: (call: PassThroughCall) => Promise<ProviderReply>
  /** Prompt tokens as the server itself counts them, its template included, where it can. Nothing is generated. */
  readonly countTokens?: (call: Omit<ProviderCall, 'promptTokens'>) => Promise<number>
  readonly nonChat?: ProviderNonChat
  close(): Promise<void>
}

/** What a provider is built from. */
export interface ProviderParts {
  endpoint: Endpoint
  transport: Transport
  /** Milliseconds since the epoch. */
  now: () => number
}

/**
 * One kind of server. To add one, write a file that exports this and put its name in `index.ts`: its settings, its place in
 * `.env.example`, discovery and the conformance suite follow.
 */
export interface ProviderKind {
  /** As written in `signalbox.json`. */
  readonly kind: string
  readonly label: string
  /** Without a key an endpoint of this kind is as good as absent. */
  readonly needsKey?: boolean
  /** The environment variables it reads, on top of the core's. */
  readonly settings: Settings
  /** The address as the kind's file wants it, however people wrote it. */
  readonly normalize: (url: URL) => string
  /** The endpoints that the variables name; one at its usual address where the variables are silent and it has one. */
  endpoints(
    variables: Readonly<Record<string, unknown>>,
    environment: Readonly<Record<string, string | undefined>>,
  ): Endpoint[]
  create(parts: ProviderParts): Provider
}
