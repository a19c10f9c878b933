import type { Endpoint } from '../config/config.ts'
import { ConfigError, readSettings, type Settings } from '../config/setting.ts'
import { normalizeUrl } from './http/endpoints.ts'
import { llamaCpp } from './llama-cpp/llama-cpp.ts'
import { lmStudio } from './lm-studio.ts'
import { ollama } from './ollama/ollama.ts'
import { openAiCompatible } from './openai-compatible.ts'
import { openRouter } from './openrouter/openrouter.ts'
import type { Provider, ProviderKind, ProviderParts } from './provider.ts'

/** Every supported kind of server. */
export const providerKinds: readonly ProviderKind[] = [ollama, lmStudio, llamaCpp, openRouter, openAiCompatible]

/** The variables of all kinds, with their help texts. */
export const providerSettings: Settings = Object.assign({}, ...providerKinds.map(kind => kind.settings)) as Settings

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The endpoints from the environment and from `signalbox.json` (`fromFile`). A kind named in the file is not tried at
 * its default address, and one that requires an API key is left out without it. Throws `ConfigError`.
 */
export function findEndpoints(environment: Environment, fromFile: readonly Endpoint[] = []): Endpoint[] {
  const values = readSettings(providerSettings, environment)
  const written = fromFile.map(endpoint => {
    const source = `signalbox.json: ${endpoint.name}`
    return { ...endpoint, url: normalizeUrl(endpoint.url, kindOf(endpoint).normalize, source) }
  })
  const fromVariables = providerKinds.flatMap(kind => kind.endpoints(values, environment))
  const endpoints = [
    ...fromVariables.filter(({ named, kind }) => named || !written.some(endpoint => endpoint.kind === kind)),
    ...written,
  ].filter(endpoint => endpoint.apiKey !== undefined || kindOf(endpoint).needsKey !== true)
  const twice = endpoints.find((endpoint, index) => endpoints.findIndex(({ name }) => name === endpoint.name) !== index)
  if (twice !== undefined) throw new ConfigError(`Two endpoints are called ${twice.name}; rename one`)
  return endpoints
}

/** Creates one provider per endpoint; sends no requests yet. */
export function createProviders(endpoints: readonly Endpoint[], parts: Omit<ProviderParts, 'endpoint'>): Provider[] {
  return endpoints.map(endpoint => kindOf(endpoint).create({ ...parts, endpoint }))
}

function kindOf({ kind, name }: Endpoint): ProviderKind {
  const found = providerKinds.find(each => each.kind === kind)
  if (found !== undefined) return found
  const known = providerKinds.map(each => each.kind).join(', ')
  throw new ConfigError(`signalbox.json: ${name}: unknown kind ${JSON.stringify(kind)}; use one of ${known}`)
}
