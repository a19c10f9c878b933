import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** The longest time for which an event loop was held since the last question. */
export interface Lag {
  elapsedMs: number
  /** Of it, what its own thread computed. */
  cpuMs: number
}

/** A Signalbox in its own process, as users run it. */
export interface ServedProcess {
  url: string
  dataDir: string
  /** The worst lag since the last call. */
  lag: () => Promise<Lag>
  close: () => Promise<void>
}

const root = path.resolve(import.meta.dirname, '../..')

export async function serveInProcess(variables: Record<string, string>): Promise<ServedProcess> {
  const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-fuzz-'))
  const monitor = path.join(import.meta.dirname, 'loop-monitor.ts')
  const child = fork(path.join(root, 'bin/signalbox.js'), ['serve'], {
    execArgv: ['--max-semi-space-size=8', `--import=${monitor}`],
    silent: true,
    env: {
      PATH: process.env['PATH'],
      SIGNALBOX_ROOT: folder,
      PORT: '0',
      OLLAMA_ENDPOINT: 'off',
      LM_STUDIO_ENDPOINT: 'off',
      LLAMA_CPP_ENDPOINT: 'off',
      EXPLORATION_SHARE: '0',
      ...variables,
    },
  })
  const exited = once(child, 'exit')
  let told = ''
  const collect = (bytes: unknown) => (told += String(bytes))
  child.stderr?.on('data', collect)
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', bytes => {
      collect(bytes)
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(told)
      if (found !== null) resolve(found[0])
    })
    void exited.then(() => reject(new Error(`signalbox serve ended: ${told}`)))
  })
  return {
    url,
    dataDir: path.join(folder, 'data'),
    async lag() {
      const answer = once(child, 'message')
      child.send('lag')
      return ((await answer) as [Lag])[0]
    },
    async close() {
      child.kill('SIGINT')
      child.kill('SIGINT')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
