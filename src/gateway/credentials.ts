import { GatewayError } from '../errors.ts'
import type { Credential } from '../providers/provider.ts'
import type { ApiKeys } from './api-keys.ts'

/**
 * The key that the caller `keyId` has of their own at a provider; undefined where the operator's is used. Throws
 * `upstream_key_missing` if its variable is not set: the operator's is no substitute.
 */
export type CredentialOf = (keyId: string, provider: string) => Credential | undefined

/** `environment`: the variables in force. */
export function createCredentials(
  apiKeys: Pick<ApiKeys, 'named'>,
  environment: () => Readonly<Record<string, string | undefined>>,
): CredentialOf {
  return (keyId, provider) => {
    const upstreamKeys = apiKeys.named(keyId)?.upstreamKeys ?? {}
    const variable = Object.hasOwn(upstreamKeys, provider) ? upstreamKeys[provider] : undefined
    if (variable === undefined) return undefined
    const apiKey = environment()[variable]
    if (apiKey !== undefined) return { apiKey, variable }
    throw new GatewayError(
      'upstream_key_missing',
      `The API key '${keyId}' has a key of its own at ${provider}, but ${variable} is not set.`,
    )
  }
}
