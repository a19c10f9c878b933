import type { Spender } from '../accounting/budget.ts'
import type { Model } from '../providers/provider.ts'
import type { RequestOptions } from '../router/options.ts'
import type { ChatRequest } from '../wire/chat/schema.ts'
import type { Usage } from '../wire/usage.ts'
import type { SlotPriority } from './slots.ts'

/** Routing requirements that the request itself does not show. */
export interface RouteQuery {
  /** Name of the caller's API key; only conversations of the same key count. */
  keyId?: string
  options?: RequestOptions
  /** Minimum prompt tokens, if the caller knows of more than the request contains. */
  contextTokens?: number
  /** The background task that it belongs to. */
  task?: string
  /** On whose account it spends, where that is not seen from the above. */
  spender?: Spender
}

/** On whose account a request spends. */
export function spenderOf({ keyId, options = {}, task, spender }: RouteQuery): Spender {
  return spender ?? { key: keyId, tags: options.tags ?? [], session: options.session, task: task ?? options.task }
}

/** A Messages request before any translation. */
export interface NativeRequest {
  body: Readonly<Record<string, unknown>>
  headers: Readonly<Record<string, string>>
  /** What its translation omits. */
  translationNotes: readonly string[]
}

/** The caller and the circumstances of a request. */
export interface Call extends RouteQuery {
  requestId: string
  /** The caller's own id of the request. */
  callerRequestId?: string | undefined
  /** The endpoint that was called: `chat`, `messages`, `responses`. */
  endpoint: string
  /** The name of the API key; never the key. */
  keyId: string
  /** The caller's `traceparent` header. */
  traceParent?: string | undefined
  /** Aborted when the client disconnects. */
  signal: AbortSignal
  /** Milliseconds since the epoch. */
  receivedAt: number
  /** The request adapted to one model, if models need different requests. */
  shape?: (model: Model, request: ChatRequest) => ChatRequest
  /** The original request, for servers that support its protocol. */
  native?: NativeRequest | undefined
  /** Priority in the queue for a slot; `normal` by default. */
  priority?: SlotPriority
  /** Called once, with what all attempts together consumed. */
  onSettled?: (usage: Usage) => void
  /** Called each time a model gets a slot for the request. */
  onSlot?: (model: Model) => void
}
