import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import pino from 'pino'
import { z } from 'zod'
import type { Config } from '../../config/config.ts'
import { GatewayError } from '../../errors.ts'
import { AlreadyRunning, readInstance } from '../../instance.ts'
import { DecisionView } from '../../operations/decision-view.ts'
import { httpClient } from '../../operations/http-client.ts'
import { ModelView } from '../../operations/list-models.ts'
import { dataDirOf, start } from '../../start.ts'
import { openAiServer } from './openai-server.ts'
import type { MeasuredServer, ServedModel } from './measured-server.ts'

const ModelList = z.object({ models: z.array(ModelView), total: z.int() })
const Queue = z.object({
  summary: z.object({ waiting: z.int(), slots: z.array(z.object({ waiting: z.int() })) }),
})

/** How often to check whether other requests are still waiting. */
const queuePollMs = 250

/**
 * Measures every model that Signalbox knows, through Signalbox: through the running instance, whose users go first, else
 * through one that is started here and ends with the benchmark. Throws `upstream_unavailable` while another one is starting.
 */
export async function signalboxServer(config: Config, version: string, now: () => number): Promise<MeasuredServer> {
  const { url, token, close } = await reach(config, version)
  const client = httpClient({ url, token })
  // Each item is a separate conversation: repeating a task is no sign that its first answer was bad.
  const { ask } = openAiServer(`${url}/v1`, token, now, () => ({ 'x-signalbox-session': randomUUID() }))

  async function listed(signal: AbortSignal): Promise<ModelView[]> {
    const models: ModelView[] = []
    for (let page = 1; ; page++) {
      const part = await client.call('list_models', { page, page_size: 200 }, { signal })
      const { models: more, total } = ModelList.parse(part)
      models.push(...more)
      if (more.length === 0 || models.length >= total) return models
    }
  }

  async function peopleWait(signal: AbortSignal): Promise<boolean> {
    const queue = await client.call('list_queue', { active: true, page_size: 1 }, { signal })
    const { summary } = Queue.parse(queue)
    return summary.waiting > 0 || summary.slots.some(({ waiting }) => waiting > 0)
  }

  return {
    ask: (candidate, chat, signal) => {
      const model = `${candidate.provider}/${candidate.model}`
      return ask(candidate, { ...chat, model }, signal)
    },
    predict: async ({ provider, model }, chat, signal) => {
      const id = `${provider}/${model}`
      const route = await client.call('explain_route', { request: { ...chat, model: id } }, { signal })
      const { candidates } = DecisionView.parse(route)
      return candidates.find(candidate => candidate.model === id)?.quality
    },
    models: async signal => {
      const models = await listed(signal)
      return models.filter(({ available, chat }) => available && chat !== false).map(servedModel)
    },
    turn: async signal => {
      while (await peopleWait(signal)) await delay(queuePollMs, undefined, { signal })
    },
    close,
  }
}

async function reach(config: Config, version: string) {
  const own = { ...config, values: { ...config.values, HOST: '127.0.0.1', PORT: 0, CODE_SEARCH_ENABLED: false } }
  const close = await start(own, version, { log: pino({ level: 'silent' }) }).then(
    running => () => running.close(0),
    (error: unknown) => {
      if (error instanceof AlreadyRunning) return async () => {}
      throw error
    },
  )
  const instance = readInstance(dataDirOf(config))
  if (instance === undefined) {
    throw new GatewayError('upstream_unavailable', 'Another Signalbox is just starting with this DATA_DIR; try again.')
  }
  return { url: instance.url, token: instance.token, close }
}

function servedModel(view: ModelView): ServedModel {
  const { id, provider, tier, free, price, digest, quantization, context_tokens, loaded, size_bytes } = view
  return {
    own: tier === 'local',
    candidate: {
      provider,
      model: id.slice(provider.length + 1),
      paid: !free,
      ...(price !== null && { price }),
      ...(digest !== null && { digest }),
      ...(quantization !== null && { quantization: quantization }),
      ...(context_tokens !== null && { contextTokens: context_tokens }),
      ...(loaded !== null && { loaded }),
      ...(size_bytes !== null && { memoryBytes: size_bytes }),
    },
  }
}
