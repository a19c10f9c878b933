import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const exec = promisify(execFile)
const installMs = 10 * 60_000
/** Versions tried when the newest cannot be installed, for instance because a part of it is not published yet. */
const maxTries = 3

export interface Installed {
  folder: string
  /** Of each package. */
  versions: Record<string, string>
  /** Why an older version than the newest was installed. */
  note?: string
}

/** Where clients are kept between runs. */
export function clientsFolder(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache')
  return process.env['CLIENTS_DIR'] ?? path.join(cache, 'signalbox-clients')
}

/**
 * Installs the newest versions of packages into a folder of their own; with `offline`, takes what is there. Throws when none can
 * be installed.
 */
export async function install(id: string, packages: readonly string[], offline: boolean): Promise<Installed> {
  const folder = path.join(clientsFolder(), id)
  mkdirSync(folder, { recursive: true })
  const manifest = path.join(folder, 'package.json')
  if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true, "type": "module" }\n')
  if (offline) return { folder, versions: versionsIn(folder, packages) }
  try {
    await npmInstall(
      folder,
      packages.map(name => `${name}@latest`),
    )
    return { folder, versions: versionsIn(folder, packages) }
  } catch (error) {
    const [name] = packages
    if (name === undefined || packages.length > 1) throw error
    return await installOlder(folder, name, error)
  }
}

async function installOlder(folder: string, name: string, first: unknown): Promise<Installed> {
  const { stdout } = await exec('npm', ['view', name, 'versions', '--json'])
  const older = (JSON.parse(stdout) as string[]).filter(version => !version.includes('-')).toReversed()
  const newest = older[0] ?? '?'
  for (const version of older.slice(1, 1 + maxTries)) {
    try {
      await npmInstall(folder, [`${name}@${version}`])
      return { folder, versions: versionsIn(folder, [name]), note: `${newest} cannot be installed` }
    } catch {
      // The one before may.
    }
  }
  throw new Error(`${name} cannot be installed: ${lastLine(first)}`)
}

async function npmInstall(folder: string, specifiers: string[]): Promise<void> {
  const options = ['--no-audit', '--no-fund', '--no-save', '--loglevel=error']
  await exec('npm', ['install', ...options, ...specifiers], { cwd: folder, timeout: installMs })
}

function versionsIn(folder: string, packages: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    packages.map(name => {
      const file = path.join(folder, 'node_modules', name, 'package.json')
      if (!existsSync(file)) throw new Error(`${name} is not installed`)
      return [name, (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version]
    }),
  )
}

function lastLine(error: unknown): string {
  const { stderr, message } = error as Error & { stderr?: string }
  const lines = (stderr ?? message).trim().split('\n')
  return lines.find(line => /notarget|code E/.test(line))?.replace('npm error ', '') ?? lines.at(-1) ?? ''
}
