import type { Model, Provider, Reply } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import type { RequestRecorder, Asked } from './request-record.ts'
import type { Primed } from './attempt.ts'
import type { Cascade } from './cascade-run.ts'

/** What is the same on the road for a chat, embeddings or whatever else a caller wants: who could do it, and how each is asked. */
export interface Job<Body> {
  /** As the books have it. */
  asked: Asked
  /** Calls no model; throws where the caller's words mean nobody. */
  decide: (signal: AbortSignal) => Decision | Promise<Decision>
  /** The call that one candidate gets, and what was changed for it. */
  prepare(candidate: CallTarget): { call: (signal: AbortSignal) => Promise<Reply<Body>>; notes: string[] }
  /** What checks the answers before they go on; absent, or undefined, where nobody wants that. */
  cascade?: (decision: Decision, recorder: RequestRecorder) => Cascade<Body> | undefined
  /** Told when `model` has begun to answer. */
  served?: (model: Model, decision: Decision) => void
  /** The answer of `model` as it goes on to the caller. */
  finish(reply: Primed<Body>, model: Model): Primed<Body>
}

export interface CallTarget {
  model: Model
  provider: Provider
  /** What the prompt is expected to take in the model's own tokens. */
  promptTokens: number
}
