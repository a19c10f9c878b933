import { z } from 'zod'
import { ModelName } from '../model-name.ts'

/** Ollama's own API, parsed loosely: what is translated is checked here, everything else is kept. */

const shared = {
  model: ModelName.default('auto'),
  stream: z.boolean().nullish().describe('True unless it is false.'),
  format: z.union([z.string(), z.looseObject({})]).nullish(),
  options: z
    .looseObject({
      num_predict: z.int().nullish(),
      stop: z.union([z.string(), z.array(z.string())]).nullish(),
    })
    .nullish(),
  think: z.union([z.boolean(), z.string()]).nullish(),
  keep_alive: z.union([z.string(), z.number()]).nullish(),
}

const images = z.array(z.string()).nullish().describe('In base64.')

const OllamaMessage = z.looseObject({
  role: z.string(),
  content: z.string().nullish(),
  thinking: z.string().nullish(),
  images,
  tool_calls: z
    .array(z.looseObject({ function: z.looseObject({ name: z.string(), arguments: z.unknown() }) }))
    .nullish(),
})
export type OllamaMessage = z.output<typeof OllamaMessage>

/** `POST /api/chat`. */
export const OllamaChatRequest = z.looseObject({
  ...shared,
  messages: z.array(OllamaMessage).default([]).describe('Without any, nothing is generated.'),
  tools: z.array(z.looseObject({ type: z.string().optional() })).nullish(),
})

/** `POST /api/generate`. */
export const OllamaGenerateRequest = z.looseObject({
  ...shared,
  prompt: z.string().default('').describe('Without one, nothing is generated.'),
  suffix: z.string().nullish().describe('The text after the gap to be filled.'),
  system: z.string().nullish(),
  images,
  raw: z.boolean().nullish().describe('Continues the prompt instead of answering it.'),
})
export type OllamaGenerateRequest = z.output<typeof OllamaGenerateRequest>

/** What both requests share. */
export type OllamaSettings = Pick<OllamaGenerateRequest, keyof typeof shared>

/** `POST /api/embed`. */
export const OllamaEmbedRequest = z.looseObject({
  model: ModelName.default('auto'),
  input: z.union([z.string(), z.array(z.string()).min(1)]),
  dimensions: z.int().min(1).nullish(),
})

/** `POST /api/embeddings`, the older form of it. */
export const OllamaEmbeddingsRequest = z.looseObject({ model: ModelName.default('auto'), prompt: z.string() })

/** `POST /api/show`; `name` is the older name of the field. */
export const OllamaShowRequest = z.looseObject({ model: ModelName.optional(), name: ModelName.optional() })

/** Sampling options that chat completions servers know by the same name, in the same form. */
export const sameOptions = [
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'typical_p',
  'seed',
  'frequency_penalty',
  'presence_penalty',
  'repeat_penalty',
  'repeat_last_n',
] as const
