import { z } from 'zod'
import { ApiKeyView, apiKeyView, keyName, type ApiKeyContext } from './api-key-view.ts'
import { operation } from './operation.ts'

export const revokeApiKey = operation({
  name: 'revoke_api_key',
  summary: 'Revokes an API key at once and for ever. What its requests created stays.',
  effect: 'destroy',
  access: 'admin',
  http: { method: 'DELETE', path: '/api/keys/:name' },
  input: z.strictObject({ name: keyName }),
  output: z.object({ key: ApiKeyView }),
  run: async ({ accounting: { apiKeys }, now }: ApiKeyContext, { name }) => ({
    key: apiKeyView(await apiKeys.revoke(name), now()),
  }),
})
