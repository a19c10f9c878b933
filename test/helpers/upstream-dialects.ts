import { completionOf, type OpenAiDialect, streamOf } from './openai-dialect.ts'
import {
  type Answer,
  finishReasonOf,
  type Piece,
  piecesOf,
  type ScriptedError,
  type ScriptedModel,
  defaultUsage,
  type UpstreamKind,
} from './upstream-script.ts'

/** How one kind of server lists its models and writes its answers. */
export interface Dialect {
  chatPath: string
  /** Answers everything that is not a chat; undefined is a 404. */
  describe(path: string, body: unknown, models: readonly ScriptedModel[]): unknown
  complete(model: string, answer: Answer): unknown
  /** Whole events as text, without the network's cuts. */
  stream(model: string, answer: Answer): { opening: string[]; pieces: string[][]; closing: string[] }
  streamType: string
  errorBody(error: ScriptedError): unknown
  /** One event that tells an error after status 200. */
  streamError(error: ScriptedError, answer: Answer): string
}

export function dialectOf(kind: UpstreamKind): Dialect {
  switch (kind) {
    case 'ollama':
      return ollama
    case 'lm-studio':
      return speaksOpenAi(kind, '/v1/chat/completions', lmStudioDescribes, {})
    case 'llama-cpp':
      return speaksOpenAi(kind, '/v1/chat/completions', llamaCppDescribes, {
        errorBody: ({ status, message, code, fields }) => ({
          error: { code: status ?? 500, message, type: code ?? 'server_error', ...fields },
        }),
      })
    case 'openrouter':
      return speaksOpenAi(kind, '/api/v1/chat/completions', openRouterDescribes, {
        reasoningField: 'reasoning',
        errorBody: ({ status, message, code, fields }) => ({
          error: { code: code ?? status ?? 500, message, ...fields },
        }),
        streamError: ({ message, code }) => ({
          id: 'gen-scripted',
          error: { code: code ?? 'server_error', message },
          choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }],
        }),
        usageFields: answer => ({ cost: answer.usage?.costUsd ?? 0 }),
      })
    default:
      return speaksOpenAi(
        kind,
        '/v1/chat/completions',
        (path, _body, models) =>
          path === '/v1/models'
            ? {
                object: 'list',
                data: models.map(model => ({ id: model.name, object: 'model', max_model_len: model.contextTokens })),
              }
            : undefined,
        {},
      )
  }
}

