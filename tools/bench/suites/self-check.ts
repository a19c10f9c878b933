import type { Sandbox } from '../../../src/bench/sandbox/sandbox.ts'
import type { Suite } from '../../../src/bench/suites/suite.ts'

export interface SelfCheck {
  tasks: number
  /** Tasks whose reference answer fails, with the reason: the check or the reference is broken. */
  referenceFailures: string[]
  /** Tasks whose wrong answer passes: the check is too weak. */
  wrongPasses: string[]
}

/** Runs every task's check on a right and a wrong answer. Suites run in parallel: each language has its own cage. */
export async function selfCheck(suites: readonly Suite[], sandbox: Sandbox, signal?: AbortSignal): Promise<SelfCheck> {
  const result: SelfCheck = { tasks: 0, referenceFailures: [], wrongPasses: [] }
  const checkSuite = async ({ tasks }: Suite) => {
    for (const task of tasks) {
      result.tasks++
      const reference = await task.check(task.reference, sandbox, signal)
      if (!reference.passed) result.referenceFailures.push(`${task.id}: ${reference.reason}`)
      if ((await task.check(task.wrong, sandbox, signal)).passed) result.wrongPasses.push(task.id)
    }
  }
  await Promise.all(suites.map(checkSuite))
  return result
}
