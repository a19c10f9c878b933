/** Words in an answer. */
export const wordCount = 60

/** The word at a place in the answer to a request, which no other answer has. */
export function wordOf(request: string, place: number): string {
  return `${request}:${place} `
}

export function answerTo(request: string): string {
  return Array.from({ length: wordCount }, (_, place) => wordOf(request, place)).join('')
}
