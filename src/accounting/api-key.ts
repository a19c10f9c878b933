import { createHash } from 'node:crypto'

/**
 * What a key may be used for: `inference` for models, `read` for operations that change nothing, such as usage, `admin` for
 * everything, the belongings of other keys included.
 */
export const scopes = ['inference', 'read', 'admin'] as const
export type Scope = (typeof scopes)[number]

/** Which models a caller may use. */
export interface ModelAccess {
  /** Ids or names of models, `*` for any characters; null: all. */
  models: readonly string[] | null
  /** Names of providers; null: all. */
  providers: readonly string[] | null
}

/** How much a caller may ask for; null: as much as they like. */
export interface RateLimits {
  requestsPerMinute: number | null
  /** Prompt and answer together. */
  tokensPerMinute: number | null
  concurrentRequests: number | null
}

/** An API key that Signalbox issued. The token itself is shown once and not kept. */
export interface ApiKey extends ModelAccess, RateLimits {
  /** Unique for ever; owns what the key's requests create, and is the key's name in the ledger. */
  name: string
  /** The person or team it was made for. */
  owner: string | null
  scopes: readonly Scope[]
  /** By provider, the environment variable that holds the key to use there instead of the operator's. */
  upstreamKeys: Readonly<Record<string, string>>
  /** Milliseconds since the epoch. */
  createdAt: number
  expiresAt: number | null
  revokedAt: number | null
}

/** Tokens begin with it, so that people and scanners recognize a leaked one. */
const tokenPrefix = 'signalbox_'
const tokenBytes = 32

/** A new token of 256 random bits. */
export function newToken(randomBytes: (size: number) => Buffer): string {
  return tokenPrefix + randomBytes(tokenBytes).toString('base64url')
}

/**
 * What is stored of a token, and how it is looked up: since digests are compared, the time that a look-up takes reveals nothing
 * about any token. A token is random throughout, so that it needs no slow hash.
 */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
