import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { GatewayError } from '../errors.ts'

const execute = promisify(execFile)
const lookTimeoutMs = 15_000
const buildTimeoutMs = 15 * 60_000

/** The commands for updating by hand. */
export const updateCommands = ['git pull --ff-only', 'npm ci', 'npm run build']

export interface UpdateCheck {
  /** False when the check failed; `why` then says why. */
  checked: boolean
  current: string | null
  latest: string | null
  update_available: boolean | null
  why: string | null
}

/** Compares the checkout at `root` with its upstream. Never throws for lack of a network. */
export async function checkForUpdate(root: string, signal: AbortSignal): Promise<UpdateCheck> {
  const unknown = { checked: false, current: null, latest: null, update_available: null }
  if (!existsSync(path.join(root, '.git'))) {
    return { ...unknown, why: 'This is not a git checkout; update it the way it was installed.' }
  }
  let current: string | null = null
  try {
    current = await git(root, signal, 'rev-parse', 'HEAD')
    const [latest = ''] = (await git(root, signal, 'ls-remote', 'origin', 'HEAD')).split(/\s/)
    if (latest === '') return { ...unknown, current, why: 'The upstream branch has no version to compare with.' }
    return { checked: true, current, latest, update_available: latest !== current, why: null }
  } catch (error) {
    signal.throwIfAborted()
    return { ...unknown, current, why: `The update check failed: ${lastLine(error)}` }
  }
}

/**
 * Updates the checkout at `root` by fast-forward, installs and builds it. Throws `conflict` for a checkout with local
 * changes or a diverged history; when a later step fails, the previous version is restored and the reason thrown.
 */
export async function updateCheckout(root: string, signal: AbortSignal): Promise<{ from: string; to: string }> {
  if (!existsSync(path.join(root, '.git'))) {
    throw new GatewayError('unsupported', 'This is not a git checkout; update it the way it was installed.')
  }
  const changes = await git(root, signal, 'status', '--porcelain', '--untracked-files=no')
  if (changes !== '')
    throw new GatewayError('conflict', `The checkout has local changes: ${changes.split('\n').join(', ')}.`)
  const from = await git(root, signal, 'rev-parse', 'HEAD')
  try {
    await git(root, signal, 'fetch', 'origin')
    await git(root, signal, 'merge', '--ff-only', '@{upstream}')
  } catch (error) {
    signal.throwIfAborted()
    throw new GatewayError('conflict', `No fast-forward is possible: ${lastLine(error)}`, { cause: error })
  }
  const to = await git(root, signal, 'rev-parse', 'HEAD')
  try {
    if (to !== from) await build(root, signal)
    return { from, to }
  } catch (error) {
    // Restoring is not cancelled with the caller, or a half-built version would stay.
    const untilDone = new AbortController().signal
    await git(root, untilDone, 'reset', '--hard', from)
    await build(root, untilDone)
    throw new GatewayError(
      'internal',
      `Version ${from} was restored, because building ${to} failed: ${lastLine(error)}`,
      {
        cause: error,
      },
    )
  }
}

async function build(root: string, signal: AbortSignal): Promise<void> {
  const options = { cwd: root, signal, timeout: buildTimeoutMs, maxBuffer: 16 * 1024 * 1024 }
  await execute('npm', ['ci'], options)
  await execute('npm', ['run', 'build'], options)
}

async function git(root: string, signal: AbortSignal, ...args: string[]): Promise<string> {
  // Without a terminal a password prompt would block git forever.
  const env = { ...process.env, GIT_TERMINAL_PROMPT: '0' }
  const { stdout } = await execute('git', args, { cwd: root, signal, timeout: lookTimeoutMs, env })
  return stdout.trim()
}

function lastLine(error: unknown): string {
  const { stderr = '', message } = error as { stderr?: string; message: string }
  return stderr.trim().split('\n').at(-1) || message.split('\n')[0] || 'it failed without an error message'
}
