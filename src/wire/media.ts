import type { JsonObject } from '../json.ts'

/** An endpoint of OpenAI's API whose requests and answers are passed on as they are. */
export interface MediaEndpoint {
  readonly name: string
  /** The path without the base URL's `/v1`; servers use the same. */
  readonly path: string
  /** Names of models for it: servers do not say what a model is for. */
  readonly models: RegExp
  /** A name for an error message. */
  readonly example: string
}

const listening = /whisper|transcri|voxtral|parakeet|canary|asr/i
const painting = /image|dall-?e|flux|diffusion|sdxl|imagen|midjourney|recraft/i

/** Moderation, speech and pictures. */
export const mediaEndpoints: readonly MediaEndpoint[] = [
  endpoint('moderations', /moderation|guard/i, 'omni-moderation-latest'),
  endpoint('audio/speech', /tts|speech|kokoro|orpheus|voice/i, 'tts-1'),
  endpoint('audio/transcriptions', listening, 'whisper-1'),
  endpoint('audio/translations', listening, 'whisper-1'),
  endpoint('images/generations', painting, 'gpt-image-1'),
  endpoint('images/edits', painting, 'gpt-image-1'),
  endpoint('images/variations', painting, 'dall-e-2'),
]

function endpoint(name: string, models: RegExp, example: string): MediaEndpoint {
  return { name, path: `/${name}`, models, example }
}

/** What is sent: JSON, or bytes of another content type. */
export type MediaContent = { json: JsonObject } | { content: { pieces: readonly Buffer[]; type: string } }

/** A request, before its model is known. */
export interface MediaRequest {
  /** As the caller wrote it, or `auto`. */
  model: string
  /** The same for one model. */
  withModel: (name: string) => MediaContent
}
