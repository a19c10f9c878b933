import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { renderReport } from '../src/cli/rows.ts'
import { scriptedUpstream } from '../test/helpers/scripted-upstream.ts'

/**
 * `npm run release [-- --json]`: every step of a release except publishing. Builds and packs, installs the tarball into an
 * empty folder, starts it there and requests /health and one chat with a scripted server. Throws if any step fails.
 */
const root = path.resolve(import.meta.dirname, '..')
const startMs = 30_000
const undo: (() => unknown)[] = []

try {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }
  requireChangelog(version)
  const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-release-'))
  undo.unshift(() => rmSync(folder, { recursive: true, force: true }))
  const packed = pack(folder)
  requireData(packed.files.map(file => file.path))
  npm(['install', '--no-audit', '--no-fund', '--no-save', path.join(folder, packed.filename)], folder)
  await tryInstalled(folder, version)
  const megabytes = (bytes: number) => Number((bytes / 1e6).toFixed(1))
  const rows = [
    { name: 'packed_mb', value: megabytes(packed.size), unit: 'MB' },
    { name: 'unpacked_mb', value: megabytes(packed.unpackedSize), unit: 'MB' },
    { name: 'installed_mb', value: megabytes(sizeOf(path.join(folder, 'node_modules'))), unit: 'MB with dependencies' },
    { name: 'files', value: packed.files.length, unit: 'files packed' },
  ]
  process.stdout.write(`${renderReport(rows, process.argv.includes('--json'))}\n`)
} catch (error) {
  process.stderr.write(`release: ${(error as Error).message}\n`)
  process.exitCode = 1
} finally {
  for (const step of undo) await step()
}

/** Requires a changelog section for the version, or an "Unreleased" section that names it. */
function requireChangelog(version: string): void {
  const sections = readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8').split(/^## /m).slice(1)
  const found = sections.some(section => {
    const heading = section.split('\n')[0]!
    return heading.includes(version) || (/unreleased/i.test(heading) && section.includes(version))
  })
  if (!found) throw new Error(`CHANGELOG.md has no section for ${version}`)
}

interface Packed {
  filename: string
  size: number
  unpackedSize: number
  files: { path: string }[]
}

function pack(folder: string): Packed {
  npm(['run', 'build', '--silent'], root)
  const [packed] = JSON.parse(
    npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root),
  ) as Packed[]
  return packed!
}

/** Requires every file of `src` that is not compiled to be in the package. */
function requireData(packed: readonly string[]): void {
  const data = readdirSync(path.join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && !entry.name.endsWith('.ts'))
    .map(entry => path.relative(path.join(root, 'src'), path.join(entry.parentPath, entry.name)))
  const missing = data.filter(file => !packed.includes(path.posix.join('dist', ...file.split(path.sep))))
  if (missing.length > 0) throw new Error(`the package lacks ${missing.join(', ')}`)
  const stray = packed.find(file => /^(src|test|tools)\//.test(file))
  if (stray !== undefined) throw new Error(`the package holds ${stray}`)
}

async function tryInstalled(folder: string, version: string): Promise<void> {
  const upstream = await scriptedUpstream({ teardown: step => undo.unshift(step) }, 'llama-cpp', { models: ['small'] })
  const child = spawn(path.join(folder, 'node_modules/.bin/signalbox'), ['serve', '--port', '0'], {
    env: {
      PATH: process.env['PATH'],
      SIGNALBOX_ROOT: folder,
      OLLAMA_ENDPOINT: 'off',
      LM_STUDIO_ENDPOINT: 'off',
      LLAMA_CPP_ENDPOINT: upstream.url,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  undo.unshift(async () => {
    child.kill('SIGTERM')
    await ended
  })
  const url = await urlPrinted(child.stdout)
  const health = await fetch(`${url}/health`)
  if (!health.ok) throw new Error(`/health answered ${health.status}`)
  const reply = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Say hello.' }] }),
  })
  const model = reply.headers.get('x-signalbox-model')
  if (!reply.ok || model !== 'llama-cpp/small') throw new Error(`the chat answered ${reply.status} by ${model}`)
  const printed = execFileSync(path.join(folder, 'node_modules/.bin/signalbox'), ['--version'], { encoding: 'utf8' })
  if (printed.trim() !== version) throw new Error(`--version printed ${printed.trim()}, not ${version}`)
}

async function urlPrinted(stdout: AsyncIterable<unknown>): Promise<string> {
  const timer = AbortSignal.timeout(startMs)
  const tooLate = once(timer, 'abort').then(() => {
    throw new Error(`the installed package did not start within ${startMs / 1000} s`)
  })
  const read = async () => {
    let text = ''
    for await (const chunk of stdout) {
      text += String(chunk)
      const url = /listens on (\S+)/.exec(text)?.[1]
      if (url !== undefined) return url
    }
    throw new Error(`the installed package ended: ${text}`)
  }
  return await Promise.race([read(), tooLate])
}

function npm(args: readonly string[], cwd: string): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0)
}
