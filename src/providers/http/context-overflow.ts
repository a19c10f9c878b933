import { isObject, readNumber } from '../../json.ts'

/** What a server reported about a prompt that exceeds its context; either number may be missing. */
export interface Overflow {
  promptTokens: number | undefined
  contextTokens: number | undefined
}

/**
 * Recognizes any server's report that a prompt is too long. `names` are the codes and types of the error, `error` its
 * object, where llama-server puts both numbers.
 */
export function readOverflow(error: unknown, names: string, message: string): Overflow | undefined {
  const named = /exceed_context_size|context_length_exceeded/.test(names)
  if (!named && !(subject.test(message) && complaint.test(message))) return undefined
  const fields = isObject(error) ? error : {}
  return {
    promptTokens: readNumber(fields.n_prompt_tokens) ?? firstNumber(needed, message),
    contextTokens: readNumber(fields.n_ctx) ?? firstNumber(limits, message),
  }
}

const subject =
  /context[ _](length|window|size|limit)|maximum (context|model) length|max context|max_model_len|prompt (is )?too long|input (is )?too long|too large for model|maximum number of tokens allowed|context the overflows/i
const complaint = /exceed|too (long|large)|greater|longer|however|overflow|not enough|>/i

const limits = [
  /(?:maximum|max) (?:context|model) length (?:is|of) (\d+)/i,
  /context length of (?:only )?(\d+)/i,
  /with (\d+) maximum context/i,
  /n_ctx: ?(\d+)/i,
  /context (?:size|window|limit) (?:is |of )?\(?(\d+)/i,
  /context length \(?(\d+)/i,
  />=? ?(\d+) (?:maximum|limit)/i,
  /maximum number of tokens allowed \((\d+)\)/i,
]
const needed = [
  /(?:requested|resulted in)(?: about)? (\d+)/i,
  /first (\d+) tokens/i,
  /n_keep: ?(\d+)/i,
  /contains (?:at least )?(\d+)/i,
  /request \((\d+) tokens/i,
  /too long: (\d+)/i,
  /(?:input|prompt)(?: token count)?(?: \(length)? ?(?:has |is |of )?\(?(\d+)/i,
]

function firstNumber(patterns: readonly RegExp[], text: string): number | undefined {
  for (const pattern of patterns) {
    const found = pattern.exec(text)?.[1]
    if (found !== undefined) return Number(found)
  }
  return undefined
}
