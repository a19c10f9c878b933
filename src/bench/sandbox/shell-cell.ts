import { serve } from './cell.ts'
import { runCommandLine } from './shell/shell.ts'
import type { CommandLine, Run } from './sandbox.ts'

/** A command line cannot be interrupted from inside (regular expressions least of all): its process is killed when it runs on. */
serve((line: CommandLine & { timeLimitMs: number }): Run => {
  try {
    return { outcomes: [{ value: runCommandLine(line.source, line.files) }] }
  } catch (thrown) {
    return { outcomes: [], failure: thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown) }
  }
})
