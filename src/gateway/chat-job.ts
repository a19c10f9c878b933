import { newToolCallId } from '../providers/openai/repair-tool-calls.ts'
import type { Model } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import { isObject } from '../json.ts'
import { isAnsweredWhole } from '../wire/chat/answered-whole.ts'
import { foldStream } from '../wire/chat/chunks.ts'
import type { ChatCompletion, ChatRequest } from '../wire/chat/schema.ts'
import { callableTools } from '../wire/chat/tool-choice.ts'
import { inTurn, parseInlineCompletion, parseInlineStream, type TextReading } from '../wire/inline-calls/text-reader.ts'
import type { Offered } from '../wire/inline-calls/dialects.ts'
import { createInlineCallReader } from '../wire/inline-calls/call-reader.ts'
import { startsInReasoning, createInlineReasoningReader } from '../wire/inline-calls/reasoning-reader.ts'
import type { Call } from './call.ts'
import type { Primed } from './attempt.ts'
import type { Job, PipelineEffects } from './job.ts'
import { prepare } from './prepare.ts'
import { preparePassThrough } from './prepare-pass-through.ts'

export function chatJob(call: Call, request: ChatRequest, effects: PipelineEffects): Job<ChatCompletion> {
  const reasoning = effects.reasoningCache.of(call.keyId, request)
  const streaming = request.stream === true
  const mayCall = (request.tools?.length ?? 0) > 0
  /** Native Messages responses pass through unchanged: they already have tool calls and reasoning in blocks. */
  const keepingOnly = (reply: Primed<ChatCompletion>, { id }: Model): Primed<ChatCompletion> => {
    if (mayCall && reply.kind === 'complete') reasoning.keep(id, reply.completion)
    return mayCall && reply.kind === 'stream' ? { ...reply, parts: reasoning.watch(id, reply.parts) } : reply
  }
  const conversation = { request, session: call.options?.session, keyId: call.keyId }
  const served = (model: Model, decision: Decision) => effects.remember(conversation, model, decision)
  return {
    asked: request,
    ...(streaming ? {} : { assemble: foldStream }),
    decide: signal => effects.decideChat(request, signal, call),
    prepare({ model, provider, promptTokens, maxOutputTokens, credential }) {
      const { native } = call
      const restored = reasoning.restore(model.id)
      // Only the translation restores reasoning that the client dropped.
      if (
        native !== undefined &&
        provider.passThrough !== undefined &&
        restored === request &&
        model.nativeProtocols?.includes('messages')
      ) {
        const { passThrough } = provider
        const { body, notes } = preparePassThrough(native.body, { model, provider, promptTokens, maxOutputTokens })
        return {
          call: (signal, progress) =>
            passThrough({ model, body, headers: native.headers, signal, progress, credential }),
          notes,
          inOnePiece: !streaming,
        }
      }
      const prepared = prepare(call.shape?.(model, restored) ?? restored, {
        model,
        provider,
        promptTokens,
        maxOutputTokens,
      })
      return {
        call: (signal, progress) =>
          provider.chat({ model, request: prepared.request, promptTokens, signal, progress, credential }),
        notes: [...(native?.translationNotes ?? []), ...prepared.notes],
        inOnePiece: isAnsweredWhole(request),
      }
    },
    cascade: (decision, recorder) =>
      decision.cascade === undefined
        ? undefined
        : effects.startCascade({ call, request, decision, plan: decision.cascade, recorder, served }),
    served,
    finish(reply, model) {
      if (reply.native !== undefined) return keepingOnly(reply, model)
      const reading = readingOf(request, model)
      if (reply.kind === 'stream') {
        const parts = parseInlineStream(reply.parts, reading)
        return { kind: 'stream', parts: mayCall ? reasoning.watch(model.id, parts) : parts }
      }
      const completion = parseInlineCompletion(reply.completion, reading)
      if (mayCall) reasoning.keep(model.id, completion)
      return { kind: 'complete', completion }
    },
  }
}

/** Reasoning is looked for at the start of every answer, tool calls only if tools were offered. */
function readingOf(request: ChatRequest, model: Model): TextReading {
  const offered = offeredTools(request)
  return {
    choices: request.n ?? 1,
    createReader: () => {
      const thoughts = createInlineReasoningReader(startsInReasoning(model.name))
      return offered.size === 0 ? thoughts : inTurn(thoughts, createInlineCallReader(offered))
    },
    newId: newToolCallId,
  }
}

function offeredTools(request: ChatRequest): Offered {
  return new Map(
    callableTools(request).flatMap(({ function: described }) => {
      if (!isObject(described) || typeof described.name !== 'string') return []
      return [[described.name, isObject(described.parameters) ? described.parameters : {}] as const]
    }),
  )
}
