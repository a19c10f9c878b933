import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { goalRow, renderReport } from '../src/cli/rows.ts'
import { scriptedUpstream } from '../test/helpers/scripted-upstream.ts'
import { makeSbom } from './package/sbom.ts'
import { bytesIn, megabytes } from './package/sizes.ts'
import { stagePackage } from './package/stage.ts'

/**
 * `npm run release [-- --json] [--out DIR]`: every step of a release except publishing. Builds and packs, installs the tarball
 * into an empty folder, starts it there and requests a chat with a scripted server, the API reference and MCP. With `--out`,
 * leaves the tarball and its bill of materials in DIR. Throws if any step fails or the installation is too large.
 */
const root = path.resolve(import.meta.dirname, '..')
const startMs = 30_000
/** What an installation without optional dependencies may take. */
const maxInstalledMb = 60
const undo: (() => unknown)[] = []
const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, out: { type: 'string' } } })

try {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }
  requireChangelog(version)
  const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-release-'))
  undo.unshift(() => rmSync(folder, { recursive: true, force: true }))
  const packed = pack(folder)
  requireData(packed.files.map(file => file.path))
  const sbom = await makeSbom(root, folder)
  const tarball = path.join(folder, packed.filename)
  const installed = path.join(folder, 'installed')
  mkdirSync(installed)
  npm(['install', '--no-audit', '--no-fund', '--no-save', '--omit=optional', tarball], installed)
  await tryInstalled(installed, version)
  const installedMb = megabytes(bytesIn(path.join(installed, 'node_modules')))
  const rows = [
    { name: 'packed_mb', value: megabytes(packed.size), unit: 'MB' },
    { name: 'files', value: packed.files.length, unit: 'files packed' },
    goalRow({ name: 'installed_mb', value: installedMb, unit: 'MB' }, 'at_most', maxInstalledMb),
  ]
  process.stdout.write(`${renderReport(rows, values.json)}\n`)
  if (installedMb > maxInstalledMb) throw new Error(`${installedMb} MB are more than the ${maxInstalledMb} MB allowed`)
  if (values.out !== undefined) {
    mkdirSync(values.out, { recursive: true })
    copyFileSync(tarball, path.join(values.out, packed.filename))
    writeFileSync(path.join(values.out, `signalbox-${version}.cdx.json`), sbom)
  }
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
  /** Bytes of the tarball. */
  size: number
  files: { path: string }[]
}

/** Packs what is published into `folder`; see `stagePackage`. */
function pack(folder: string): Packed {
  npm(['run', 'build', '--silent'], root)
  const stage = path.join(folder, 'stage')
  mkdirSync(stage)
  stagePackage(root, stage)
  const [packed] = JSON.parse(npm(['pack', '--json', '--pack-destination', folder], stage)) as Packed[]
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
  for (const page of ['/health', '/openapi.json', '/docs/']) {
    const reply = await fetch(`${url}${page}`)
    if (!reply.ok) throw new Error(`${page} answered ${reply.status}: ${await reply.text()}`)
  }
  await tryMcp(url)
  const reply = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Say hello.' }] }),
  })
  const model = reply.headers.get('x-signalbox-model')
  if (!reply.ok || model !== 'llama-cpp/small') throw new Error(`the chat answered ${reply.status} by ${model}`)
  const printed = execFileSync(path.join(folder, 'node_modules/.bin/signalbox'), ['--version'], { encoding: 'utf8' })
  if (printed.trim() !== version) throw new Error(`--version printed ${printed.trim()}, not ${version}`)
}

async function tryMcp(url: string): Promise<void> {
  const clientInfo = { name: 'release', version: '1' }
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }
  const reply = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  })
  const text = await reply.text()
  if (!reply.ok || !text.includes('"serverInfo"')) throw new Error(`/mcp answered ${reply.status}: ${text}`)
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
