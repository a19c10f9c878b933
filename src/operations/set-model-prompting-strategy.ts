import { z } from 'zod'
import type { Core } from '../core.ts'
import { select } from '../router/select.ts'
import { operation } from './operation.ts'
import { inUse, PromptingStrategy } from './prompting-strategy.ts'

export const setModelPromptingStrategy = operation({
  name: 'set_model_prompting_strategy',
  summary:
    'Sets the prompting strategy of one OpenRouter model. {task} in user_prompt stands for the task. The strategy takes effect once benchmark_model has found it better.',
  effect: 'write',
  access: 'admin',
  needs: 'openrouter',
  input: z.strictObject({ model_id: z.string(), ...PromptingStrategy.shape }),
  output: z.object({ model_id: z.string(), strategy: PromptingStrategy, in_use: inUse }),
  run: ({ inventory, config, ledger, strategyInUse, now }: Core, { model_id, ...strategy }) => {
    const model = select([model_id], inventory.models(), config().values.MODEL_ALIASES)[0]?.models[0]?.id ?? model_id
    ledger.notes.setStrategy(model, strategy, now())
    return { model_id: model, strategy, in_use: strategyInUse(model) !== undefined }
  },
})
