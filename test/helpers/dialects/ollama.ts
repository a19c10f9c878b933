import {
  type Answer,
  finishReasonOf,
  type Piece,
  piecesOf,
  type ScriptedModel,
  defaultUsage,
} from '../upstream-script.ts'
import type { Dialect } from './dialect.ts'

export const ollama: Dialect = {
  chatPath: '/api/chat',
  streamType: 'application/x-ndjson',
  describe,
  complete(model, answer) {
    const pieces = piecesOf(answer, 'Hello from ollama.')
    const join = (type: 'text' | 'reasoning') =>
      pieces.flatMap(piece => (piece.type === type ? [piece.text] : [])).join('')
    const calls = pieces.flatMap(piece => (piece.type === 'tool' ? [toolCall(piece)] : []))
    return {
      ...identity(model),
      message: {
        role: 'assistant',
        content: join('text'),
        ...(join('reasoning') === '' ? {} : { thinking: join('reasoning') }),
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
      },
      ...endOf(answer),
    }
  },
  stream(model, answer) {
    const line = (value: unknown) => `${JSON.stringify(value)}${answer.lineEnd ?? '\n'}`
    const messages = piecesOf(answer, 'Hello from ollama.').map(piece => {
      if (piece.type === 'tool') return { role: 'assistant', content: '', tool_calls: [toolCall(piece)] }
      if (piece.type === 'reasoning') return { role: 'assistant', content: '', thinking: piece.text }
      return { role: 'assistant', content: piece.text }
    })
    const last = line({ ...identity(model), message: { role: 'assistant', content: '' }, ...endOf(answer) })
    return {
      opening: [],
      pieces: messages.map(message => [line({ ...identity(model), message, done: false })]),
      closing: [answer.finalBlankLine === false ? last.trimEnd() : last],
    }
  },
  errorBody: ({ message }) => ({ error: message }),
  streamError: ({ message }) => `${JSON.stringify({ error: message })}\n`,
}

const identity = (model: string) => ({ model, created_at: '2026-01-01T00:00:00.000000Z' })

function toolCall(piece: Piece & { type: 'tool' }) {
  const call = { function: { index: piece.index, name: piece.name, arguments: piece.arguments } }
  return piece.id === undefined ? call : { id: piece.id, ...call }
}

function endOf(answer: Answer) {
  const usage = answer.usage ?? defaultUsage
  const reason = finishReasonOf(answer)
  return {
    done: true,
    // Ollama knows no `tool_calls` reason.
    ...(reason === undefined ? {} : { done_reason: reason === 'length' ? 'length' : 'stop' }),
    total_duration: 1_000_000,
    ...(answer.usageIn === 'nowhere' ? {} : { prompt_eval_count: usage.promptTokens, eval_count: usage.outputTokens }),
  }
}

function describe(path: string, body: unknown, models: readonly ScriptedModel[]): unknown {
  const details = (model: ScriptedModel) => ({
    format: 'gguf',
    family: model.family ?? 'scripted',
    parameter_size: model.parameters ?? '7.6B',
    quantization_level: model.quantization ?? 'Q4_K_M',
  })
  const entry = (model: ScriptedModel) => ({
    name: model.name,
    model: model.name,
    size: model.sizeBytes ?? 4_700_000_000,
    digest: model.digest ?? `digest-of-${model.name}`,
    details: details(model),
    ...(model.remoteHost === undefined ? {} : { remote_host: model.remoteHost, remote_model: model.name }),
  })
  if (path === '/api/version') return { version: '0.13.0' }
  if (path === '/api/tags') return { models: models.map(entry) }
  if (path === '/api/ps') {
    const loaded = models.filter(model => model.loadedContextTokens !== undefined)
    return {
      models: loaded.map(model => ({
        ...entry(model),
        size_vram: model.sizeBytes ?? 4_700_000_000,
        expires_at: '2099-01-01T00:00:00Z',
        context_length: model.loadedContextTokens,
      })),
    }
  }
  if (path === '/api/show') {
    const wanted = (body as { model?: string }).model
    const model = models.find(each => each.name === wanted)
    if (model === undefined) return undefined
    return {
      details: details(model),
      model_info: { 'general.architecture': 'scripted', 'scripted.context_length': model.contextTokens ?? 8192 },
      capabilities: [
        model.embedding === true ? 'embedding' : 'completion',
        ...(model.tools === false ? [] : ['tools']),
        ...(model.vision === true ? ['vision'] : []),
        ...(model.reasoning === true ? ['thinking'] : []),
      ],
    }
  }
  return undefined
}
