import type { Model } from '../providers/provider.ts'
import type { RequestOptions } from '../router/options.ts'
import type { ChatRequest } from '../wire/chat/schema.ts'
import type { SlotPriority } from './slots.ts'

/** What a caller wants of the router beyond what their request shows. */
export interface RouteQuery {
  options?: RequestOptions
  /** At least so many prompt tokens, where the caller knows of more than the request holds. */
  contextTokens?: number
}

/** A Messages request before any translation. */
export interface NativeRequest {
  body: Readonly<Record<string, unknown>>
  headers: Readonly<Record<string, string>>
  /** What its translation leaves out. */
  translationNotes: readonly string[]
}

/** Who asks, and how. */
export interface Call extends RouteQuery {
  requestId: string
  /** Which of our endpoints was asked: `chat`, `messages`, `responses`. */
  endpoint: string
  /** The name of the key that was shown; never the key. */
  keyId: string
  /** Aborted when the caller hangs up. */
  signal: AbortSignal
  /** Milliseconds since the epoch. */
  receivedAt: number
  /** The request as one model should get it, where models want to be addressed in different ways. */
  shape?: (model: Model, request: ChatRequest) => ChatRequest
  /** The request as the caller wrote it, for servers that speak that protocol. */
  native?: NativeRequest | undefined
  /** How it waits for a slot; `normal` unless it says otherwise. */
  priority?: SlotPriority
  /** Called each time a model gets a slot to work on the request. */
  onSlot?: (model: Model) => void
}
