import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { GatewayError } from '../errors.ts'
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
  /** What other processes of the same user send. */
  instanceToken: string | undefined
}

/**
 * Without keys every caller on this machine is `anonymous` and an administrator. A single key is an admin key too; of several,
 * only those of SIGNALBOX_ADMIN_KEY are.
 */
export function createAuthenticate({ keys, adminKeys, instanceToken }: Keys): Authenticate {
  const callers = readKeys(keys)
  const admins = readKeys(adminKeys)
  const onlyCaller = admins.length === 0 && callers.length === 1
  const open = callers.length === 0 && admins.length === 0
  const principals = new Map<string, Principal>([
    ...callers.map(([key, name]) => [key, { name, admin: onlyCaller }] as const),
    ...admins.map(([key, name]) => [key, { name, admin: true }] as const),
    ...(instanceToken === undefined ? [] : [[digest(instanceToken), localPrincipal] as const]),
  ])
  function callerIfKnown(request: FastifyRequest): Principal | undefined {
    const shown = presentedKey(request)
    const principal = shown === undefined ? undefined : principals.get(digest(shown))
    if (principal !== undefined || open) return principal ?? anonymous
    if (shown === undefined) return undefined
    throw new GatewayError('unauthorized', 'The API key is not one of SIGNALBOX_API_KEY.')
  }

  return {
    callerIfKnown,
    caller(request) {
      const principal = callerIfKnown(request)
      if (principal !== undefined) return principal
      throw new GatewayError(
        'unauthorized',
        'An API key is required: send `Authorization: Bearer <SIGNALBOX_API_KEY>`.',
      )
    },
  }
}

/** As much of a name as the ledger keeps: owners are compared with it. */
const maxNameCharacters = 200

const anonymous: Principal = { name: 'anonymous', admin: true }

/** Digests are compared, not keys, so that comparison time reveals nothing about a key. */
function readKeys(list: string | undefined): [digest: string, name: string][] {
  return (list?.split(',') ?? []).map(entry => {
    // A key in base64 may end in `=`, and then has no name.
    const [, name, key = entry] = /^([^=]+)=(.*[^=].*)$/.exec(entry) ?? []
    return [digest(key), (name ?? `key-${digest(key).slice(0, 8)}`).slice(0, maxNameCharacters)]
  })
}

function digest(key: string): string {
  return createHash('sha256').update(key).digest('hex')
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
