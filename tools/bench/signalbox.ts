import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { coreSettings } from '../../src/config/core-settings.ts'
import { readSettings } from '../../src/config/setting.ts'
import { findEndpoints } from '../../src/providers/index.ts'
import { start } from '../../src/start.ts'
import type { Vitals } from './processes.ts'

/**
 * A child process: Signalbox as users run it, with routing, counting and the ledger, and enough slots for the load. Its
 * arguments are settings, `NAME=VALUE`.
 */
const environment = {
  PORT: '0',
  LOG_LEVEL: 'silent',
  OLLAMA_ENDPOINT: 'off',
  LM_STUDIO_ENDPOINT: 'off',
  LLAMA_CPP_ENDPOINT: 'off',
  PROVIDER_MAX_CONCURRENT_LOCAL: '1000',
  ...Object.fromEntries(process.argv.slice(2).map(setting => setting.split(/=(.*)/s, 2) as [string, string])),
}
const root = mkdtempSync(path.join(tmpdir(), 'signalbox-bench-'))
const values = readSettings(coreSettings, environment)
const endpoints = findEndpoints(environment)
const running = await start({ root, values, endpoints, environment }, 'bench')
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
process.on('message', () => {
  const busySlots = endpoints.reduce((sum, { name }) => {
    const slots = running.core.slotsOf(name)
    return sum + slots.busy() + slots.waiting()
  }, 0)
  const vitals: Vitals = {
    rssBytes: process.memoryUsage.rss(),
    loopDelayMs: { p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 },
    sockets: process.getActiveResourcesInfo().filter(name => name === 'TCPSocketWrap').length,
    busySlots,
  }
  delay.reset()
  process.send?.(vitals)
})
// `exit` writes the compile cache for the next start.
process.on('disconnect', () => {
  rmSync(root, { recursive: true, force: true })
  process.exit()
})
process.send?.({ port: Number(new URL(running.url).port) })
