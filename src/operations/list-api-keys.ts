import { z } from 'zod'
import { ApiKeyView, apiKeyView, type ApiKeyContext } from './api-key-view.ts'
import { operation } from './operation.ts'
import { pageInput, pageOf } from './task-input.ts'

export const listApiKeys = operation({
  name: 'list_api_keys',
  summary:
    'The API keys that were created here, the oldest first, with what each may do. Tokens are never shown again.',
  effect: 'read',
  access: 'admin',
  http: { method: 'GET', path: '/api/keys' },
  input: z.strictObject({ ...pageInput }),
  output: z.object({ keys: z.array(ApiKeyView), total: z.int(), page: z.int(), page_size: z.int() }),
  run: ({ accounting: { apiKeys }, now }: ApiKeyContext, { page, page_size }) => {
    const all = apiKeys.list()
    const { limit, offset } = pageOf({ page, page_size })
    const shown = all.slice(offset, offset + limit)
    return { keys: shown.map(key => apiKeyView(key, now())), total: all.length, page, page_size }
  },
})
