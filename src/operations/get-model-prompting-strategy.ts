import { z } from 'zod'
import type { Core } from '../core.ts'
import { GatewayError } from '../errors.ts'
import { operation } from './operation.ts'
import { inUse, PromptingStrategy } from './prompting-strategy.ts'

export const getModelPromptingStrategy = operation({
  name: 'get_model_prompting_strategy',
  summary: 'The prompting strategy of one OpenRouter model; without model_id, the models that have one.',
  effect: 'read',
  needs: 'openrouter',
  input: z.strictObject({ model_id: z.string().optional() }),
  output: z.object({
    model_id: z.string().nullable(),
    strategy: PromptingStrategy.nullable(),
    in_use: inUse,
    models: z.array(z.string()),
  }),
  run: ({ ledger, inventory, strategyInUse }: Core, { model_id }) => {
    const models = ledger.notes.strategies()
    if (model_id === undefined) return { model_id: null, strategy: null, in_use: false, models }
    const model = inventory.models().find(({ id, name }) => id === model_id || name === model_id)?.id ?? model_id
    const strategy = ledger.notes.strategy(model)
    if (strategy === undefined) {
      throw new GatewayError('not_found', `No prompting strategy is set for ${model}.`, { param: 'model_id' })
    }
    return { model_id: model, strategy, in_use: strategyInUse(model) !== undefined, models }
  },
})
