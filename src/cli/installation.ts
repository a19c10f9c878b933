import { readFileSync } from 'node:fs'
import path from 'node:path'
import { coreSettings, readEnvironment, readSettings, readSettingsFile, type Config } from '../config.ts'
import { findEndpoints } from '../providers/index.ts'

const packageRoot = path.resolve(import.meta.dirname, '../..')

/** Reads the current settings of this installation. Throws `ConfigError`. */
export function readConfig(variables: Readonly<Record<string, string | undefined>>): Config {
  const root = path.resolve(variables['SIGNALBOX_ROOT'] ?? packageRoot)
  const environment = readEnvironment(root, variables)
  return {
    root,
    values: readSettings(coreSettings, environment),
    endpoints: findEndpoints(environment, readSettingsFile(root, environment)),
  }
}

export function version(): string {
  const text = readFileSync(path.join(packageRoot, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
