import type { CallBounds } from '../accounting/worst-case.ts'
import type { Model } from '../providers/provider.ts'
import { defaultAnswerRoom } from './filter.ts'
import type { Measured } from './measure.ts'

/** A count of ours may be short of what a server charges by this much: other tokenizers, and templates. */
const promptFactor = 1.5
/** What an image takes differs several times between models. */
const imageFactor = 4
const templateTokens = 200
/** The longest answer that is paid for where neither the request nor the model has a limit. */
const longestAnswer = 32_768

/** The most that a call of `model` may consume; `promptTokens`: expected, in the model's own tokens. */
export function callBounds(model: Model, measured: Measured, promptTokens: number): CallBounds {
  const factor = (measured.vision ? imageFactor : promptFactor) * (1 + measured.error)
  const most = templateTokens + Math.max(Math.ceil(promptTokens * factor), measured.allPromptTokens ?? 0)
  const outputTokens = longestOutput(model, measured, { expected: promptTokens, most })
  return {
    promptTokens: most,
    outputTokens,
    leastOutputTokens: Math.min(outputTokens, defaultAnswerRoom),
    choices: measured.choices ?? 1,
  }
}

function longestOutput(
  { maxOutputTokens = Infinity, contextTokens = Infinity }: Model,
  { nonChat, outputTokens: asked }: Measured,
  prompt: { expected: number; most: number },
): number {
  if (nonChat === 'embeddings' || nonChat === 'rerank') return 0
  const room = contextTokens - prompt.expected
  if (asked !== undefined && asked > 0) return Math.max(1, Math.min(asked, maxOutputTokens, room))
  // The limit will be sent, so that it must fit even if the prompt is longer than expected.
  const safeRoom = Math.max(contextTokens - prompt.most, Math.ceil(room / 2))
  return Math.max(1, Math.min(longestAnswer, maxOutputTokens, safeRoom))
}
