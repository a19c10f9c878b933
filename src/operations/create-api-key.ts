import { z } from 'zod'
import { scopes } from '../accounting/api-key.ts'
import { budgetPeriods } from '../accounting/budget.ts'
import { picosOf } from '../accounting/money.ts'
import { GatewayError } from '../errors.ts'
import { apiKeyView, IssuedKey, keyName, type ApiKeyContext } from './api-key-view.ts'
import { budgetLimit } from './budget-view.ts'
import { operation } from './operation.ts'

const limit = z.int().min(1).max(1_000_000_000).optional()
const names = z.array(z.string().min(1).max(200)).min(1).max(200)

export const createApiKey = operation({
  name: 'create_api_key',
  summary:
    'Creates an API key for a caller and shows it, this once. The first key closes Signalbox to callers without one.',
  effect: 'write',
  access: 'admin',
  http: { method: 'POST', path: '/api/keys' },
  input: z.strictObject({
    name: keyName,
    owner: z.string().min(1).max(200).optional().describe('The person or team that it is for.'),
    scopes: z
      .array(z.enum(scopes))
      .min(1)
      .default(['inference', 'read'])
      .describe('inference: models; read: usage, status and the like; admin: everything.'),
    expires_at: z.iso.datetime({ offset: true }).optional(),
    models: names.optional().describe('Models it may use, `*` for any characters. Default: all.'),
    providers: names.optional().describe('Providers it may use. Default: all.'),
    requests_per_minute: limit,
    tokens_per_minute: limit,
    concurrent_requests: limit,
    upstream_keys: z
      .record(
        z.string(),
        z.string().regex(/^[A-Z_][A-Z0-9_]*$/i, { error: 'must be the name of an environment variable' }),
      )
      .default({})
      .describe('By provider, the environment variable with the key to use there for this caller.'),
    budget: z
      .strictObject({ limit_usd: budgetLimit, period: z.enum(budgetPeriods).default('month') })
      .optional()
      .describe('A hard budget for this key, called `key:<name>`.'),
  }),
  output: IssuedKey,
  run: async ({ accounting: { apiKeys, budgets }, now }: ApiKeyContext, input) => {
    const expiresAt = input.expires_at === undefined ? null : Date.parse(input.expires_at)
    if (expiresAt !== null && expiresAt <= now()) {
      throw new GatewayError('invalid_request', 'expires_at must be in the future.', { param: 'expires_at' })
    }
    const { key, token } = await apiKeys.create({
      name: input.name,
      owner: input.owner ?? null,
      scopes: [...new Set(input.scopes)],
      models: input.models ?? null,
      providers: input.providers ?? null,
      requestsPerMinute: input.requests_per_minute ?? null,
      tokensPerMinute: input.tokens_per_minute ?? null,
      concurrentRequests: input.concurrent_requests ?? null,
      upstreamKeys: input.upstream_keys,
      expiresAt,
    })
    if (input.budget !== undefined) {
      const { limit_usd, period } = input.budget
      const limit = picosOf(limit_usd)
      await budgets.set({ name: `key:${key.name}`, scope: 'key', subject: key.name, limit, period, isHard: true })
    }
    return { key: apiKeyView(key, now()), token }
  },
})
