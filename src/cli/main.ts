import { CommanderError } from 'commander'
import { createProgram, normalizeArguments } from './program.ts'

/** The command line. Exit codes: 0 success, 1 failure, 2 invalid argument or setting. */
export async function run(): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader of our output closed it, as `| head` does.
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  try {
    const args = normalizeArguments(process.argv.slice(2))
    const program = await createProgram(args.slice(0, 1))
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    // Help and the version arrive here too.
    if (error instanceof CommanderError && error.exitCode === 0) return
    const { explain, exitCodeOf } = await import('./failure.ts')
    process.stderr.write(`signalbox: ${explain(error)}\n`)
    process.exitCode = exitCodeOf(error)
  }
}
