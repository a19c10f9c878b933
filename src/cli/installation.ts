import { readEnvironment, readSettingsFile, type Config } from '../config/config.ts'
import { coreSettings } from '../config/core-settings.ts'
import { readSettings } from '../config/setting.ts'
import { findEndpoints } from '../providers/index.ts'
import { rootOf } from './root.ts'

/** Reads the current settings of this installation. Throws `ConfigError`. */
export function readConfig(variables: Readonly<Record<string, string | undefined>>): Config {
  const root = rootOf(variables)
  const environment = readEnvironment(root, variables)
  return {
    root,
    environment,
    values: readSettings(coreSettings, environment),
    endpoints: findEndpoints(environment, readSettingsFile(root, environment)),
  }
}
