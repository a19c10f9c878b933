import type { ChatRequest } from './schema.ts'

/** Whether an answer can only come in one piece: speech is streamed in another format than the one it was asked in. */
export function isAnsweredWhole({ stream, modalities }: ChatRequest): boolean {
  return stream !== true && Array.isArray(modalities) && modalities.includes('audio')
}
