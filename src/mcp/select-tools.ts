import { ConfigError } from '../config/setting.ts'
import type { Operation } from '../operations/operation.ts'

/**
 * The operations listed as tools: `all`, `core`, or names separated by commas. Throws `ConfigError` naming what is not
 * an operation.
 */
export function selectTools<Context>(
  selection: string,
  operations: readonly Operation<Context>[],
): readonly Operation<Context>[] {
  if (selection === 'all') return operations
  if (selection === 'core') return operations.filter(({ core }) => core === true)
  const names = selection.split(',').map(name => name.trim())
  const unknown = names.find(name => operations.every(operation => operation.name !== name))
  if (unknown !== undefined) throw new ConfigError(`SIGNALBOX_TOOLS: there is no tool named ${unknown || '""'}`)
  return operations.filter(({ name }) => names.includes(name))
}
