import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { GatewayError } from '../errors.ts'

/** Returns the name of the API key that a request carries. Throws `unauthorized` or `forbidden`. */
export type Authenticate = (request: FastifyRequest) => string

/**
 * `keys` as in SIGNALBOX_API_KEY; `instanceToken` is what other processes of the same user send. Without keys every caller on
 * this machine is `anonymous`.
 */
export function createAuthenticate(keys: string | undefined, instanceToken?: string): Authenticate {
  const names = new Map((keys?.split(',') ?? []).map(readKey))
  const open = names.size === 0
  if (instanceToken !== undefined) names.set(digest(instanceToken), 'local')
  return request => {
    const shown = presentedKey(request)
    if (open) return names.get(digest(shown ?? '')) ?? 'anonymous'
    if (shown === undefined) {
      throw new GatewayError(
        'unauthorized',
        'An API key is required: send `Authorization: Bearer <SIGNALBOX_API_KEY>`.',
      )
    }
    const name = names.get(digest(shown))
    if (name === undefined) throw new GatewayError('unauthorized', 'The API key is not one of SIGNALBOX_API_KEY.')
    return name
  }
}

// Digests are compared, not keys, so that comparison time reveals nothing about a key.
function readKey(entry: string): [digest: string, name: string] {
  const at = entry.indexOf('=')
  const key = at < 0 ? entry : entry.slice(at + 1)
  return [digest(key), at < 0 ? `key-${digest(key).slice(0, 8)}` : entry.slice(0, at)]
}

function digest(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

function presentedKey({ headers }: FastifyRequest): string | undefined {
  const bearer = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  const other = headers['x-api-key']
  return bearer ?? (typeof other === 'string' ? other : undefined)
}
