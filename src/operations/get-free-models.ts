import { z } from 'zod'
import type { Core } from '../core.ts'
import { modelView, ModelView } from './list-models.ts'
import { operation } from './operation.ts'

export const getFreeModels = operation({
  name: 'get_free_models',
  summary: 'The models that are free on OpenRouter now.',
  effect: 'read',
  openWorld: true,
  needs: 'openrouter',
  input: z.strictObject({}),
  output: z.object({ models: z.array(ModelView), total: z.int() }),
  run: (core: Core) => {
    const models = core.inventory.models().filter(model => model.free && core.kindOf(model.provider) === 'openrouter')
    return { models: models.map(model => modelView(core, model)), total: models.length }
  },
})