function speaksOpenAi(
  kind: UpstreamKind,
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

const ollama: Dialect = {
  chatPath: '/api/chat',
  streamType: 'application/x-ndjson',
  describe: ollamaDescribes,
  complete(model, answer) {
    const pieces = piecesOf(answer, 'Hello from ollama.')
    const join = (type: 'text' | 'reasoning') =>
      pieces.flatMap(piece => (piece.type === type ? [piece.text] : [])).join('')
    const calls = pieces.flatMap(piece => (piece.type === 'tool' ? [ollamaToolCall(piece)] : []))
    return {
      ...ollamaIdentity(model),
      message: {
        role: 'assistant',
        content: join('text'),
        ...(join('reasoning') === '' ? {} : { thinking: join('reasoning') }),
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
      },
      ...ollamaEnd(answer),
    }
  },
  stream(model, answer) {
    const line = (value: unknown) => `${JSON.stringify(value)}${answer.lineEnd ?? '\n'}`
    const messages = piecesOf(answer, 'Hello from ollama.').map(piece => {
      if (piece.type === 'tool') return { role: 'assistant', content: '', tool_calls: [ollamaToolCall(piece)] }
      if (piece.type === 'reasoning') return { role: 'assistant', content: '', thinking: piece.text }
      return { role: 'assistant', content: piece.text }
    })
    const last = line({ ...ollamaIdentity(model), message: { role: 'assistant', content: '' }, ...ollamaEnd(answer) })
    return {
      opening: [],
      pieces: messages.map(message => [line({ ...ollamaIdentity(model), message, done: false })]),
      closing: [answer.finalBlankLine === false ? last.trimEnd() : last],
    }
  },
  errorBody: ({ message }) => ({ error: message }),
  streamError: ({ message }) => `${JSON.stringify({ error: message })}\n`,
}

const ollamaIdentity = (model: string) => ({ model, created_at: '2026-01-01T00:00:00.000000Z' })

function ollamaToolCall(piece: Piece & { type: 'tool' }) {
  const call = { function: { index: piece.index, name: piece.name, arguments: piece.arguments } }
  return piece.id === undefined ? call : { id: piece.id, ...call }
}

function ollamaEnd(answer: Answer) {
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

function ollamaDescribes(path: string, body: unknown, models: readonly ScriptedModel[]): unknown {
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

function lmStudioDescribes(path: string, _body: unknown, models: readonly ScriptedModel[]): unknown {
  if (path === '/v1/models') return { object: 'list', data: models.map(({ name }) => ({ id: name, object: 'model' })) }
  if (path === '/api/v0/models') {
    return {
      object: 'list',
      data: models.map(model => ({
        id: model.name,
        object: 'model',
        type: model.embedding === true ? 'embeddings' : model.vision === true ? 'vlm' : 'llm',
        arch: model.family ?? 'scripted',
        quantization: model.quantization ?? 'Q4_K_M',
        state: model.loadedContextTokens === undefined ? 'not-loaded' : 'loaded',
        max_context_length: model.contextTokens ?? 8192,
        ...(model.loadedContextTokens === undefined ? {} : { loaded_context_length: model.loadedContextTokens }),
        capabilities: model.tools === false ? [] : ['tool_use'],
      })),
    }
  }
  if (path === '/api/v1/models') {
    return {
      models: models.map(model => ({
        type: model.embedding === true ? 'embedding' : 'llm',
        key: model.name,
        architecture: model.family ?? 'scripted',
        quantization: { name: model.quantization ?? 'Q4_K_M', bits_per_weight: 4 },
        size_bytes: model.sizeBytes ?? 4_700_000_000,
        params_string: model.parameters ?? '7.6B',
        loaded_instances:
          model.loadedContextTokens === undefined
            ? []
            : [{ id: model.name, config: { context_length: model.loadedContextTokens } }],
        max_context_length: model.contextTokens ?? 8192,
        capabilities: { vision: model.vision ?? false, trained_for_tool_use: model.tools ?? true },
      })),
    }
  }
  return undefined
}

function llamaCppDescribes(path: string, _body: unknown, models: readonly ScriptedModel[]): unknown {
  const [model] = models
  const contextTokens = model?.loadedContextTokens ?? model?.contextTokens ?? 8192
  if (path === '/v1/models' || path === '/models') {
    return {
      object: 'list',
      data: models.map(each => ({
        id: each.name,
        object: 'model',
        owned_by: 'llamacpp',
        architecture: { input_modalities: each.vision === true ? ['text', 'image'] : ['text'] },
        meta: {
          n_ctx: each.loadedContextTokens ?? each.contextTokens ?? 8192,
          n_ctx_train: each.contextTokens ?? 8192,
          n_params: 7_600_000_000,
          size: each.sizeBytes ?? 4_700_000_000,
          ftype: each.quantization ?? 'Q4_K - Medium',
        },
      })),
    }
  }
  if (path === '/props') {
    return {
      default_generation_settings: { n_ctx: contextTokens },
      total_slots: 1,
      modalities: { vision: model?.vision ?? false, audio: false },
      chat_template_caps: { supports_tools: model?.tools ?? true, supports_tool_calls: model?.tools ?? true },
      build_info: 'b1-scripted',
    }
  }
  if (path === '/slots') return [{ id: 0, n_ctx: contextTokens, is_processing: false }]
  return undefined
}

function openRouterDescribes(path: string, _body: unknown, models: readonly ScriptedModel[]): unknown {
  if (path === '/api/v1/key') return { data: { label: 'scripted', limit: null, limit_remaining: null } }
  if (path !== '/api/v1/models') return undefined
  const perToken = (usdPerMillion: number | undefined) => String((usdPerMillion ?? 0) / 1e6)
  return {
    data: models.map(model => ({
      id: model.name,
      name: model.name,
      context_length: model.contextTokens ?? 8192,
      architecture: { input_modalities: model.vision === true ? ['text', 'image'] : ['text'] },
      pricing: {
        prompt: perToken(model.price?.input),
        completion: perToken(model.price?.output),
        request: String(model.price?.request ?? 0),
        image: '0',
        ...(model.price?.cacheRead === undefined ? {} : { input_cache_read: perToken(model.price.cacheRead) }),
        ...(model.price?.overrides === undefined ? {} : { overrides: model.price.overrides }),
      },
      top_provider: {
        context_length: model.contextTokens ?? 8192,
        max_completion_tokens: model.maxOutputTokens ?? null,
      },
      supported_parameters: [
        'max_tokens',
        'temperature',
        'response_format',
        ...(model.tools === false ? [] : ['tools', 'tool_choice']),
        ...(model.reasoning === true ? ['reasoning'] : []),
      ],
    })),
  }
}
