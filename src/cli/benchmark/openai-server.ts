import { request } from 'undici'
import { GatewayError, type FailureCode } from '../../errors.ts'
import type { BenchmarkCandidate } from '../../bench/results.ts'
import type { BenchmarkAnswer } from '../../bench/runner.ts'
import type { SuiteToolCall } from '../../bench/suites/suite.ts'
import { redact } from '../../redact.ts'
import type { MeasuredServer } from './measured-server.ts'

/**
 * Any OpenAI-compatible server, called directly. A model with a listed price is a paid one.
 *
 * @param itemHeaders further headers, called for each item
 */
export function openAiServer(
  baseUrl: string,
  apiKey: string | undefined,
  now: () => number,
  itemHeaders: () => Record<string, string> = () => ({}),
): MeasuredServer {
  const root = baseUrl.replace(/\/+$/, '')
  const provider = new URL(root).host
  const headers = {
    'content-type': 'application/json',
    ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
  }

  const call = async (path: string, body: unknown, signal: AbortSignal, more: Record<string, string> = {}) => {
    try {
      const reply = await request(`${root}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...headers, ...more },
        signal,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      if (reply.statusCode >= 400)
        throw refusal(reply.statusCode, reply.headers['retry-after'], await reply.body.text())
      return reply
    } catch (cause) {
      if (cause instanceof GatewayError) throw cause
      signal.throwIfAborted()
      throw new GatewayError('upstream_unavailable', `Cannot reach ${provider}. Is the server running?`, { cause })
    }
  }

  return {
    ask: async (_, chat, signal) => {
      const startedAt = now()
      const reply = await call(
        '/chat/completions',
        { ...chat, stream: true, stream_options: { include_usage: true } },
        signal,
        itemHeaders(),
      )
      const gathered = gather()
      let firstTokenMs: number | undefined
      try {
        for await (const event of events(reply.body)) {
          gathered.add(event)
          if (gathered.hasToken()) firstTokenMs ??= now() - startedAt
        }
      } catch (cause) {
        if (cause instanceof GatewayError) throw cause
        signal.throwIfAborted()
        throw new GatewayError('upstream_unavailable', `${provider} closed the connection mid-response.`, { cause })
      }
      return { ...gathered.answer(), totalMs: now() - startedAt, ...(firstTokenMs !== undefined && { firstTokenMs }) }
    },
    models: async signal => {
      const reply = await call('/models', undefined, signal)
      const list = (await reply.body.json()) as { data?: ListedModel[] }
      return (list.data ?? []).map(listed => ({ candidate: candidateFrom(provider, listed), own: true }))
    },
    // Called directly, a server has no other users that this process knows of.
    turn: async () => {},
    close: async () => {},
  }
}

interface ListedModel {
  id: string
  digest?: string
  context_length?: number
  max_model_len?: number
  meta?: { n_ctx?: number; n_ctx_train?: number } | null
  /** USD per token, as strings. */
  pricing?: { prompt?: string; completion?: string }
}

function candidateFrom(
  provider: string,
  { id, digest, context_length, max_model_len, meta, pricing }: ListedModel,
): BenchmarkCandidate {
  const contextTokens = context_length ?? max_model_len ?? meta?.n_ctx ?? meta?.n_ctx_train
  const price = { input: Number(pricing?.prompt ?? 0) * 1e6, output: Number(pricing?.completion ?? 0) * 1e6 }
  return {
    provider,
    model: id,
    paid: price.input > 0 || price.output > 0,
    price,
    ...(digest !== undefined && { digest }),
    ...(contextTokens !== undefined && { contextTokens }),
  }
}

const codes: Readonly<Record<number, FailureCode>> = {
  401: 'upstream_unauthorized',
  402: 'upstream_payment_required',
  403: 'upstream_unauthorized',
  404: 'model_not_found',
  429: 'upstream_rate_limited',
  504: 'upstream_timeout',
}

function refusal(status: number, retryAfter: string | string[] | undefined, body: string): GatewayError {
  const message = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(body)?.[1] ?? body.slice(0, 200)
  const tooLong = /exceed_context_size|context_length_exceeded/.test(body)
  const code = tooLong
    ? 'context_length_exceeded'
    : (codes[status] ?? (status < 500 ? 'upstream_rejected' : 'upstream_error'))
  const seconds = Number(retryAfter)
  return new GatewayError(
    code,
    `The server answered ${status}: ${message}`,
    Number.isFinite(seconds) ? { retryAfterSeconds: seconds } : {},
  )
}

interface Chunk {
  choices?: { delta?: Delta; message?: Delta }[]
  usage?: { prompt_tokens?: number; completion_tokens?: number; cost?: number } | null
  error?: { message?: string }
}

interface Delta {
  content?: string | null
  reasoning_content?: string | null
  tool_calls?: { index?: number; id?: string; function?: { name?: string; arguments?: string } }[]
}

/** The data of server-sent events; a server that ignores `stream` and answers one JSON object counts as one event. */
async function* events(body: AsyncIterable<Buffer>): AsyncGenerator<Chunk> {
  const decoder = new TextDecoder()
  let rest = ''
  let whole = ''
  let seen = false
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true })
    const lines = rest.split(/\r?\n/)
    rest = lines.pop()!
    for (const line of lines) {
      if (line.startsWith('data:') && line.slice(5).trim() !== '[DONE]') {
        seen = true
        yield JSON.parse(line.slice(5)) as Chunk
      } else if (!seen) whole += line
    }
  }
  whole += rest
  if (!seen && whole.trim().startsWith('{')) yield JSON.parse(whole) as Chunk
}

function gather() {
  let content = ''
  let hasReasoning = false
  let usage: Chunk['usage']
  const calls: SuiteToolCall[] = []
  return {
    hasToken: () => content !== '' || hasReasoning || calls.length > 0,
    add: (chunk: Chunk) => {
      if (chunk.error !== undefined)
        throw new GatewayError(
          'upstream_error',
          `The server failed: ${redact(chunk.error.message ?? 'no reason given', 500)}`,
        )
      usage = chunk.usage ?? usage
      const delta = chunk.choices?.[0]?.delta ?? chunk.choices?.[0]?.message
      content += delta?.content ?? ''
      hasReasoning ||= Boolean(delta?.reasoning_content)
      for (const [position, part] of (delta?.tool_calls ?? []).entries()) {
        const call = (calls[part.index ?? position] ??= {
          id: '',
          type: 'function',
          function: { name: '', arguments: '' },
        })
        call.id ||= part.id ?? ''
        call.function.name ||= part.function?.name ?? ''
        call.function.arguments += part.function?.arguments ?? ''
      }
    },
    answer: (): Omit<BenchmarkAnswer, 'totalMs'> => ({
      message: {
        content: content === '' ? null : content,
        ...(calls.length > 0 && { tool_calls: calls.filter(Boolean) }),
      },
      ...(usage?.prompt_tokens !== undefined && { promptTokens: usage.prompt_tokens }),
      ...(usage?.completion_tokens !== undefined && { completionTokens: usage.completion_tokens }),
      ...(usage?.cost !== undefined && { costUsd: usage.cost }),
    }),
  }
}
