import { readFileSync } from 'node:fs'
import path from 'node:path'
import { createProgram } from '../../src/cli/program.ts'
import { commands } from '../../src/cli/commands.ts'

/** The commands that documents may show. */
export interface OwnCommands {
  /** The scripts of package.json. */
  scripts: Readonly<Record<string, string>>
  /** The options of each command of `signalbox`, those of its subcommands included, by name. */
  options: ReadonlyMap<string, ReadonlySet<string>>
}

/** The scripts of the package in `root`, and the commands of this program. */
export async function ownCommands(root: string): Promise<OwnCommands> {
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Pick<OwnCommands, 'scripts'>
  const program = await createProgram(Object.keys(commands))
  const options = program.commands.map(command => {
    const flags = [command, ...command.commands].flatMap(({ options }) =>
      options.flatMap(({ short, long }) => [short, long]),
    )
    return [command.name(), new Set([...flags, '-h', '--help'].filter(flag => flag !== undefined))] as const
  })
  return { scripts, options: new Map(options) }
}

/** Scripts, commands and options in shell text that do not exist. */
export function commandProblems(shell: string, own: OwnCommands): string[] {
  return callsOf(shell).flatMap(words => problemsOf(words, own))
}

function problemsOf([program, ...args]: readonly string[], own: OwnCommands): string[] {
  if (program === 'npm') return npmProblems(args, own)
  if (program !== 'signalbox') return []
  const [first, ...rest] = args
  if (first === undefined || ['--help', '--version', '-h', '-V', 'help'].includes(first)) return []
  const [command, flags] = first.startsWith('-') ? ['serve', args] : [first, rest]
  const known = own.options.get(command)
  if (known === undefined) return [`no such command: signalbox ${command}`]
  return flags
    .filter(word => word.startsWith('-'))
    .map(word => word.split('=')[0]!)
    .filter(flag => !known.has(flag))
    .map(flag => `signalbox ${command} has no option ${flag}`)
}

function npmProblems(args: readonly string[], own: OwnCommands): string[] {
  const name = args[0] === 'run' ? args[1] : args.find(word => word === 'test' || word === 'start')
  if (name === undefined || name.startsWith('-')) return []
  const script = own.scripts[name]
  if (script === undefined) return [`no such script: ${name}`]
  const [, called] = /^node bin\/signalbox\.js (.*)$/.exec(script) ?? []
  const index = args.indexOf('--')
  return called === undefined || index < 0
    ? []
    : problemsOf(['signalbox', ...called.split(' '), ...args.slice(index + 1)], own)
}

/** The simple commands in shell text, as words; sufficient for documentation. */
function callsOf(shell: string): string[][] {
  return shell
    .replaceAll('\\\n', ' ')
    .split(/\n|&&|\|\|?|;/)
    .map(call => call.replace(/(^|\s)#.*$/, '').trim())
    .map(call => call.replace(/^(\$ |[A-Z_]+=\S* )+/, '').replace(/^npx (-y )?/, ''))
    .map(call => call.match(/"[^"]*"|'[^']*'|\S+/g) ?? [])
    .filter(words => words.length > 0)
}
