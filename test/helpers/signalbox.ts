import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Teardown } from './start-gateway.ts'

const program = path.resolve(import.meta.dirname, '../../bin/signalbox.js')

/** Settings under which no server is looked for. */
export const nowhere = { OLLAMA_ENDPOINT: 'off', LM_STUDIO_ENDPOINT: 'off', LLAMA_CPP_ENDPOINT: 'off' }

/** A folder for `.env`, `signalbox.json` and the data, removed when the test ends. */
export function temporaryRoot(t: Teardown, files: Record<string, string> = {}): string {
  const root = mkdtempSync(path.join(tmpdir(), 'signalbox-cli-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(root, name), text)
  t.teardown(async () => rmSync(root, { recursive: true, force: true }))
  return root
}

/** Runs the program as a user does, with nothing of this process's environment but PATH. */
export function signalbox(root: string, args: readonly string[], variables: Record<string, string> = {}) {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env['PATH'], SIGNALBOX_ROOT: root, ...variables },
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', text => (output.stdout += String(text)))
  child.stderr.on('data', text => (output.stderr += String(text)))
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    ...output,
  }))
  /** Resolves when `text` was printed on stdout or stderr. */
  const printed = async (text: string) => {
    while (!output.stdout.includes(text) && !output.stderr.includes(text)) {
      await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data')])
    }
  }
  return { child, output, ended, printed }
}
