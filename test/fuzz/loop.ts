import type { LoopCase } from './loop-cases.ts'
import type { Lag, ServedProcess } from './served.ts'

export interface LoopResult extends Lag {
  name: string
}

const runs = 2

/** Runs each case once to compile code and fill caches, and then measures how long it holds the event loop of `served`. */
export async function measureLoop(
  served: ServedProcess,
  cases: readonly LoopCase[],
  report: (result: LoopResult) => void,
): Promise<void> {
  for (const { name, run } of cases) {
    await run()
    const lags: Lag[] = []
    for (let index = 0; index < runs; index++) {
      await served.lag()
      await run()
      lags.push(await served.lag())
    }
    // A collection of garbage that happens to fall into one run is not the case's doing.
    const [lag] = lags.toSorted((a, b) => a.cpuMs - b.cpuMs)
    report({ name, ...lag! })
  }
}
