import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseEnv } from 'node:util'
import { z } from 'zod'
import { ConfiguredPrice, type CoreValues } from './core-settings.ts'
import { ConfigError, firstProblem } from './setting.ts'

/** One server that Signalbox calls. */
export const Endpoint = z.strictObject({
  kind: z.string(),
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/, 'names consist of lower-case letters, digits, dots and dashes'),
  url: z.url({ protocol: /^https?$/ }),
  /** The secret itself. `signalbox.json` may contain only `apiKeyVariable`, the variable that holds it. */
  apiKey: z.string().optional(),
  /** The variable that the secret came from, so that an error can say what to check. */
  apiKeyVariable: z.string().optional(),
  tier: z.enum(['local', 'remote']).optional(),
  /** How long its first token may take, if it differs from PROVIDER_TIMEOUT_MS. */
  firstTokenTimeoutMs: z.int().min(1).max(86_400_000).optional(),
  /** Protocols besides chat completions that the server implements fully: their requests are passed through unchanged. */
  nativeProtocols: z.array(z.literal('messages')).optional(),
  /** The operator named it, so its absence is reported at the start. */
  named: z.boolean().default(true),
  /** USD per million tokens by model name, for servers that do not list prices or list others. */
  prices: z.record(z.string(), ConfiguredPrice).optional(),
})
export type Endpoint = z.output<typeof Endpoint>

const SettingsFile = z.strictObject({
  providers: z.array(Endpoint.omit({ apiKey: true, named: true })).default([]),
})

/** Files that are read in the root, besides the environment. */
export const settingsFiles = ['.env', 'signalbox.json'] as const

/** Everything an operator can configure, parsed and validated. */
export interface Config {
  /** Folder of `.env` and `signalbox.json`; relative paths start here. */
  root: string
  values: CoreValues
  endpoints: readonly Endpoint[]
  /** Every variable, those of `.env` included: what API keys use at providers is named by them. */
  environment: Readonly<Record<string, string | undefined>>
}

/** The environment, which overrides `.env` in `root`; an empty value means unset. */
export function readEnvironment(
  root: string,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const merged = { ...parseEnv(readOptional(path.join(root, '.env')) ?? ''), ...environment }
  // Proxies are usually set in lower case, which curl reads too.
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY']) merged[name] ??= merged[name.toLowerCase()]
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value?.trim() !== ''))
}

/** The endpoints of `signalbox.json` in `root`; none without the file. Throws `ConfigError`. */
export function readSettingsFile(root: string, environment: Readonly<Record<string, string | undefined>>): Endpoint[] {
  const text = readOptional(path.join(root, 'signalbox.json'))
  if (text === undefined) return []
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    throw new ConfigError(`signalbox.json is not valid JSON: ${(error as Error).message}`)
  }
  const parsed = SettingsFile.safeParse(content)
  if (!parsed.success) throw new ConfigError(`signalbox.json: ${firstProblem(parsed.error)}`)
  return parsed.data.providers.map(endpoint => ({
    ...endpoint,
    named: true,
    apiKey: endpoint.apiKeyVariable === undefined ? undefined : environment[endpoint.apiKeyVariable],
  }))
}

function readOptional(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ConfigError(`Cannot read ${file}: ${(error as Error).message}`)
  }
}
