import type { ScriptedModel } from '../upstream-script.ts'
import { openAiLike } from './openai-like.ts'

export const openRouter = openAiLike('openrouter', '/api/v1/chat/completions', describe, {
  reasoningField: 'reasoning',
  errorBody: ({ status, message, code, fields }) => ({
    error: { code: code ?? status ?? 500, message, ...fields },
  }),
  streamError: ({ message, code }) => ({
    id: 'gen-scripted',
    error: { code: code ?? 'server_error', message },
    choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }],
  }),
  usageFields: ({ usage }) => ({
    ...(usage?.costUsd === null ? {} : { cost: usage?.costUsd ?? 0 }),
    ...(usage?.byokCostUsd === undefined
      ? { is_byok: false }
      : { is_byok: true, cost_details: { upstream_inference_cost: usage.byokCostUsd } }),
  }),
})

function describe(path: string, _body: unknown, models: readonly ScriptedModel[]): unknown {
  if (path === '/api/v1/key') return { data: { label: 'scripted', usage: 0, limit: null, limit_remaining: null } }
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
