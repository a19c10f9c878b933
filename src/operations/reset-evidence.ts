import { z } from 'zod'
import type { Core } from '../core.ts'
import { GatewayError } from '../errors.ts'
import { operation } from './operation.ts'

export const resetEvidence = operation({
  name: 'reset_evidence',
  summary: 'Forgets what the router learned from traffic about one model. Benchmark results stay.',
  effect: 'destroy',
  input: z.strictObject({ model: z.string() }),
  output: z.object({ model: z.string(), forgotten: z.int().describe('How many facts there were.') }),
  run: ({ inventory, learner }: Core, { model }) => {
    const found = inventory.models().find(({ id, name }) => id === model || name === model)
    if (found === undefined) {
      throw new GatewayError('model_not_found', `There is no model '${model}'; GET /v1/models lists all.`, {
        param: 'model',
      })
    }
    return { model: found.id, forgotten: learner.forget(found) }
  },
})
