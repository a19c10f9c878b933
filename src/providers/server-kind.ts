import type { Endpoint } from '../config.ts'
import { readEndpoints, type EndpointList } from './http/endpoints.ts'
import type { ProviderKind } from './provider.ts'

export interface ServerKind extends Omit<ProviderKind, 'endpoints'> {
  /** The setting, an `endpointList`, that names its servers. */
  variable: string
  /** The address tried when the variable is not set; absent where the kind has no default. */
  defaultUrl?: string
  /** What its other variables say about each of its endpoints. */
  adjust?: (endpoint: Endpoint, variables: Readonly<Record<string, unknown>>) => Endpoint
}

/** Defines a kind of provider whose servers are named by one variable. */
export function serverKind({ variable, defaultUrl, adjust, ...kind }: ServerKind): ProviderKind {
  return {
    ...kind,
    endpoints(variables, environment) {
      const found = readEndpoints(variables[variable] as EndpointList, environment, {
        kind: kind.kind,
        variable,
        defaultUrl,
        normalize: kind.normalize,
      })
      return adjust === undefined ? found : found.map(endpoint => adjust(endpoint, variables))
    },
  }
}
