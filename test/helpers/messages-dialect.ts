import type { Dialect } from './dialects/dialect.ts'
import { type Answer, finishReasonOf, type Piece, piecesOf, defaultUsage } from './upstream-script.ts'

/** The responses of a server that also supports Anthropic's Messages. */
export const messagesDialect: Omit<Dialect, 'chatPath' | 'describe'> = {
  streamType: 'text/event-stream',
  complete: (model, answer) => ({
    ...identity(model),
    content: piecesOf(answer, defaultText).map(whole),
    stop_reason: stopReasonOf(answer),
    stop_sequence: null,
    usage: { ...inputOf(answer), output_tokens: usageOf(answer).outputTokens, ...chargeOf(answer) },
  }),
  stream(model, answer) {
    const message = {
      ...identity(model),
      content: [],
      stop_reason: null,
      usage: { ...inputOf(answer), output_tokens: 1 },
    }
    const delta = { stop_reason: stopReasonOf(answer), stop_sequence: null }
    return {
      opening: [event({ type: 'message_start', message })],
      pieces: piecesOf(answer, defaultText).map((piece, index) => [
        event({ type: 'content_block_start', index, content_block: empty(piece) }),
        event({ type: 'content_block_delta', index, delta: deltaOf(piece) }),
        event({ type: 'content_block_stop', index }),
      ]),
      closing: [
        event({
          type: 'message_delta',
          delta,
          usage: { output_tokens: usageOf(answer).outputTokens, ...chargeOf(answer) },
        }),
        event({ type: 'message_stop' }),
      ],
    }
  },
  errorBody: ({ message, code, fields }) => ({
    type: 'error',
    error: { type: code ?? 'api_error', message, ...fields },
  }),
  streamError: error => event({ type: 'error', ...(messagesDialect.errorBody(error) as object) }),
}

const defaultText = 'Hello from messages.'

const event = (payload: { type: string; [field: string]: unknown }) =>
  `event: ${payload.type}\ndata: ${JSON.stringify(payload)}\n\n`

const identity = (model: string) => ({ id: 'msg_scripted', type: 'message', role: 'assistant', model })

const usageOf = (answer: Answer) => answer.usage ?? defaultUsage

function inputOf(answer: Answer) {
  const { promptTokens, cachedTokens = 0, cacheWriteTokens = 0, cacheWrite1hTokens = 0 } = usageOf(answer)
  return {
    input_tokens: promptTokens - cachedTokens - cacheWriteTokens,
    cache_read_input_tokens: cachedTokens,
    ...(cacheWriteTokens > 0 && {
      cache_creation_input_tokens: cacheWriteTokens,
      cache_creation: {
        ephemeral_5m_input_tokens: cacheWriteTokens - cacheWrite1hTokens,
        ephemeral_1h_input_tokens: cacheWrite1hTokens,
      },
    }),
  }
}

/** OpenRouter's fields, where the script has a cost. */
function chargeOf(answer: Answer): object {
  const { costUsd, byokCostUsd } = usageOf(answer)
  if (costUsd === undefined || costUsd === null) return {}
  return {
    cost: costUsd,
    is_byok: byokCostUsd !== undefined,
    ...(byokCostUsd !== undefined && { cost_details: { upstream_inference_cost: byokCostUsd } }),
  }
}

function stopReasonOf(answer: Answer): string | null {
  const reasons: Readonly<Record<string, string>> = { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use' }
  return reasons[finishReasonOf(answer) ?? ''] ?? null
}

const idOf = (piece: Piece & { type: 'tool' }) => piece.id ?? `toolu_${String(piece.index)}`

function whole(piece: Piece) {
  if (piece.type === 'text') return { type: 'text', text: piece.text }
  if (piece.type === 'reasoning') return { type: 'thinking', thinking: piece.text, signature: 'signed' }
  return { type: 'tool_use', id: idOf(piece), name: piece.name, input: piece.arguments }
}

function empty(piece: Piece) {
  if (piece.type === 'text') return { type: 'text', text: '' }
  if (piece.type === 'reasoning') return { type: 'thinking', thinking: '', signature: '' }
  return { type: 'tool_use', id: idOf(piece), name: piece.name, input: {} }
}

function deltaOf(piece: Piece) {
  if (piece.type === 'text') return { type: 'text_delta', text: piece.text }
  if (piece.type === 'reasoning') return { type: 'thinking_delta', thinking: piece.text }
  return { type: 'input_json_delta', partial_json: JSON.stringify(piece.arguments) }
}
