import { z } from 'zod'
import { freePrice } from '../../accounting/pricing.ts'
import { billions } from '../parameter-count.ts'
import type { Capabilities, Model } from '../provider.ts'
import type { Upstream } from '../http/upstream.ts'

const Listed = z.looseObject({
  name: z.string(),
  size: z.number().optional(),
  digest: z.string().optional(),
  details: z
    .looseObject({
      family: z.string().optional(),
      parameter_size: z.string().optional(),
      quantization_level: z.string().optional(),
    })
    .optional(),
  remote_host: z.string().optional(),
})
type Listed = z.output<typeof Listed>
const Tags = z.looseObject({ models: z.array(Listed).nullish() })
const Running = z.looseObject({
  models: z.array(z.looseObject({ name: z.string(), context_length: z.number().optional() })).nullish(),
})
const Shown = z.looseObject({
  model_info: z.record(z.string(), z.unknown()).nullish(),
  capabilities: z.array(z.string()).nullish(),
  parameters: z.string().nullish(),
})

/** The response of `/api/show` for a model; it changes only with the digest. */
interface Details {
  contextTokens: number | undefined
  capabilities: Capabilities
}

export interface OllamaModels {
  list(signal: AbortSignal, fresh: boolean): Promise<Model[]>
  /** The context that a model is loaded with, where known. */
  loadedTokens(name: string): number | undefined
  /** Records the context that a call has just made Ollama load. */
  noteLoaded(name: string, contextTokens: number): void
}

/** Number of concurrent `/api/show` requests. */
const showsAtOnce = 8

export function createOllamaModels(upstream: Upstream, provider: string): OllamaModels {
  let details = new Map<string, Details>()
  let loaded = new Map<string, number>()

  const show = async (model: Listed, signal: AbortSignal, fresh: boolean): Promise<Details | undefined> => {
    const remembered = fresh ? undefined : details.get(keyOf(model))
    if (remembered !== undefined) return remembered
    // A model removed a moment ago must not hide the others.
    const answer = Shown.safeParse(await upstream.jsonIfKnown('/api/show', { json: { model: model.name }, signal }))
    return answer.success ? detailsOf(answer.data) : undefined
  }

  return {
    async list(signal, fresh) {
      const [tags, running] = await Promise.all([
        upstream.json('/api/tags', { signal }).then(answer => Tags.parse(answer).models ?? []),
        upstream.json('/api/ps', { signal }).then(answer => Running.parse(answer).models ?? []),
      ])
      const known = new Map<string, Details>()
      for (let start = 0; start < tags.length; start += showsAtOnce) {
        const some = tags.slice(start, start + showsAtOnce)
        const answers = await Promise.all(some.map(model => show(model, signal, fresh)))
        for (const [index, answer] of answers.entries()) {
          if (answer !== undefined) known.set(keyOf(some[index]!), answer)
        }
      }
      details = known
      loaded = new Map(running.map(model => [model.name, model.context_length ?? 0]))
      return tags.map(model => describe(model, provider, known.get(keyOf(model)), loaded.has(model.name)))
    },
    loadedTokens: name => loaded.get(name),
    noteLoaded: (name, contextTokens) => {
      loaded.set(name, contextTokens)
    },
  }
}

const keyOf = ({ name, digest }: Listed) => `${name} ${digest ?? ''}`

function detailsOf({ model_info: info, capabilities, parameters }: z.output<typeof Shown>): Details {
  const architecture = info?.['general.architecture']
  const trained = typeof architecture === 'string' ? info?.[`${architecture}.context_length`] : undefined
  const fixed = Number(/^num_ctx\s+(\d+)/m.exec(parameters ?? '')?.[1])
  const can = (name: string) => (capabilities ? capabilities.includes(name) : undefined)
  return {
    contextTokens: typeof trained === 'number' ? trained : fixed || undefined,
    capabilities: known({
      chat: can('completion'),
      tools: can('tools'),
      vision: can('vision'),
      reasoning: can('thinking'),
      embeddings: can('embedding'),
    }),
  }
}

function describe(listed: Listed, provider: string, details: Details | undefined, loaded: boolean): Model {
  // Ollama also lists models that run in its vendor's cloud: neither private nor known to be free.
  const elsewhere = listed.remote_host !== undefined && listed.remote_host !== ''
  return {
    id: `${provider}/${listed.name}`,
    provider,
    name: listed.name,
    tier: elsewhere ? 'remote' : 'local',
    price: elsewhere ? undefined : freePrice,
    free: !elsewhere,
    contextTokens: details?.contextTokens,
    loaded: elsewhere ? undefined : loaded,
    capabilities: {
      ...details?.capabilities,
      json: true,
      // By a schema for the answer, which its vendor's cloud does not promise to keep to.
      forcedTools: !elsewhere,
      // Ollama silently ignores all of these.
      logprobs: false,
      logitBias: false,
      manyChoices: false,
    },
    family: listed.details?.family,
    parametersB: billions(listed.details?.parameter_size),
    quantization: listed.details?.quantization_level,
    digest: listed.digest,
    sizeBytes: listed.size,
  }
}

function known(capabilities: { [K in keyof Capabilities]: boolean | undefined }): Capabilities {
  return Object.fromEntries(Object.entries(capabilities).filter(([, value]) => value !== undefined))
}
