import type { Core } from '../core.ts'
import { GatewayError } from '../errors.ts'
import { select } from '../router/select.ts'
import { requestFor } from '../tasks/model-task.ts'
import type { OwnTask } from './benchmark-input.ts'

/** The model that a caller named. Throws `model_not_found` with similar names. */
export function namedModel({ inventory, config }: Core, name: string): string {
  const model = select([name], inventory.models(), config().values.MODEL_ALIASES)[0]?.models[0]
  if (model === undefined) throw new GatewayError('model_not_found', `There is no model '${name}'.`, { param: 'model' })
  return model.id
}

/** The models to compare tasks on: those named, and without a named local one, the one that would be chosen. */
export function modelsOf(core: Core, tasks: readonly OwnTask[]): string[] {
  const models = tasks.flatMap(task => {
    const paid = task.paid_model === undefined ? [] : [namedModel(core, task.paid_model)]
    const local = task.local_model === undefined ? chosenLocal(core, task) : namedModel(core, task.local_model)
    return local === undefined ? paid : [local, ...paid]
  })
  if (models.length === 0) {
    throw new GatewayError('no_backend', 'No local model is available; set local_model or paid_model.')
  }
  return models
}

function chosenLocal({ gateway }: Core, { task, context_length }: OwnTask): string | undefined {
  const request = { ...requestFor({ task, context_length }), model: 'local' }
  return gateway.preview(request, { contextTokens: context_length }).ranked[0]?.id
}
