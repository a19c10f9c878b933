import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { variablesFor, type Teardown } from '../helpers/start-gateway.ts'
import { loopCases } from './loop-cases.ts'
import { serveInProcess } from './served.ts'

export interface LoopResult {
  name: string
  /** What the event loop's thread computed without a pause, at most. */
  cpuMs: number
  /** The same by the clock, which on a busy machine counts other programs too. */
  elapsedMs: number
  durationMs: number
}

const runs = 2

/** Runs the cases whose name contains `only`, and measures each after a first run that compiles and fills caches. */
export async function measureLoop(t: Teardown, only: string, report: (result: LoopResult) => void): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-fuzz-code-'))
  t.teardown(async () => rmSync(folder, { recursive: true, force: true }))
  const upstream = await scriptedUpstream(t, 'openai-compatible', { models: ['scripted'] })
  const served = await serveInProcess({
    ...variablesFor(upstream),
    CODE_SEARCH_ROOTS: folder,
    PROVIDER_HEALTH_PROBE_INTERVAL_MS: '3600000',
  })
  t.teardown(served.close)
  for (const { name, run } of loopCases({ url: served.url, upstream, folder })) {
    if (!name.includes(only)) continue
    await run()
    const results: Omit<LoopResult, 'name'>[] = []
    for (let at = 0; at < runs; at++) {
      await served.lag()
      const started = performance.now()
      await run()
      const durationMs = performance.now() - started
      results.push({ ...(await served.lag()), durationMs })
    }
    // A collection of garbage that happens to fall into one run is not the case's doing.
    const [result] = results.toSorted((a, b) => a.cpuMs - b.cpuMs)
    report({ name, ...result! })
  }
}
