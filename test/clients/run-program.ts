import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

export interface Ran {
  code: number | null
  /** The end of what it wrote. */
  output: string
  timedOut: boolean
}

export interface Place {
  cwd: string
  home: string
  environment: Record<string, string>
  timeoutMs: number
  /** Interrupts the program, as Ctrl-C does. */
  signal?: AbortSignal
}

const maxOutputChars = 100_000
const interruptGraceMs = 3_000

/** Separate work and home folders for a client, so that no user data is read or written. */
export function scratchFolder(): { work: string; home: string; remove: () => void } {
  const root = mkdtempSync(path.join(tmpdir(), 'signalbox-client-'))
  const [work, home] = [mkdtempSync(path.join(root, 'work-')), mkdtempSync(path.join(root, 'home-'))]
  writeFileSync(path.join(work, 'note.txt'), 'A note.\n')
  return { work, home, remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }) }
}

/** Writes files below a folder. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
}

/** Runs a program to its end, at most `timeoutMs`; then its whole process group is killed. */
export async function runProgram(file: string, args: readonly string[], place: Place): Promise<Ran> {
  const { cwd, home, environment, timeoutMs, signal } = place
  const nodeFolder = path.dirname(process.execPath)
  const child = spawn(file, args, {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: `${nodeFolder}:${process.env['PATH'] ?? ''}`, HOME: home, NO_COLOR: '1', CI: '1', ...environment },
  })
  let output = ''
  const gather = (bytes: Buffer) => (output = (output + bytes.toString()).slice(-maxOutputChars))
  child.stdout.on('data', gather)
  child.stderr.on('data', gather)
  let timedOut = false
  const send = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name)
    } catch {
      // The group has ended.
    }
  }
  const timer = setTimeout(() => {
    timedOut = true
    send('SIGKILL')
  }, timeoutMs)
  signal?.addEventListener('abort', () => {
    send('SIGINT')
    setTimeout(() => send('SIGKILL'), interruptGraceMs).unref()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  // What it left in the background goes with it.
  send('SIGKILL')
  return { code, output, timedOut }
}

const shownChars = 400

/** What went wrong with a run, with the end of what it wrote. */
export function failure(what: string, { code, output, timedOut }: Ran): { problem: string } {
  const how = timedOut ? 'it was killed after its time' : `exit code ${String(code)}`
  const said = output.trim().slice(-shownChars).replaceAll(/\s+/g, ' ')
  return { problem: `${what} (${how}); it said: ${said}` }
}
