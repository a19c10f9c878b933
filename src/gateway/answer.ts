import type { Model } from '../providers/provider.ts'
import type { Verification } from '../router/cascade.ts'
import type { ChatCompletion } from '../wire/chat/schema.ts'
import type { Primed } from './attempt.ts'

/** Milliseconds: choosing, waiting for slots (all attempts together), and the winning attempt up to its first token. */
export interface Timings {
  routeMs: number
  queueMs: number
  upstreamMs: number
}

/** Where an answer came from, for the response headers. */
export interface Served {
  model: Model
  /** One short phrase: why this model. */
  reason: string
  attempts: number
  /** Expected size of the prompt in the model's own tokens. */
  promptTokens: number
  timings: Timings
  /** What was changed in the request for this model. */
  notes: readonly string[]
  /** Budgets of which much is spent or held. */
  budgetWarnings: readonly string[]
  /** The outcome of the checks, if the answer was checked. */
  verification?: Verification
}

export interface Answer<Body = ChatCompletion> {
  served: Served
  reply: Primed<Body>
}
