import { createInterface } from 'node:readline/promises'
import { describeWalls, isSecondWallWhole, type Walls } from '../../bench/sandbox/walls.ts'
import { GatewayError } from '../../errors.ts'

export interface TrustOptions {
  /** Remote models: their code is not under the operator's control. */
  foreign: readonly string[]
  /** `--trust-model-code` was given. */
  trusted: boolean
  walls: Walls
  /** Asks the user at the terminal; undefined if there is none. */
  ask: ((question: string) => Promise<string>) | undefined
}

/**
 * Requires the user's consent to run code of remote models with no isolation beyond WebAssembly and Node's permissions.
 * Throws `invalid_request` without it.
 */
export async function confirmModelCode({ foreign, trusted, walls, ask }: TrustOptions): Promise<void> {
  if (foreign.length === 0 || trusted || isSecondWallWhole(walls)) return
  const situation = `This system cannot isolate the code that ${foreign.join(', ')} will write from the network; it would run behind: ${describeWalls(walls)}.`
  if (ask === undefined)
    throw new GatewayError('invalid_request', `${situation} To run it anyway, add --trust-model-code.`)
  const answer = await ask(`${situation}\nRun it anyway? [y/N] `)
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new GatewayError('invalid_request', 'stopped: running code of remote models was not confirmed')
}

/** Asks on standard error, if standard input and error are terminals. */
export function terminalQuestion(): TrustOptions['ask'] {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  return async question => {
    const terminal = createInterface({ input: process.stdin, output: process.stderr })
    try {
      return await terminal.question(question)
    } finally {
      terminal.close()
    }
  }
}
