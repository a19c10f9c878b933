import type { CompletionsRequest } from '../../wire/non-chat.ts'

interface GapMarks {
  /** Matches the names of models trained with these tokens. */
  readonly model: RegExp
  readonly write: (before: string, after: string) => string
  /** The model's stop tokens, which not every server knows. */
  readonly stop: readonly string[]
}

const prefixSuffixMiddle = (prefix: string, suffix: string, middle: string) => (before: string, after: string) =>
  prefix + before + suffix + after + middle

/** As published with each model family. */
const families: readonly GapMarks[] = [
  {
    model: /qwen[\d.]*-?coder|codeqwen/i,
    write: prefixSuffixMiddle('<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>'),
    stop: ['<|endoftext|>', '<|fim_pad|>', '<|file_sep|>'],
  },
  {
    model: /codegemma/i,
    write: prefixSuffixMiddle('<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>'),
    stop: ['<|file_separator|>'],
  },
  {
    model: /starcoder|granite.*code|stable-?code/i,
    write: prefixSuffixMiddle('<fim_prefix>', '<fim_suffix>', '<fim_middle>'),
    stop: ['<|endoftext|>', '<file_sep>'],
  },
  {
    model: /deepseek-?coder/i,
    write: prefixSuffixMiddle('<｜fim▁begin｜>', '<｜fim▁hole｜>', '<｜fim▁end｜>'),
    stop: ['<｜end▁of▁sentence｜>'],
  },
  { model: /code-?llama/i, write: prefixSuffixMiddle('<PRE> ', ' <SUF>', ' <MID>'), stop: ['<EOT>'] },
  { model: /codestral/i, write: (before, after) => `[SUFFIX]${after}[PREFIX]${before}`, stop: ['</s>'] },
]

/**
 * Converts a completion with `suffix`, for servers that ignore it, to one prompt with the model's fill-in-the-middle
 * tokens. Returns the request unchanged where there is no suffix or the model's tokens are not known.
 */
export function gapInPrompt(request: CompletionsRequest, model: string): CompletionsRequest {
  const { prompt, suffix, ...rest } = request
  const marks = families.find(family => family.model.test(model))
  if (marks === undefined || typeof suffix !== 'string' || suffix === '' || typeof prompt !== 'string') return request
  const stop = typeof rest.stop === 'string' ? [rest.stop] : (rest.stop ?? [])
  // OpenAI's API accepts at most four.
  return { ...rest, prompt: marks.write(prompt, suffix), stop: [...stop, ...marks.stop].slice(0, 4) }
}
