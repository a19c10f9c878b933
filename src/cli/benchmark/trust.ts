import { createInterface } from 'node:readline/promises'
import { describeWalls, isSecondWallWhole, type Walls } from '../../bench/sandbox/walls.ts'
import { GatewayError } from '../../errors.ts'

export interface TrustOptions {
  /** Models of others: nobody here decides what code they write. */
  foreign: readonly string[]
  /** `--trust-model-code` was given. */
  trusted: boolean
  walls: Walls
  /** Puts a question to the person at the terminal; undefined where nobody can be asked. */
  ask: ((question: string) => Promise<string>) | undefined
}

/**
 * Code of other people's models is not run behind WebAssembly and Node's permissions alone unless somebody says yes.
 * Throws `invalid_request` where nobody did.
 */
export async function confirmModelCode({ foreign, trusted, walls, ask }: TrustOptions): Promise<void> {
  if (foreign.length === 0 || trusted || isSecondWallWhole(walls)) return
  const situation = `This system offers no wall around the network for the code that ${foreign.join(', ')} will write; it would run behind: ${describeWalls(walls)}.`
  if (ask === undefined)
    throw new GatewayError('invalid_request', `${situation} To run it all the same, add --trust-model-code.`)
  const answer = await ask(`${situation}\nRun it all the same? [y/N] `)
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new GatewayError('invalid_request', 'no code of other people’s models is run without a yes')
}

/** A question on standard error, where a person sits at both ends. */
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
