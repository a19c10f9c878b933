import type { Model } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import type { ChatCompletion, ChatRequest } from '../wire/openai.ts'
import type { Call, RouteWish } from './account.ts'
import type { Job } from './job.ts'
import type { KeptReasoning } from './kept-reasoning.ts'
import { prepare } from './prepare.ts'

export interface ChatJobParts {
  decide: (request: ChatRequest, signal: AbortSignal, wish: RouteWish) => Promise<Decision>
  /** Takes note of which model holds the conversation. */
  remember: (request: ChatRequest, session: string | undefined, model: Model, decision: Decision) => void
  keptReasoning: KeptReasoning
}

export function chatJob(
  call: Call,
  request: ChatRequest,
  { decide, keptReasoning, remember }: ChatJobParts,
): Job<ChatCompletion> {
  const restored = keptReasoning.restore(request)
  const mayCall = (request.tools?.length ?? 0) > 0
  return {
    asked: request,
    decide: signal => decide(request, signal, call),
    prepare({ model, provider, promptTokens }) {
      const prepared = prepare(call.shape?.(model, restored) ?? restored, { model, provider, promptTokens })
      return {
        call: signal => provider.chat({ model, request: prepared.request, promptTokens, signal }),
        notes: prepared.notes,
      }
    },
    served: (model, decision) => remember(request, call.options?.session, model, decision),
    finish(reply) {
      if (!mayCall) return reply
      if (reply.kind === 'stream') return { kind: 'stream', parts: keptReasoning.watch(reply.parts) }
      keptReasoning.keep(reply.completion)
      return reply
    },
  }
}
