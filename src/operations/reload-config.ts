import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { Config } from '../config/config.ts'
import { coreSettings } from '../config/core-settings.ts'
import { ConfigError, type Setting } from '../config/setting.ts'
import type { Core } from '../core.ts'
import { GatewayError } from '../errors.ts'
import { operation } from './operation.ts'

export const reloadConfig = operation({
  name: 'reload_config',
  summary: 'Reloads .env and signalbox.json and applies all changes, or none and reports why.',
  effect: 'write',
  access: 'admin',
  input: z.strictObject({}),
  output: z.object({ changed: z.array(z.string()) }),
  run: async (core: Core) => {
    const next = await refusing(() => core.readConfig())
    const changed = [...differences(core.config(), next), ...changedUpstreamKeys(core, next)]
    const fixed = changed.filter(takesRestart)
    if (fixed.length > 0) {
      throw new GatewayError(
        'conflict',
        `Nothing was changed: ${fixed.join(', ')} can only change at a restart. Restart Signalbox or revert the change.`,
      )
    }
    if (changed.length > 0) await refusing(() => core.reconfigure(next))
    return { changed }
  },
})

/** A configuration error is reported to the caller in full, because its operator must fix it. */
async function refusing<Result>(step: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await step()
  } catch (error) {
    if (error instanceof ConfigError) {
      throw new GatewayError('invalid_request', `Nothing was changed. ${error.message}`, { cause: error })
    }
    throw error
  }
}

/** Names of the settings that differ. */
function differences(before: Config, after: Config): string[] {
  const names = Object.keys(coreSettings) as (keyof Config['values'])[]
  const changed: string[] = names.filter(name => !isDeepStrictEqual(before.values[name], after.values[name]))
  return isDeepStrictEqual(before.endpoints, after.endpoints) ? changed : [...changed, 'providers']
}

/** Variables with callers' own keys at providers whose values differ. */
function changedUpstreamKeys({ config, accounting }: Core, { environment }: Config): string[] {
  const variables = new Set(accounting.apiKeys.list().flatMap(({ upstreamKeys }) => Object.values(upstreamKeys)))
  return [...variables].filter(name => config().environment[name] !== environment[name])
}

function takesRestart(name: string): boolean {
  return (coreSettings as Readonly<Record<string, Setting>>)[name]?.atStart === true
}
