/** A model listed by a scripted upstream, in its kind's format. */
export interface ScriptedModel {
  name: string
  /** The largest context the model could have; 8192 by default. */
  contextTokens?: number
  /** The context it is loaded with now; given means loaded. */
  loadedContextTokens?: number
  maxOutputTokens?: number
  tools?: boolean
  vision?: boolean
  reasoning?: boolean
  embedding?: boolean
  /** Left out means chargeless where the kind is remote. USD per million tokens, `request` per call. */
  price?: { input: number; output: number; cacheRead?: number; request?: number; overrides?: unknown }
  digest?: string
  sizeBytes?: number
  /** As servers write it: `7.6B`. */
  parameters?: string
  quantization?: string
  family?: string
  /** Ollama only: the model runs in a cloud. */
  remoteHost?: string
}

export interface ScriptedUsage {
  promptTokens: number
  outputTokens: number
  cachedTokens?: number
  /** OpenRouter and Messages: all of them, and those of an hour. */
  cacheWriteTokens?: number
  cacheWrite1hTokens?: number
  reasoningTokens?: number
  costUsd?: number | null
  /** OpenRouter only: what the model's provider bills to the account's own key. */
  byokCostUsd?: number
}

/** One answer to a chat request. Everything is optional; the empty answer says "Hello from <kind>." */
export interface Answer {
  /** One element is one chunk. */
  text?: string | readonly string[]
  reasoning?: string | readonly string[]
  toolCalls?: readonly { name: string; arguments: Record<string, unknown>; id?: string }[]
  /** `none` omits the finish reason. */
  finishReason?: 'stop' | 'length' | 'tool_calls' | 'none'
  usage?: ScriptedUsage
  /** Where a stream tells usage; `last` unless told. `every` also puts `usage: null` into all earlier chunks. */
  usageIn?: 'last' | 'finish' | 'every' | 'nowhere'

  /** HTTP status and body of an error response in the kind's own format. */
  error?: ScriptedError
  /** Replaces the whole answer: exactly these bytes, cut as given. */
  raw?: { status?: number; headers?: Record<string, string>; body: string | readonly (string | Buffer)[] }
  /** Added to every answer. */
  headers?: Record<string, string>

  /** The answer waits for the promise: before the status line, or before piece n (0 is the first). */
  hold?: { before: 'headers' | number; until: Promise<unknown> }
  /** The socket is destroyed: before the status line, or before piece n. */
  breakBefore?: 'headers' | number
  /** Before piece n the kind's own error event replaces the rest; the status was 200. */
  errorBefore?: ScriptedError & { piece: number }
  /** Repeats the text pieces until the client disconnects. */
  endless?: boolean

  /** Network writes of this many bytes each. */
  writeBytes?: number
  lineEnd?: '\n' | '\r\n'
  /** `[DONE]` is sent unless false. Ollama has none. */
  done?: boolean
  /** The last event ends with its blank line unless false. */
  finalBlankLine?: boolean
  /** Comment lines between events. */
  comments?: readonly string[]
  /** Answers JSON although a stream was requested, or a stream although none was. */
  registerRoute?: 'json' | 'stream'
}

export interface ScriptedError {
  status?: number
  message: string
  /** OpenAI's `error.code` or `error.type`, where the format has one. */
  code?: string | number
  /** More fields of the error object. */
  fields?: Record<string, unknown>
  /** The shape of the body; the kind's own by default. */
  shape?: 'openai' | 'text' | 'detail' | 'message' | 'html'
}

/** The chat's own pieces in order: reasoning, text, tool calls. Roles, finish reasons and usage are not pieces. */
export type Piece =
  | { type: 'reasoning'; text: string }
  | { type: 'text'; text: string }
  | { type: 'tool'; index: number; id: string | undefined; name: string; arguments: Record<string, unknown> }

export function piecesOf(answer: Answer, defaultText: string): Piece[] {
  const hasContent = answer.text !== undefined || answer.toolCalls !== undefined || answer.reasoning !== undefined
  const texts = (value: string | readonly string[] | undefined) => (typeof value === 'string' ? [value] : (value ?? []))
  return [
    ...texts(answer.reasoning).map(text => ({ type: 'reasoning', text }) as const),
    ...texts(hasContent ? answer.text : defaultText).map(text => ({ type: 'text', text }) as const),
    ...(answer.toolCalls ?? []).map((call, index) => ({ type: 'tool', index, ...call, id: call.id }) as const),
  ]
}

export function finishReasonOf(answer: Answer): string | undefined {
  if (answer.finishReason === 'none') return undefined
  return answer.finishReason ?? (answer.toolCalls === undefined ? 'stop' : 'tool_calls')
}

export const defaultUsage: ScriptedUsage = { promptTokens: 12, outputTokens: 5 }
