import type { FastifyRequest } from 'fastify'
import { hashOf, type ApiKey } from '../accounting/api-key.ts'
import { readStaticKeys } from '../accounting/static-keys.ts'
import { GatewayError } from '../errors.ts'
import type { ApiKeys } from '../gateway/api-keys.ts'
import { asObject } from '../json.ts'
import { localPrincipal } from '../operations/client.ts'
import type { Principal } from '../operations/operation.ts'

export interface Authenticate {
  /** The owner of the API key that a request carries. Throws `unauthorized`. */
  caller(request: FastifyRequest): Principal
  /** The same where no key is needed; undefined for a request that lacks one. A wrong key is refused here too. */
  callerIfKnown(request: FastifyRequest): Principal | undefined
}

export interface Keys {
  /** As in SIGNALBOX_API_KEY. */
  keys: string | undefined
  /** As in SIGNALBOX_ADMIN_KEY. */
  adminKeys: string | undefined
  /** Those that Signalbox issued. */
  issued: Pick<ApiKeys, 'find' | 'exist'>
  /** What other processes of the same user send. */
  instanceToken: string | undefined
}

/**
 * Without keys every caller on this machine is `anonymous` and an administrator. A single key of the settings is an admin key
 * too; of several, only those of SIGNALBOX_ADMIN_KEY are. Issued keys have the scopes they were made with.
 */
export function createAuthenticate({ keys, adminKeys, issued, instanceToken }: Keys): Authenticate {
  const callers = readStaticKeys(keys)
  const admins = readStaticKeys(adminKeys)
  const onlyCaller = admins.length === 0 && callers.length === 1
  const principals = new Map<string, Principal>([
    ...callers.map(({ hash, name }) => [hash, { name, admin: onlyCaller }] as const),
    ...admins.map(({ hash, name }) => [hash, { name, admin: true }] as const),
    ...(instanceToken === undefined ? [] : [[hashOf(instanceToken), localPrincipal] as const]),
  ])
  // A key may be issued at any time.
  const isOpen = () => callers.length === 0 && admins.length === 0 && !issued.exist()

  function callerIfKnown(request: FastifyRequest): Principal | undefined {
    const shown = presentedKey(request)
    if (shown !== undefined) {
      const principal = principals.get(hashOf(shown))
      if (principal !== undefined) return principal
      const key = issued.find(shown)
      if (key !== undefined) return principalOf(key)
    }
    if (isOpen()) return anonymous
    if (shown === undefined) return undefined
    throw new GatewayError('unauthorized', 'The API key is not known here; check that it is complete.')
  }

  return {
    callerIfKnown,
    caller(request) {
      const principal = callerIfKnown(request)
      if (principal !== undefined) return principal
      throw new GatewayError('unauthorized', 'An API key is required: send `Authorization: Bearer <key>`.')
    },
  }
}

const anonymous: Principal = { name: 'anonymous', admin: true }

function principalOf({ name, scopes }: ApiKey): Principal {
  return { name, admin: scopes.includes('admin'), scopes }
}

/** A bearer token, `x-api-key`, Azure's `api-key`, or as Google's clients send it: `x-goog-api-key` or `?key=`, the latter on Google's paths only. */
function presentedKey({ headers, url, query }: FastifyRequest): string | undefined {
  const bearer = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  const inQuery = url.startsWith('/v1beta/') ? asObject(query)?.['key'] : undefined
  return (
    bearer ??
    [headers['x-api-key'], headers['api-key'], headers['x-goog-api-key'], inQuery].find(key => typeof key === 'string')
  )
}
