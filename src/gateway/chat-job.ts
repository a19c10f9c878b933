import { toolCallId } from '../providers/mend-tool-calls.ts'
import type { Model } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import { isRecord } from '../wire/json.ts'
import type { ChatCompletion, ChatRequest } from '../wire/openai.ts'
import { inTurn, untangleCompletion, untangleStream, type TextReading } from '../wire/text-reader.ts'
import type { Offered } from '../wire/tool-dialects.ts'
import { createCallTextReader } from '../wire/written-calls.ts'
import { beginsThinking, createThoughtTextReader } from '../wire/written-thoughts.ts'
import type { Call, RouteWish } from './account.ts'
import type { Cascade, CascadeRequest } from './cascade-run.ts'
import type { Job } from './job.ts'
import type { KeptReasoning } from './kept-reasoning.ts'
import { prepare } from './prepare.ts'

export interface ChatJobParts {
  decide: (request: ChatRequest, signal: AbortSignal, wish: RouteWish) => Promise<Decision>
  /** Takes note of which model holds the conversation. */
  remember: (request: ChatRequest, session: string | undefined, model: Model, decision: Decision) => void
  keptReasoning: KeptReasoning
  cascadeFor: (parts: CascadeRequest) => Cascade<ChatCompletion>
}

export function chatJob(
  call: Call,
  request: ChatRequest,
  { decide, keptReasoning, remember, cascadeFor }: ChatJobParts,
): Job<ChatCompletion> {
  const restored = keptReasoning.restore(request)
  const mayCall = (request.tools?.length ?? 0) > 0
  const served = (model: Model, decision: Decision) => remember(request, call.options?.session, model, decision)
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
    cascade: (decision, account) =>
      decision.cascade === undefined
        ? undefined
        : cascadeFor({ call, request, decision, plan: decision.cascade, account, served }),
    served,
    finish(reply, model) {
      const reading = readingOf(request, model)
      if (reply.kind === 'stream') {
        const parts = untangleStream(reply.parts, reading)
        return { kind: 'stream', parts: mayCall ? keptReasoning.watch(parts) : parts }
      }
      const completion = untangleCompletion(reply.completion, reading)
      if (mayCall) keptReasoning.keep(completion)
      return { kind: 'complete', completion }
    },
  }
}

/** Thoughts are looked for at the beginning of every answer, calls only where tools were offered. */
function readingOf(request: ChatRequest, model: Model): TextReading {
  const offered = offeredTools(request)
  return {
    choices: request.n ?? 1,
    createReader: () => {
      const thoughts = createThoughtTextReader(beginsThinking(model.name))
      return offered.size === 0 ? thoughts : inTurn(thoughts, createCallTextReader(offered))
    },
    idOf: (index, name) => toolCallId(request.messages.length, index, name),
  }
}

function offeredTools({ tools, tool_choice: choice }: ChatRequest): Offered {
  if (choice === 'none') return new Map()
  return new Map(
    (tools ?? []).flatMap(({ function: described }) => {
      if (!isRecord(described) || typeof described.name !== 'string') return []
      return [[described.name, isRecord(described.parameters) ? described.parameters : {}] as const]
    }),
  )
}
