import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { coreSettings, readSettings } from '../../../src/config.ts'
import { findEndpoints } from '../../../src/providers/index.ts'
import { start } from '../../../src/start.ts'

/** A child process: Signalbox as users run it, with routing, counting and the ledger, and enough slots for the load. */
const environment = {
  PORT: '0',
  LOG_LEVEL: 'silent',
  OLLAMA_ENDPOINT: 'off',
  LM_STUDIO_ENDPOINT: 'off',
  LLAMA_CPP_ENDPOINT: 'off',
  OPENAI_COMPATIBLE_ENDPOINT: process.argv[2] ?? '',
  PROVIDER_MAX_CONCURRENT_LOCAL: '1000',
}
const root = mkdtempSync(path.join(tmpdir(), 'signalbox-bench-'))
const values = readSettings(coreSettings, environment)
const running = await start({ root, values, endpoints: findEndpoints(environment) }, 'bench')
process.on('message', () => process.send?.({ rssBytes: process.memoryUsage.rss() }))
// `exit` writes the compile cache for the next start.
process.on('disconnect', () => process.exit())
process.send?.({ port: Number(new URL(running.url).port) })
