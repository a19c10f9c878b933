import { CommanderError } from 'commander'
import { ConfigError } from '../config/setting.ts'
import { GatewayError } from '../errors.ts'

/** What went wrong and what to do, on one line. */
export function explain(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return `${message}; is another Signalbox running? Set PORT to use another port.`
  if (error instanceof CommanderError && error.code === 'commander.help') return 'say which of its commands to run.'
  if (error instanceof CommanderError) return explainUsage(message)
  return message.split('\n')[0]!
}

/** 2 for an invalid argument or setting, 1 for everything else. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError || error instanceof ConfigError) return 2
  return error instanceof GatewayError && error.code === 'invalid_request' ? 2 : 1
}

/** Commander writes `error: …` and puts the nearest name on a second line. */
function explainUsage(message: string): string {
  const [what, ...hints] = message.replace(/^error: /, '').split('\n')
  return [what, ...hints, ...(hints.length === 0 ? ['(see --help)'] : [])].join(' ')
}
