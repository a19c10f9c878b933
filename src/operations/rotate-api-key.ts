import { z } from 'zod'
import { apiKeyView, IssuedKey, keyName, type ApiKeyContext } from './api-key-view.ts'
import { operation } from './operation.ts'

const maxGraceSeconds = 30 * 86_400

export const rotateApiKey = operation({
  name: 'rotate_api_key',
  summary: 'Replaces the token of an API key and shows the new one, this once. All else of the key stays as it is.',
  effect: 'destroy',
  access: 'admin',
  http: { method: 'POST', path: '/api/keys/:name/rotate' },
  input: z.strictObject({
    name: keyName,
    grace_seconds: z
      .int()
      .min(0)
      .max(maxGraceSeconds)
      .default(0)
      .describe('How long the previous token goes on working, so that its users can be changed over.'),
  }),
  output: IssuedKey,
  run: async ({ accounting: { apiKeys }, now }: ApiKeyContext, { name, grace_seconds }) => {
    const { key, token } = await apiKeys.rotate(name, grace_seconds * 1000)
    return { key: apiKeyView(key, now()), token }
  },
})
