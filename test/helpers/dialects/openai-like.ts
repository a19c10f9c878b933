import { completionOf, type OpenAiDialect, streamOf } from '../openai-dialect.ts'
import type { Answer } from '../upstream-script.ts'
import type { Dialect } from './dialect.ts'

/** A server that answers chats as OpenAI does but for `differences`; `kind` appears in its default answer. */
export function openAiLike(
  kind: string,
  chatPath: string,
  describe: Dialect['describe'],
  differences: Partial<OpenAiDialect>,
): Dialect {
  const openAi: OpenAiDialect = {
    reasoningField: 'reasoning_content',
    errorBody: ({ message, code, fields }) => ({ error: { message, type: 'error', code: code ?? null, ...fields } }),
    streamError: error => openAi.errorBody(error),
    usageFields: () => ({}),
    ...differences,
  }
  const defaultText = `Hello from ${kind}.`
  const event = (answer: Answer) => (payload: string) =>
    `data: ${payload}${answer.lineEnd ?? '\n'}${answer.lineEnd ?? '\n'}`
  return {
    chatPath,
    describe,
    streamType: 'text/event-stream',
    complete: (model, answer) => completionOf(openAi, model, answer, defaultText),
    stream(model, answer) {
      const { opening, pieces, closing } = streamOf(openAi, model, answer, defaultText)
      const end = answer.lineEnd ?? '\n'
      const comments = (answer.comments ?? []).map(comment => `: ${comment}${end}${end}`)
      const events = closing.map(event(answer))
      if (answer.done ?? true) events.push(event(answer)('[DONE]'))
      if (answer.finalBlankLine === false) events.push(events.pop()!.slice(0, -2 * end.length))
      return {
        opening: [...comments, ...opening.map(event(answer))],
        pieces: pieces.map(payloads => [...payloads.map(event(answer)), ...comments]),
        closing: events,
      }
    },
    errorBody: error => openAi.errorBody(error),
    streamError: (error, answer) => event(answer)(JSON.stringify(openAi.streamError(error))),
  }
}
