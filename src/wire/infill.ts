import { z } from 'zod'
import { ModelName } from './model-name.ts'
import type { CompletionsRequest, NonChatReply } from './non-chat.ts'
import { readUsage } from './chat/schema.ts'
import { writeOpenAiError } from './chat/error.ts'
import { commentFrame, type StreamWriter } from './protocol.ts'
import type { Usage } from './usage.ts'
import { countsIn, usageFormats } from './usage-formats.ts'

/** llama-server's fill-in-the-middle request (`/infill`), which editor plugins send. */
export const InfillRequest = z.looseObject({
  model: ModelName.default('auto'),
  input_prefix: z.string().default(''),
  input_suffix: z.string().default(''),
  /** The text before the gap on the same line. */
  prompt: z.string().default(''),
  /** Tokens; 0 only warms the cache, a negative value means no limit. */
  n_predict: z.int().nullish(),
  stream: z.boolean().nullish(),
})
type InfillRequest = z.output<typeof InfillRequest>

/** The same request as a completion with a suffix, which every provider supports. */
export function completionFromInfill(infill: InfillRequest): CompletionsRequest {
  const { input_prefix, input_suffix, prompt, n_predict: most, ...rest } = infill
  return {
    ...rest,
    prompt: input_prefix + prompt,
    suffix: input_suffix,
    ...(most === null || most === undefined || most < 0 ? {} : { max_tokens: Math.max(1, most) }),
  }
}

/** A completion in the shape of llama-server's response. */
export function infillFromCompletion({ choices, usage }: NonChatReply, model: string): object {
  const text = choices?.[0]?.text
  const content = typeof text === 'string' ? text : ''
  return { content, ...ending(choices?.[0]?.['finish_reason'], readUsage(usage), model) }
}

/** Completion chunks in llama-server's stream format; the last one carries the stop reason. */
export function createInfillWriter(model: string): StreamWriter {
  let reason: unknown
  let usage: Usage | undefined
  const frame = (payload: object) => `data: ${JSON.stringify(payload)}\n\n`
  return {
    push(part) {
      let out = ''
      usage = part.usage ?? usage
      for (const { choices = [] } of part.chunks) {
        const [choice] = choices
        reason = choice?.finish_reason ?? reason
        const text = choice?.['text']
        if (typeof text === 'string' && text !== '') out += frame({ content: text, stop: false })
      }
      return Buffer.from(out)
    },
    end: counted => Buffer.from(frame({ content: '', ...ending(reason, usage ?? counted, model) })),
    fail: error => Buffer.from(frame(writeOpenAiError(error).body)),
    keepAlive: () => Buffer.from(commentFrame),
  }
}

function ending(reason: unknown, usage: Usage | undefined, model: string): object {
  const counts = usage === undefined ? undefined : countsIn(usageFormats.llamaServer, usage)
  return {
    model,
    stop: true,
    stop_type: reason === 'length' ? 'limit' : 'eos',
    ...(counts === undefined ? {} : { tokens_evaluated: counts.input, tokens_predicted: counts.output }),
  }
}
