import type { CallProgress, Credential, Model, Provider, Reply } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import type { Measured, PromptCount } from '../router/measure.ts'
import type { Group } from '../router/select.ts'
import type { ChatCompletion, ChatRequest } from '../wire/chat/schema.ts'
import type { StreamPart } from '../wire/stream-part.ts'
import type { Primed } from './attempt.ts'
import type { RouteQuery } from './call.ts'
import type { Cascade, CascadeRequest } from './cascade-run.ts'
import type { ReasoningCache } from './reasoning-cache.ts'
import type { RequestFacts, RequestRecorder } from './request-record.ts'

/*
 * The interface between the pipeline (decide → call → fall back → record: pipeline.ts, fallback.ts) and the kinds of request
 * it runs (chat-job.ts, non-chat-job.ts). It has two sides: the pipeline knows a request only as a `Job`, and a job reaches
 * whatever outlives its request only through `PipelineEffects`.
 */

/** Everything the pipeline calls on a job, in that order. */
export interface Job<Body> {
  /** What is recorded about the request. */
  asked: RequestFacts
  /** Chooses the candidates, calling no model; throws for unknown model names. */
  decide: (signal: AbortSignal) => Decision | Promise<Decision>
  /** Checks the answers before they are sent; absent or undefined if no checks were requested. */
  cascade?: (decision: Decision, recorder: RequestRecorder) => Cascade<Body> | undefined
  /** The call for one candidate, and what was changed for it. */
  prepare(target: CallTarget): PreparedCall<Body>
  /** Assembles a stream for a caller who requested a buffered answer; absent where providers never stream unrequested. */
  assemble?: ((parts: AsyncGenerator<StreamPart, void, void>) => Promise<Body>) | undefined
  /** The answer of `model` as the caller gets it. */
  finish(reply: Primed<Body>, model: Model): Primed<Body>
  /** Called when `model` has begun to answer. */
  served?: (model: Model, decision: Decision) => void
}

export interface PreparedCall<Body> {
  call: (signal: AbortSignal, progress: CallProgress) => Promise<Reply<Body>>
  /** What was changed for the candidate. */
  notes: string[]
  /** The answer arrives all at once, so there is no first token. */
  inOnePiece: boolean
}

/** The candidate that a call is made for. */
export interface CallTarget {
  model: Model
  provider: Provider
  /** Expected size of the prompt in the model's own tokens. */
  promptTokens: number
  /** Output tokens that are paid for; undefined where no budget limits them. */
  maxOutputTokens: number | undefined
  /** The caller's own key at the provider. */
  credential: Credential | undefined
}

/** Everything a job may use of the pipeline. */
export interface PipelineEffects {
  /** The models that these names stand for, in order. Throws `model_not_found` for an unknown name. */
  groupsOf: (names: readonly string[]) => Group[]
  /** Throws `model_not_found` if its provider was removed from the settings. */
  providerOf: (model: Model) => Provider
  countText: (text: string) => PromptCount
  /** If the prompt is close to a limit, a server may count it. */
  decideChat: (request: ChatRequest, signal: AbortSignal, query: RouteQuery) => Promise<Decision>
  decideNonChat: (groups: readonly Group[], measured: Measured, query: RouteQuery) => Promise<Decision>
  /** Records which model's prompt cache holds the conversation now. */
  remember: (
    conversation: { request: ChatRequest; session: string | undefined; keyId: string },
    model: Model,
    decision: Decision,
  ) => void
  /** The checks of one request's answers. */
  startCascade: (request: CascadeRequest) => Cascade<ChatCompletion>
  readonly reasoningCache: ReasoningCache
}
