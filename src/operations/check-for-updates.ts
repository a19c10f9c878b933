import { z } from 'zod'
import type { Core } from '../core.ts'
import { operation } from './operation.ts'
import { checkForUpdate } from './self-update.ts'

export const checkForUpdates = operation({
  name: 'check_for_updates',
  summary: 'Checks whether a newer version exists, and reports if the check failed.',
  effect: 'read',
  openWorld: true,
  input: z.strictObject({}),
  output: z.object({
    version: z.string(),
    checked: z.boolean(),
    current: z.string().nullable(),
    latest: z.string().nullable(),
    update_available: z.boolean().nullable(),
    why: z.string().nullable(),
  }),
  run: async ({ version, installation }: Core, _input, { signal }) => ({
    version,
    ...(await checkForUpdate(installation, signal)),
  }),
})
