import { z } from 'zod'
import { scopes, type ApiKey } from '../accounting/api-key.ts'
import type { Core } from '../core.ts'

/** What the operations on keys use; the command line has no more where no instance runs. */
export type ApiKeyContext = Pick<Core, 'accounting' | 'now'>

export const keyName = z
  .string()
  .regex(/^[\w.@-]{1,64}$/, { error: 'must be 1 to 64 letters, digits, dots, dashes, underscores or @' })
  .describe('Unique for ever: it owns what the key’s requests create.')

const states = ['active', 'expired', 'revoked'] as const

/** A key as administrators see it; its token is no part of it. */
export const ApiKeyView = z.object({
  name: z.string(),
  owner: z.string().nullable(),
  state: z.enum(states),
  scopes: z.array(z.enum(scopes)),
  models: z.array(z.string()).nullable().describe('Null: all.'),
  providers: z.array(z.string()).nullable().describe('Null: all.'),
  requests_per_minute: z.int().nullable(),
  tokens_per_minute: z.int().nullable(),
  concurrent_requests: z.int().nullable(),
  upstream_keys: z.record(z.string(), z.string()).describe('Environment variables with its keys at providers.'),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
})
type ApiKeyView = z.output<typeof ApiKeyView>

/** A key with its token. */
export const IssuedKey = z.object({
  key: ApiKeyView,
  token: z.string().describe('The key itself. It is shown only now: store it safely.'),
})

export function apiKeyView(key: ApiKey, nowMs: number): ApiKeyView {
  const isExpired = key.expiresAt !== null && nowMs >= key.expiresAt
  return {
    name: key.name,
    owner: key.owner,
    state: key.revokedAt !== null ? 'revoked' : isExpired ? 'expired' : 'active',
    scopes: [...key.scopes],
    models: key.models === null ? null : [...key.models],
    providers: key.providers === null ? null : [...key.providers],
    requests_per_minute: key.requestsPerMinute,
    tokens_per_minute: key.tokensPerMinute,
    concurrent_requests: key.concurrentRequests,
    upstream_keys: { ...key.upstreamKeys },
    created_at: new Date(key.createdAt).toISOString(),
    expires_at: instant(key.expiresAt),
    revoked_at: instant(key.revokedAt),
  }
}

function instant(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
