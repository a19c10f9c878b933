import type { ChatRequest } from './schema.ts'

/** Whether an answer can only arrive in one piece: speech is streamed in other formats than it is returned in. */
export function isAnsweredWhole({ stream, modalities }: ChatRequest): boolean {
  return stream !== true && Array.isArray(modalities) && modalities.includes('audio')
}
