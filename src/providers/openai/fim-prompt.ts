import type { CompletionsRequest } from '../../wire/non-chat.ts'

interface GapMarks {
  /** Which models were trained with these marks, by their names. */
  readonly model: RegExp
  readonly write: (before: string, after: string) => string
  /** Where such a model stops; not every server knows. */
  readonly stop: readonly string[]
}

const prefixSuffixMiddle = (prefix: string, suffix: string, middle: string) => (before: string, after: string) =>
  prefix + before + suffix + after + middle

/** Published with each family of models. */
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
 * A completion with `suffix`, for servers that would overlook it: both texts in one prompt with the marks that the model was
 * trained with. The same request where there is no suffix or the model's marks are not known.
 */
export function gapInPrompt(request: CompletionsRequest, model: string): CompletionsRequest {
  const { prompt, suffix, ...rest } = request
  const marks = families.find(family => family.model.test(model))
  if (marks === undefined || typeof suffix !== 'string' || suffix === '' || typeof prompt !== 'string') return request
  const stop = typeof rest.stop === 'string' ? [rest.stop] : (rest.stop ?? [])
  // Four is the most that OpenAI's dialect takes.
  return { ...rest, prompt: marks.write(prompt, suffix), stop: [...stop, ...marks.stop].slice(0, 4) }
}
