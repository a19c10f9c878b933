import { serve } from './cell.ts'
import { runCommandLine } from './shell/shell.ts'
import type { CommandLine, Run } from './sandbox.ts'

/** A command line cannot be interrupted from inside (regular expressions least of all): the cage kills what runs on. */
serve((line: CommandLine): Run => {
  try {
    return { outcomes: [{ value: runCommandLine(line.source, line.files) }] }
  } catch (thrown) {
    return { outcomes: [], failure: thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown) }
  }
})
