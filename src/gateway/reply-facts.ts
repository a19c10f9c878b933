import { costOf } from '../accounting/pricing.ts'
import type { ReplyFacts } from '../wire/protocol.ts'
import type { Served } from './answer.ts'
import type { Call } from './call.ts'

type Asked = Pick<Call, 'requestId' | 'receivedAt'>

/** What a protocol's answer says about itself. `now`: milliseconds since the epoch. */
export function factsOf(call: Asked, { model, promptTokens, timings }: Served, now: () => number): ReplyFacts {
  const { routeMs, queueMs, upstreamMs } = timings
  const before = factsBefore(call, model.id, now)
  return {
    ...before,
    promptTokens,
    timing: { ...before.timing, waitedMs: routeMs + queueMs, promptMs: upstreamMs },
    costUsd: usage => costOf(model.price, usage, call.receivedAt + routeMs + queueMs),
  }
}

/** The same where no model was called. */
export function factsBefore({ requestId, receivedAt }: Asked, model: string, now: () => number): ReplyFacts {
  return {
    id: requestId.replaceAll(/[^A-Za-z0-9_-]/g, '_'),
    model,
    createdSeconds: Math.floor(receivedAt / 1000),
    promptTokens: 0,
    timing: { waitedMs: 0, promptMs: 0, elapsedMs: () => now() - receivedAt },
  }
}
