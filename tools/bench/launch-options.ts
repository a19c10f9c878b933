import { readFileSync } from 'node:fs'
import path from 'node:path'

/** What the first line of `bin/signalbox.js` sets, for benches that start parts of Signalbox themselves. */
export function readLaunchOptions(): { flags: string[]; env: Record<string, string> } {
  const file = path.resolve(import.meta.dirname, '../../bin/signalbox.js')
  const [line = ''] = readFileSync(file, 'utf8').split('\n', 1)
  const words = line.split(' ')
  const settings = words.filter(word => /^[A-Z_]+=/.test(word)).map(word => word.split('=') as [string, string])
  return { flags: words.filter(word => word.startsWith('--')), env: Object.fromEntries(settings) }
}
