import { readFileSync } from 'node:fs'
import path from 'node:path'

const packageRoot = path.resolve(import.meta.dirname, '../..')

/** The folder of `.env`, `signalbox.json` and the data. */
export function rootOf(variables: Readonly<Record<string, string | undefined>>): string {
  return path.resolve(variables['SIGNALBOX_ROOT'] ?? packageRoot)
}

export function version(): string {
  const text = readFileSync(path.join(packageRoot, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
