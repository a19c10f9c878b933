import { bridgeTries } from './bridges.ts'
import { fileTries } from './files.ts'
import { hostTries } from './host.ts'
import { nextProgramTries } from './next-program.ts'
import { outcomeTries } from './outcomes.ts'
import { resourceTries } from './resources.ts'
import type { Try } from './try.ts'

/** Everything that is tried, by what it is after. */
export const redTeam = {
  'bridges to the host': bridgeTries,
  files: fileTries,
  'network, processes and environment': hostTries,
  outcomes: outcomeTries,
  'the next program': nextProgramTries,
  'time and memory': resourceTries,
} as const satisfies Readonly<Record<string, readonly Try[]>>

export type Aim = keyof typeof redTeam
