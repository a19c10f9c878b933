import { GatewayError } from '../errors.ts'
import type { TypedCall } from '../operations/client.ts'
import type { ModelView } from '../operations/list-models.ts'
import type { ResourceDefinition } from './resources.ts'

const openrouter = 'openrouter'
const maxModels = 200

/** All resources, by URI. Each figure comes from an operation. */
export const resources: readonly ResourceDefinition[] = [
  {
    uri: 'locallama://status',
    name: 'status',
    description: 'Servers, queue and ledger of this Signalbox.',
    read: ask => ask('status'),
  },
  {
    uri: 'locallama://models',
    name: 'models',
    description: 'The local models that are available.',
    read: ask => ask('list_models', { tier: 'local', page_size: maxModels }),
  },
  {
    uri: 'locallama://jobs/active',
    name: 'active-jobs',
    description: 'The queued and running jobs.',
    read: ask => ask('list_queue', { active: true, page_size: maxModels }),
  },
  {
    uri: 'locallama://memory-bank',
    name: 'memory-bank',
    description: 'The files of the memory bank, if there is one.',
    read: ask => ask('list_memory_bank'),
  },
  {
    uri: 'locallama://openrouter/models',
    name: 'openrouter-models',
    description: 'All models on OpenRouter.',
    needs: openrouter,
    read: ask => allModels(ask, { kind: openrouter }),
  },
  {
    uri: 'locallama://openrouter/free-models',
    name: 'openrouter-free-models',
    description: 'The free models on OpenRouter.',
    needs: openrouter,
    read: ask => ask('get_free_models'),
  },
  {
    uri: 'locallama://openrouter/status',
    name: 'openrouter-status',
    description: 'Whether OpenRouter is reachable, and how many models it offers.',
    needs: openrouter,
    read: async ask => ({ servers: (await serversOf(ask)).filter(({ kind }) => kind === openrouter) }),
  },
  {
    uri: 'locallama://usage/{api}',
    name: 'usage',
    description: 'Tokens and cost of one server, such as openrouter or ollama, over all time.',
    read: async (ask, { api = '' }) => {
      const { rows } = await ask('cost', { period: 'all', group_by: 'provider' })
      const row = rows.find(({ group }) => group === api)
      const known = (await serversOf(ask)).some(({ name }) => name === api)
      if (row === undefined && !known) throw new GatewayError('not_found', `Unknown server: ${api}.`)
      return { api, period: 'all', usage: row ?? null }
    },
    complete: { api: async ask => (await serversOf(ask)).map(({ name }) => name) },
  },
  {
    uri: 'locallama://jobs/progress/{jobId}',
    name: 'job-progress',
    description: 'Progress of one job.',
    read: (ask, { jobId }) => ask('get_job', { job_id: jobId }),
    complete: {
      jobId: async ask => {
        const { jobs } = await ask('list_queue', { page_size: maxModels })
        return jobs.map(({ job_id }) => job_id)
      },
    },
  },
  {
    uri: 'locallama://openrouter/model/{modelId}',
    name: 'openrouter-model',
    description: 'One model of OpenRouter.',
    needs: openrouter,
    read: async (ask, { modelId = '' }) => {
      const { models } = await ask('list_models', { kind: openrouter, id: modelId })
      const [model] = models
      if (model === undefined) throw new GatewayError('not_found', `Unknown OpenRouter model: ${modelId}.`)
      return model
    },
    complete: { modelId: openrouterModels },
  },
  {
    uri: 'locallama://openrouter/prompting-strategy/{modelId}',
    name: 'openrouter-prompting-strategy',
    description: 'The prompting strategy of one OpenRouter model.',
    needs: openrouter,
    read: (ask, { modelId }) => ask('get_model_prompting_strategy', { model_id: modelId }),
    complete: {
      modelId: async ask => (await ask('get_model_prompting_strategy')).models,
    },
  },
]

async function serversOf(ask: TypedCall): Promise<{ name: string; kind: string }[]> {
  return (await ask('status')).servers
}

async function openrouterModels(ask: TypedCall): Promise<string[]> {
  const { models } = await allModels(ask, { kind: openrouter })
  return models.map(({ id }) => id)
}

async function allModels(ask: TypedCall, filter: object): Promise<{ models: ModelView[]; total: number }> {
  const models: ModelView[] = []
  for (let page = 1; ; page++) {
    const part = await ask('list_models', { ...filter, page, page_size: maxModels })
    models.push(...part.models)
    if (part.models.length === 0 || models.length >= part.total) return { models, total: part.total }
  }
}
