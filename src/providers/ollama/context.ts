import type { ProviderCall } from '../provider.ts'
import { contextFailure } from '../http/upstream-failure.ts'

/** Output tokens reserved when the caller sets no limit, where the context allows. */
const answerRoomTokens = 4096
/** With less space than this for the output a prompt counts as too long. */
const minOutputTokens = 256
/** Ollama's own minimum. */
const minContextTokens = 4096
/** Tokens reserved for an image, which Ollama does not count. */
const imageTokens = 1024

/**
 * `options.num_ctx` for a call: prompt and output fit, and the value changes in few steps because every change reloads
 * the model. `loadedTokens` is the context that the model is loaded with now: a larger one is kept. Throws
 * `context_length_exceeded` with both numbers, because Ollama would silently truncate the prompt.
 */
export function contextFor({ model, request, promptTokens }: ProviderCall, loadedTokens = 0): number {
  const most = model.contextTokens ?? Number.POSITIVE_INFINITY
  const limit = request.max_completion_tokens ?? request.max_tokens ?? undefined
  const needed = promptTokens + (limit ?? minOutputTokens)
  if (needed > most) {
    throw contextFailure(model.id, { promptTokens: needed, contextTokens: most })
  }
  // The estimate for an unmeasured tokenizer may be off by a tenth, and templates add tokens.
  const generous = Math.ceil(promptTokens * 1.1) + 64 + imageTokens * countImages(request) + (limit ?? answerRoomTokens)
  return Math.max(Math.min(stepAbove(generous), most), Math.min(loadedTokens, most))
}

/** 4096, 6144, 8192, 12288, 16384 …: powers of two and the midpoints between them. */
function stepAbove(tokens: number): number {
  let step = minContextTokens
  while (step < tokens) step = Number.isInteger(Math.log2(step)) ? step * 1.5 : (step / 3) * 4
  return step
}

function countImages({ messages }: ProviderCall['request']): number {
  return messages
    .flatMap(({ content }) => (Array.isArray(content) ? content : []))
    .filter(part => part.type === 'image_url').length
}
