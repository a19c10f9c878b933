import type { Command } from 'commander'
import { coreSettings } from '../config/core-settings.ts'
import { renderEnvExample } from '../config/setting.ts'
import { providerKinds } from '../providers/index.ts'

export function define(command: Command): void {
  command
    .description('Print every setting with its default and what it does, in the format of .env.')
    .addHelpText('after', '\nExample:\n  signalbox settings > .env.example')
    .action(() => {
      const groups = [
        { title: 'Signalbox', settings: coreSettings },
        ...providerKinds.map(({ label, settings }) => ({ title: label, settings })),
      ]
      process.stdout.write(renderEnvExample(groups))
    })
}
