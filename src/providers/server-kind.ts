import { ownPrices } from '../accounting/own-prices.ts'
import type { Endpoint } from '../config/config.ts'
import { readEndpoints, type EndpointList } from './http/endpoints.ts'
import { createUpstream, labelOf, type Upstream, type UpstreamParts } from './http/upstream.ts'
import { createInventory, type EndpointInventory, type EndpointInventoryParts } from './inventory.ts'
import type { Model, Provider, ProviderKind, ProviderParts, Tier } from './provider.ts'

export interface ServerKind extends Omit<ProviderKind, 'endpoints' | 'create'> {
  /** The setting, an `endpointList`, that names its servers. */
  variable: string
  /** The address tried when the variable is not set; absent where the kind has no default. */
  defaultUrl?: string
  /** What its other variables say about each of its endpoints. */
  adjust?: (endpoint: Endpoint, variables: Readonly<Record<string, unknown>>) => Endpoint
  /** Of endpoints whose tier is not configured. */
  tier: Tier | ((endpoint: Endpoint) => Tier)
  /** What to do when the connection fails. */
  remedy: string
  /** Sent with every request. */
  headers?: UpstreamParts['headers']
  /** Display name of an endpoint; by default the kind's, with the endpoint's name where there are several. */
  endpointLabel?: (endpoint: Endpoint) => string
  connect: (connection: Connection) => Server
}

interface Connection {
  endpoint: Endpoint
  tier: Tier
  upstream: Upstream
  /** The same server, with another way to authenticate. */
  upstreamWith: (more: Pick<UpstreamParts, 'keyHeader' | 'headers'>) => Upstream
  prices: ProviderParts['prices']
  now: () => number
}

/** What a kind of server adds to what all of them have. */
interface Server extends Omit<
  Provider,
  'name' | 'label' | 'tier' | 'url' | 'firstTokenTimeoutMs' | keyof EndpointInventory
> {
  /** Queries the models; whatever it throws makes the endpoint `down`. */
  listModels: EndpointInventoryParts['ask']
  /** Applied to the listed models whenever they are read. */
  adjustModels?: (listed: readonly Model[]) => readonly Model[]
}

/** Defines a kind of provider whose servers are named by one variable. */
export function serverKind(definition: ServerKind): ProviderKind {
  const { variable, defaultUrl, adjust, tier: tierOf, remedy, headers, endpointLabel, connect, ...kind } = definition
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
    create({ endpoint, transport, prices, now }) {
      const { name, url, firstTokenTimeoutMs } = endpoint
      const tier = endpoint.tier ?? (typeof tierOf === 'function' ? tierOf(endpoint) : tierOf)
      const label = endpointLabel?.(endpoint) ?? labelOf(kind, endpoint)
      const upstreamWith: Connection['upstreamWith'] = more =>
        createUpstream({ endpoint, transport, now, label, baseUrl: url, remedy, ...more })
      const upstream = upstreamWith(headers === undefined ? {} : { headers })
      const {
        listModels,
        adjustModels = models => models,
        ...server
      } = connect({
        endpoint,
        tier,
        upstream,
        upstreamWith,
        prices,
        now,
      })
      const reprice = endpoint.prices && ownPrices(endpoint.prices, now())
      const ask: typeof listModels = async (signal, fresh) => {
        const listed = await listModels(signal, fresh)
        return reprice === undefined ? listed : listed.map(model => reprice(model, model.name))
      }
      const inventory = createInventory({ label, now, ask })
      return {
        name,
        label: kind.label,
        tier,
        url,
        firstTokenTimeoutMs,
        ...inventory,
        models: () => adjustModels(inventory.models()),
        ...server,
      }
    },
  }
}
