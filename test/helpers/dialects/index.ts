import type { Dialect } from './dialect.ts'
import { llamaCpp } from './llama-cpp.ts'
import { lmStudio } from './lm-studio.ts'
import { ollama } from './ollama.ts'
import { openAiCompatible } from './openai-compatible.ts'
import { openRouter } from './openrouter.ts'

/** How each kind of server is imitated, by the kind's name in `signalbox.json`. A new one is a file and a line here. */
export const dialects = {
  ollama,
  'lm-studio': lmStudio,
  'llama-cpp': llamaCpp,
  openrouter: openRouter,
  'openai-compatible': openAiCompatible,
} as const satisfies Record<string, Dialect>

export type UpstreamKind = keyof typeof dialects
export const upstreamKinds = Object.keys(dialects) as UpstreamKind[]
