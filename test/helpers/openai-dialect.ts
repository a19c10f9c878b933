import {
  type Answer,
  finishReasonOf,
  type Piece,
  piecesOf,
  type ScriptedError,
  defaultUsage,
} from './upstream-script.ts'

/** The wire format of OpenAI-compatible servers, and their differences. */
export interface OpenAiDialect {
  /** The delta and message field that holds reasoning. */
  reasoningField: 'reasoning_content' | 'reasoning'
  errorBody(error: ScriptedError): unknown
  /** The error payload after status 200. */
  streamError(error: ScriptedError): unknown
  /** More fields of the usage object. */
  usageFields(answer: Answer): Record<string, unknown>
}

const identity = { id: 'chatcmpl-scripted', created: 1_700_000_000 }

export function completionOf(dialect: OpenAiDialect, model: string, answer: Answer, defaultText: string): unknown {
  const pieces = piecesOf(answer, defaultText)
  const join = (type: 'text' | 'reasoning') =>
    pieces.flatMap(piece => (piece.type === type ? [piece.text] : [])).join('')
  const calls = pieces.flatMap(piece => (piece.type === 'tool' ? [piece] : []))
  return {
    ...identity,
    object: 'chat.completion',
    model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: calls.length > 0 ? null : join('text'),
          ...(join('reasoning') === '' ? {} : { [dialect.reasoningField]: join('reasoning') }),
          ...(calls.length === 0 ? {} : { tool_calls: calls.map(call => toolCall(call)) }),
        },
        finish_reason: finishReasonOf(answer) ?? null,
      },
    ],
    ...(answer.usageIn === 'nowhere' ? {} : { usage: usageOf(dialect, answer) }),
  }
}

/** The `data:` payloads of a stream: those before the first piece, one list per piece, and those after the last. */
export function streamOf(dialect: OpenAiDialect, model: string, answer: Answer, defaultText: string) {
  const everywhere = answer.usageIn === 'every' ? { usage: null } : {}
  const chunk = (choices: unknown[], more: Record<string, unknown> = {}) =>
    JSON.stringify({ ...identity, object: 'chat.completion.chunk', model, choices, ...everywhere, ...more })
  const delta = (delta: unknown, reason: string | null = null, more: Record<string, unknown> = {}) =>
    chunk([{ index: 0, delta, finish_reason: reason }], more)

  const usage = { usage: usageOf(dialect, answer) }
  const reason = finishReasonOf(answer)
  return {
    opening: [delta({ role: 'assistant', content: '' })],
    pieces: piecesOf(answer, defaultText).map(piece => deltasOf(dialect, piece).map(each => delta(each))),
    closing: [
      ...(reason === undefined ? [] : [delta({}, reason, answer.usageIn === 'finish' ? usage : {})]),
      ...(answer.usageIn === 'finish' || answer.usageIn === 'nowhere' ? [] : [chunk([], usage)]),
    ],
  }
}

/** A tool call arrives as its name first and then its arguments in two parts, as real servers send it. */
function deltasOf(dialect: OpenAiDialect, piece: Piece): unknown[] {
  if (piece.type === 'text') return [{ content: piece.text }]
  if (piece.type === 'reasoning') return [{ [dialect.reasoningField]: piece.text }]
  const { id, type, function: called } = toolCall(piece)
  const middle = Math.ceil(called.arguments.length / 2)
  return [
    { tool_calls: [{ index: piece.index, id, type, function: { name: called.name, arguments: '' } }] },
    { tool_calls: [{ index: piece.index, function: { arguments: called.arguments.slice(0, middle) } }] },
    { tool_calls: [{ index: piece.index, function: { arguments: called.arguments.slice(middle) } }] },
  ]
}

function toolCall(piece: Piece & { type: 'tool' }) {
  return {
    id: piece.id ?? `call_scripted_${piece.index}`,
    type: 'function',
    function: { name: piece.name, arguments: JSON.stringify(piece.arguments) },
  }
}

function usageOf(dialect: OpenAiDialect, answer: Answer) {
  const usage = answer.usage ?? defaultUsage
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.promptTokens + usage.outputTokens,
    ...(usage.cachedTokens === undefined
      ? {}
      : {
          prompt_tokens_details: {
            cached_tokens: usage.cachedTokens,
            ...(usage.cacheWriteTokens !== undefined && { cache_write_tokens: usage.cacheWriteTokens }),
          },
        }),
    ...(usage.cacheWrite1hTokens !== undefined && {
      cache_creation: { ephemeral_1h_input_tokens: usage.cacheWrite1hTokens },
    }),
    ...(usage.reasoningTokens === undefined
      ? {}
      : { completion_tokens_details: { reasoning_tokens: usage.reasoningTokens } }),
    ...dialect.usageFields(answer),
  }
}
