import type { Model, Provider, Reply } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import type { Measured, PromptCount } from '../router/measure.ts'
import type { Group } from '../router/select.ts'
import type { ChatCompletion, ChatRequest } from '../wire/chat/schema.ts'
import type { Primed } from './attempt.ts'
import type { RouteQuery } from './call.ts'
import type { Cascade, CascadeRequest } from './cascade-run.ts'
import type { ReasoningCache } from './reasoning-cache.ts'
import type { RequestFacts, RequestRecorder } from './request-record.ts'

/*
 * The seam between the pipeline (decide → call → fall back → record: pipeline.ts, fallback.ts) and what it is run for (chat-job.ts,
 * non-chat-job.ts). It has two sides: the pipeline knows a request only as a `Job`, and a job reaches what lives longer than
 * its request only through `PipelineEffects`.
 */

/** Everything the pipeline asks of a job, in the order in which it asks. */
export interface Job<Body> {
  /** What is recorded of the request. */
  asked: RequestFacts
  /** Chooses the candidates, calling no model; throws for model names that nothing answers to. */
  decide: (signal: AbortSignal) => Decision | Promise<Decision>
  /** What checks the answers before they go on; absent, or undefined, where no checks were asked for. */
  cascade?: (decision: Decision, recorder: RequestRecorder) => Cascade<Body> | undefined
  /** The call that one candidate gets, and what was changed for it. */
  prepare(target: CallTarget): { call: (signal: AbortSignal) => Promise<Reply<Body>>; notes: string[] }
  /** The answer of `model` as it goes on to the caller. */
  finish(reply: Primed<Body>, model: Model): Primed<Body>
  /** Called when `model` has begun to answer. */
  served?: (model: Model, decision: Decision) => void
}

/** The candidate that a call is made for. */
export interface CallTarget {
  model: Model
  provider: Provider
  /** What the prompt is expected to take in the model's own tokens. */
  promptTokens: number
}

/** Everything a job may ask of the pipeline. */
export interface PipelineEffects {
  /** The models that these names stand for, in order. Throws `model_not_found` for a name that nothing answers to. */
  groupsOf: (names: readonly string[]) => Group[]
  /** Throws `model_not_found` when its provider was taken out of the settings. */
  providerOf: (model: Model) => Provider
  countText: (text: string) => PromptCount
  /** Where the prompt comes near a limit, a server may be asked to count. */
  decideChat: (request: ChatRequest, signal: AbortSignal, query: RouteQuery) => Promise<Decision>
  decideNonChat: (groups: readonly Group[], measured: Measured) => Decision
  /** Takes note of which model's prompt cache holds the conversation now. */
  remember: (
    conversation: { request: ChatRequest; session: string | undefined },
    model: Model,
    decision: Decision,
  ) => void
  /** The checks of one request's answers. */
  startCascade: (request: CascadeRequest) => Cascade<ChatCompletion>
  readonly reasoningCache: ReasoningCache
}
