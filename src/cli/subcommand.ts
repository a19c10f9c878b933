import type { Command } from 'commander'

/** The options of every subcommand that works on the ledger. */
export interface CommonOptions {
  json?: boolean
  dataDir?: string
}

/** Returns a function that adds a subcommand of `signalbox <name>`: its name, what it does and an example of its arguments. */
export function subcommandOf(
  parent: Command,
  name: string,
): (subcommand: string, summary: string, example: string) => Command {
  return (subcommand, summary, example) =>
    parent
      .command(subcommand)
      .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}.`)
      .summary(summary)
      .helpOption('-h, --help', 'print this help')
      .allowExcessArguments(false)
      .option('--json', 'print JSON')
      .option('--data-dir <folder>', 'folder of the ledger (DATA_DIR)')
      .addHelpText('after', `\nExample:\n  signalbox ${name} ${example}`)
}
