import type { ScriptedModel } from '../upstream-script.ts'
import { openAiLike } from './openai-like.ts'

export const openAiCompatible = openAiLike('openai-compatible', '/v1/chat/completions', describe, {})

function describe(path: string, _body: unknown, models: readonly ScriptedModel[]): unknown {
  if (path !== '/v1/models') return undefined
  return {
    object: 'list',
    data: models.map(model => ({ id: model.name, object: 'model', max_model_len: model.contextTokens })),
  }
}
