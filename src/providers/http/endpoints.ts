import { z } from 'zod'
import { Endpoint } from '../../config/config.ts'
import { ConfigError } from '../../config/setting.ts'
import { redact } from '../../redact.ts'

/** Several servers in one variable: `url` or `name=url`, separated by commas, or the word `off`. */
export const endpointList = z
  .string()
  .trim()
  .transform(text => (text.toLowerCase() === 'off' ? ('off' as const) : text.split(',').map(part => part.trim())))
  .optional()
export type EndpointList = z.output<typeof endpointList>

export interface EndpointRules {
  kind: string
  /** The variable's name, for messages. */
  variable: string
  /** The default address, tried when the variable is not set. */
  defaultUrl?: string
  /** Removes what users append to the address by mistake, or adds what they omit. */
  normalize: (url: URL) => string
}

/**
 * The endpoints that a variable names, called `kind`, `kind-2` and so on unless it names them. API keys come from
 * `<NAME>_API_KEY`. Throws `ConfigError`.
 */
export function readEndpoints(
  list: EndpointList,
  environment: Readonly<Record<string, string | undefined>>,
  { kind, variable, defaultUrl, normalize }: EndpointRules,
): Endpoint[] {
  if (list === 'off') return []
  const parts = (list ?? [defaultUrl ?? '']).filter(part => part !== '')
  return parts.map((part, index) => {
    const { name = index === 0 ? kind : `${kind}-${index + 1}`, url } = splitName(part)
    const apiKeyVariable = keyVariable(name)
    const apiKey = environment[apiKeyVariable]
    const endpoint = Endpoint.safeParse({
      kind,
      name,
      url: normalizeUrl(url, normalize, variable),
      named: list !== undefined,
      ...(apiKey === undefined ? {} : { apiKey, apiKeyVariable }),
    })
    if (endpoint.success) return endpoint.data
    throw new ConfigError(
      `${variable}: ${name}: ${endpoint.error.issues[0]?.message ?? 'is not valid'} (see .env.example)`,
    )
  })
}

/** The variable with an endpoint's API key: `my-server` has `MY_SERVER_API_KEY`. */
function keyVariable(name: string): string {
  return `${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_API_KEY`
}

/** `source` says where the address comes from, for the message of a `ConfigError`. */
export function normalizeUrl(text: string, normalize: (url: URL) => string, source: string): string {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`
  const url = URL.parse(withScheme)
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw new ConfigError(
      `${source}: ${redact(JSON.stringify(text), 200)} is not an address like http://127.0.0.1:8080 (see .env.example)`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConfigError(`${source}: an address must not contain a password; put the API key in its own variable`)
  }
  url.search = ''
  url.hash = ''
  return normalize(url)
}

/** A `normalise` that takes any of these endings off the path. */
export function withoutEnding(...endings: readonly string[]): (url: URL) => string {
  return url => {
    const path = url.pathname.replace(/\/+$/, '')
    const ending = endings.find(each => path.endsWith(each))
    return url.origin + (ending === undefined ? path : path.slice(0, -ending.length))
  }
}

function splitName(part: string): { name?: string; url: string } {
  const named = /^([^=/:]+)=(.+)$/.exec(part)
  return named === null ? { url: part } : { name: named[1]!.trim(), url: named[2]!.trim() }
}
