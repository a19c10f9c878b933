import { z } from 'zod'
import { ModelName } from '../model-name.ts'
import { TokenLimit } from '../token-limit.ts'

/** Gemini's `generateContent`, parsed loosely: what is translated is checked here, everything else is named in the notes. */

const Blob = z.looseObject({ mimeType: z.string(), data: z.string() })

const GeminiPart = z.looseObject({
  text: z.string().nullish(),
  thought: z.boolean().nullish(),
  thoughtSignature: z.string().nullish(),
  inlineData: Blob.nullish(),
  fileData: z.looseObject({ mimeType: z.string().nullish(), fileUri: z.string() }).nullish(),
  functionCall: z
    .looseObject({ id: z.string().nullish(), name: z.string(), args: z.looseObject({}).nullish() })
    .nullish(),
  functionResponse: z
    .looseObject({
      id: z.string().nullish(),
      name: z.string(),
      response: z.looseObject({}).nullish(),
      parts: z.array(z.looseObject({ inlineData: Blob.nullish() })).nullish(),
    })
    .nullish(),
})
export type GeminiPart = z.output<typeof GeminiPart>

const Content = z.looseObject({ role: z.string().nullish(), parts: z.array(GeminiPart).default([]) })
export type GeminiContent = z.output<typeof Content>

const FunctionDeclaration = z.looseObject({
  name: z.string(),
  description: z.string().nullish(),
  parameters: z.looseObject({}).nullish().describe('Google’s own form of a schema.'),
  parametersJsonSchema: z.looseObject({}).nullish(),
})

const positiveInteger = z.int().min(1)

const GenerationConfig = z.looseObject({
  maxOutputTokens: TokenLimit,
  temperature: z.number().nullish(),
  topP: z.number().nullish(),
  topK: z.number().nullish(),
  stopSequences: z.array(z.string()).nullish(),
  candidateCount: positiveInteger.nullish(),
  responseMimeType: z.string().nullish(),
  responseSchema: z.looseObject({}).nullish(),
  responseJsonSchema: z.looseObject({}).nullish(),
  thinkingConfig: z
    .looseObject({
      includeThoughts: z.boolean().nullish(),
      thinkingBudget: z.int().nullish(),
      thinkingLevel: z.string().nullish(),
    })
    .nullish(),
})
export type GenerationConfig = z.output<typeof GenerationConfig>

/** `POST /v1beta/models/{model}:generateContent` and `:streamGenerateContent`; names in snake_case are read too. */
export const GeminiRequest = z.looseObject({
  contents: z.array(Content).min(1),
  systemInstruction: Content.nullish(),
  tools: z.array(z.looseObject({ functionDeclarations: z.array(FunctionDeclaration).nullish() })).nullish(),
  toolConfig: z
    .looseObject({
      functionCallingConfig: z
        .looseObject({ mode: z.string().nullish(), allowedFunctionNames: z.array(z.string()).nullish() })
        .nullish(),
    })
    .nullish(),
  generationConfig: GenerationConfig.nullish(),
})
export type GeminiRequest = z.output<typeof GeminiRequest>

/** What Gemini's clients write into the URL; the route adds it to the body. */
export const GeminiTarget = z.looseObject({
  model: ModelName,
  stream: z.boolean(),
  /** Whether a stream consists of server-sent events; otherwise it is one JSON array. */
  events: z.boolean(),
})

/** `POST /v1beta/models/{model}:embedContent`. */
export const GeminiEmbedRequest = z.looseObject({
  content: Content,
  outputDimensionality: z.int().min(1).nullish(),
})
export type GeminiEmbedRequest = z.output<typeof GeminiEmbedRequest>

/** `POST /v1beta/models/{model}:batchEmbedContents`. */
export const GeminiBatchEmbedRequest = z.looseObject({ requests: z.array(GeminiEmbedRequest).min(1) })
