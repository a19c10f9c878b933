import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pino from 'pino'
import { readEnvironment, readSettingsFile, type Config } from '../../src/config/config.ts'
import { coreSettings } from '../../src/config/core-settings.ts'
import { readSettings } from '../../src/config/setting.ts'
import { inProcessClient } from '../../src/operations/client.ts'
import { operations } from '../../src/operations/index.ts'
import { findEndpoints } from '../../src/providers/index.ts'
import { seededRandom } from '../../src/router/chance.ts'
import { start } from '../../src/start.ts'
import type { Teardown } from './start-gateway.ts'

/** The variables that disable discovery and pick a free port. */
export const aloneVariables: Readonly<Record<string, string>> = {
  PORT: '0',
  OLLAMA_ENDPOINT: 'off',
  LM_STUDIO_ENDPOINT: 'off',
  LLAMA_CPP_ENDPOINT: 'off',
  EXPLORATION_SHARE: '0',
}

/** A Signalbox that applies changes to the settings files of its root while it runs. */
export async function startFromFiles(t: Teardown, environment: Readonly<Record<string, string>>) {
  const root = mkdtempSync(path.join(tmpdir(), 'signalbox-test-'))
  const readConfig = (): Config => {
    const merged = readEnvironment(root, { ...aloneVariables, ...environment })
    const endpoints = findEndpoints(merged, readSettingsFile(root, merged))
    return { root, values: readSettings(coreSettings, merged), endpoints, environment: merged }
  }
  const lines: string[] = []
  let lineCame = () => {}
  const log = pino({ level: 'warn' }, { write: line => lines.push(line) && lineCame() })
  const running = await start(readConfig(), '0.0.0-test', { readConfig, log, random: seededRandom(1) })
  t.teardown(async () => {
    await running.close(0)
    rmSync(root, { recursive: true, force: true })
  })
  return {
    ...running,
    root,
    client: inProcessClient(operations, running.core),
    write: (file: '.env' | 'signalbox.json', text: string) => {
      writeFileSync(path.join(root, file), text)
    },
    /** The first matching log line, parsed, already written or yet to come. */
    logged: async (pattern: RegExp): Promise<Record<string, unknown>> => {
      for (;;) {
        const line = lines.find(each => pattern.test(each))
        if (line !== undefined) return JSON.parse(line) as Record<string, unknown>
        await new Promise<void>(resolve => {
          lineCame = resolve
        })
      }
    },
  }
}
