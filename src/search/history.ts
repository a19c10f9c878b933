import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { privateMode } from '../private-files.ts'
import { toSlashes } from './walk.ts'

/** The fields of a commit used by the search. */
export interface Commit {
  subject: string
  /** Absolute, with forward slashes; names as of that commit. */
  paths: readonly string[]
}

/** The HEAD commit of a folder's repository, or undefined without a repository or git. */
export async function headOf(folder: string, signal: AbortSignal): Promise<string | undefined> {
  const run = git(folder, ['rev-parse', '--verify', 'HEAD'], 'pipe', signal)
  let output = ''
  run.child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  return (await run.ended) === 0 ? output.trim() : undefined
}

/**
 * Starts reading the newest commits that touched a folder; git writes to a file while the caller does other work.
 * Merges are left out, and so is rename detection, which would read every file of every commit.
 */
export function readHistory(folder: string, limit: number, scratch: string, signal: AbortSignal): Promise<Commit[]> {
  const descriptor = openSync(scratch, 'w', privateMode)
  const format = `--format=${commitMark}%s${subjectEnd}`
  const wanted = [
    'log',
    '--no-merges',
    '--no-renames',
    '--name-only',
    '--relative',
    '-z',
    `-n${limit}`,
    format,
    'HEAD',
    '--',
    '.',
  ]
  const run = git(folder, wanted, descriptor, signal)
  closeSync(descriptor)
  return run.ended.then(() => {
    // A repository with missing objects ends git early; the commits before that are valid.
    const commits = parseLog(readFileSync(scratch, 'utf8'), folder)
    rmSync(scratch, { force: true })
    return commits
  })
}

const commitMark = '\u0001'
const subjectEnd = '\u0002'

function parseLog(output: string, folder: string): Commit[] {
  return output
    .split(commitMark)
    .slice(1)
    .map(part => {
      const [subject = '', names = ''] = part.split(subjectEnd)
      const paths = names.split(/[\0\n]+/).filter(name => name !== '')
      return { subject, paths: paths.map(name => `${toSlashes(folder)}/${name}`) }
    })
}

/** A repository's own configuration may name programs to run; those that `log` would start are disabled. */
const harmless = ['-c', 'log.showSignature=false', '-c', 'core.fsmonitor=false', '-c', 'core.quotePath=false']

function git(folder: string, args: readonly string[], stdout: number | 'pipe', signal: AbortSignal) {
  const child = spawn('git', [...harmless, '-C', path.resolve(folder), ...args], {
    stdio: ['ignore', stdout, 'ignore'],
    signal,
    env: { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0', GIT_NO_LAZY_FETCH: '1' },
  })
  const ended = new Promise<number>(resolve => {
    child.once('error', () => resolve(-1))
    child.once('close', code => resolve(code ?? -1))
  })
  return { child, ended }
}
