import { Command } from 'commander'
import { commands, defaultCommand } from './commands.ts'
import { version } from './root.ts'

/** The command line with the named commands loaded; of the others only the names and summaries are known. */
export async function createProgram(loaded: readonly string[]): Promise<Command> {
  const program = new Command('signalbox')
    .description('A local-first LLM router: one base URL that picks a model for each request.')
    .usage('[command] [options]')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help; after a command, its own')
    .helpCommand(false)
    .exitOverride()
    // `run` prints what went wrong, on one line.
    .configureOutput({ outputError: () => undefined })
    .addHelpText(
      'after',
      `
Example:
  signalbox serve --port 3002

Settings come from the environment, from .env and from signalbox.json; signalbox settings lists them.`,
    )
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const command = program
      .command(name)
      .summary(summary)
      .usage('[options]')
      .helpOption('-h, --help', 'print this help')
      .allowExcessArguments(false)
    if (loaded.includes(name)) (await load()).define(command)
  }
  return program
}

/** Fills in the default command, `serve`, and turns `help x` into `x --help`. */
export function normalizeArguments(args: readonly string[]): string[] {
  const [first, ...rest] = args
  if (first === 'help') return [...rest, '--help']
  const isGlobal = first !== undefined && ['-h', '--help', '-V', '--version'].includes(first)
  return first === undefined || (first.startsWith('-') && !isGlobal) ? [defaultCommand, ...args] : [...args]
}
