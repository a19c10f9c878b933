import type { ScriptedModel } from '../upstream-script.ts'
import { openAiLike } from './openai-like.ts'

export const llamaCpp = openAiLike('llama-cpp', '/v1/chat/completions', describe, {
  errorBody: ({ status, message, code, fields }) => ({
    error: { code: status ?? 500, message, type: code ?? 'server_error', ...fields },
  }),
})

function describe(path: string, _body: unknown, models: readonly ScriptedModel[]): unknown {
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
