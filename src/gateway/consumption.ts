import type { FailureCode, GatewayError } from '../errors.ts'
import type { CallProgress, Model } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import { cachedTokens } from '../router/price.ts'
import { readUsage, type ChatCompletion } from '../wire/chat/schema.ts'
import { framesIn, type StreamPart } from '../wire/stream-part.ts'
import { noUsage, promptTokens, unknownUsage, type Usage } from '../wire/usage.ts'

/** The fields of a complete answer, of a chat or another endpoint, that its usage is read from. */
export interface Answered {
  usage?: unknown
  choices?: readonly { text?: unknown; message?: ChatCompletion['choices'][number]['message'] }[]
}

/** What one attempt has consumed of its model, however far it got. */
export interface Consumption {
  readonly progress: CallProgress
  /** A part of the answer has arrived. */
  received: (part: StreamPart) => void
  /** Whether the request went out. */
  isSent: () => boolean
  /** The provider's own id of the call. */
  generationId: () => string | undefined
  /** Usage of a complete answer. */
  of: (answer: Answered) => Usage
  /** Usage of a stream that has ended in order. */
  ofStream: () => Usage
  /** Our estimate where a stream reported no usage; undefined where it did. */
  unreported: () => Usage | undefined
  /**
   * Usage of an attempt that ended early. Tokens that arrived are charged with their prompt. Before the first token the prompt is
   * charged if we gave up on a server that was working on it, and nothing if the server failed or refused.
   */
  until: (error: GatewayError) => Usage
}

/** Output tokens assumed where the reported usage is impossible. */
const maxGuessedTokens = 4_096
/** Larger than the context of any model. */
const largestContext = 10_000_000

/** Ends that are not the server's doing. */
const givenUp: ReadonlySet<FailureCode> = new Set<FailureCode>(['client_closed', 'shutting_down', 'upstream_timeout'])

/** `expectedTokens`: expected size of the prompt in the model's own tokens. */
export function createConsumption(
  model: Model,
  { measured, conversation }: Decision,
  expectedTokens: number,
): Consumption {
  let state: 'unsent' | 'sent' | 'accepted' | 'refused' = 'unsent'
  let generationId: string | undefined
  let reported: Usage | undefined
  let prompt: Usage | undefined
  let frames = 0
  const isMedia = measured.nonChat === 'media'

  /** The prompt as its server counted it at the start, if that can be, else as we expect it; servers send about one token per frame. */
  const estimate = (outputTokens: number): Usage => {
    const counted = prompt !== undefined && isPlausible(prompt, model) ? prompt : expectedPrompt()
    const { inputTokens, cacheReadTokens, cacheWriteTokens } = counted
    return { ...noUsage, inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens, estimated: true }
  }
  const expectedPrompt = (): Usage => {
    const cacheReadTokens = cachedTokens(conversation, model, expectedTokens)
    return { ...noUsage, inputTokens: expectedTokens - cacheReadTokens, cacheReadTokens }
  }
  /** Usage of several times the context counts something other than tokens; our own estimate is closer. */
  const believed = (usage: Usage): Usage => {
    // Embeddings and rerank take many texts at once, each as long as the context.
    if (measured.nonChat !== undefined || isPlausible(usage, model)) return usage
    return estimate(Math.min(usage.outputTokens, maxGuessedTokens))
  }

  return {
    progress: {
      sent() {
        state = 'sent'
      },
      responded({ status, generationId: id }) {
        state = status < 300 ? 'accepted' : 'refused'
        generationId = id ?? generationId
      },
    },
    received(part) {
      reported = part.usage ?? reported
      if (part.opaque !== undefined) return
      prompt = part.promptUsage ?? prompt
      frames += framesIn(part)
    },
    isSent: () => state !== 'unsent',
    generationId: () => generationId,
    of: answer => believed(readUsage(answer.usage) ?? estimate(estimateTokens(answer))),
    ofStream: () => believed(reported ?? (isMedia ? unknownUsage : estimate(frames))),
    unreported: () => (reported === undefined && !isMedia ? estimate(frames) : undefined),
    until(error) {
      if (reported !== undefined) return { ...believed(reported), partial: true }
      const isCharged = frames > 0 || (isPending(state) && givenUp.has(error.code))
      if (isMedia) return isCharged ? { ...unknownUsage, partial: true } : noUsage
      return isCharged ? { ...estimate(frames), partial: true } : noUsage
    },
  }
}

const isPending = (state: string) => state === 'sent' || state === 'accepted'

function isPlausible(usage: Usage, { contextTokens = largestContext }: Model): boolean {
  return promptTokens(usage) + usage.outputTokens <= 4 * contextTokens
}

/** About four characters per token; used only if the upstream reports no usage at all. */
function estimateTokens({ choices = [] }: Answered): number {
  const letters = choices.reduce((sum, { message, text }) => {
    const calls = message?.tool_calls?.map(call => call.function.arguments).join('') ?? ''
    const output = `${message?.content ?? ''}${message?.reasoning_content ?? ''}${typeof text === 'string' ? text : ''}`
    return sum + output.length + calls.length
  }, 0)
  return Math.ceil(letters / 4)
}
