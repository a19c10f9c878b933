import { z } from 'zod'
import type { Core } from '../core.ts'
import { operation } from './operation.ts'
import { updateCheckout, updateCommands } from './self-update.ts'

export const updateServer = operation({
  name: 'update_server',
  summary: 'Updates Signalbox if its operator allows it, else returns the commands to run. Restart it afterwards.',
  effect: 'destroy',
  access: 'admin',
  openWorld: true,
  input: z.strictObject({}),
  output: z.object({
    updated: z.boolean(),
    from: z.string().nullable(),
    to: z.string().nullable(),
    commands: z.array(z.string()).describe('What remains to be done by hand.'),
    message: z.string(),
  }),
  run: async ({ config, installation }: Core, _input, { signal }) => {
    if (!config().values.ALLOW_SELF_UPDATE) {
      const message = `Its operator does not allow updates from here (ALLOW_SELF_UPDATE). Run the commands in ${installation}.`
      return { updated: false, from: null, to: null, commands: updateCommands, message }
    }
    const { from, to } = await updateCheckout(installation, signal)
    const message = from === to ? 'This is the newest version.' : 'Restart Signalbox to run the new version.'
    return { updated: from !== to, from, to, commands: [], message }
  },
})
