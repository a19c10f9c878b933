import type { ScriptedModel } from '../upstream-script.ts'
import { openAiLike } from './openai-like.ts'

export const lmStudio = openAiLike('lm-studio', '/v1/chat/completions', describe, {})

function describe(path: string, _body: unknown, models: readonly ScriptedModel[]): unknown {
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
