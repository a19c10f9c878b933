import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openSearch } from '../../src/search/search.ts'

/**
 * Indexes 100,000 files, 1 GB of source, and reports the memory used. `npm run test:search-scale`; takes minutes and 2
 * GB of disk, so it is not part of `npm test`. Exits with 1 when memory exceeded the limit.
 */
const files = 100_000
const bytesPerFile = 10_700
const maxRssMb = 400
const sampleEveryMs = 100

const folder = mkdtempSync(path.join(tmpdir(), 'search-scale-'))
try {
  const source = path.join(folder, 'source')
  const started = performance.now()
  const bytes = writeCorpus(source)
  say(`${files} files, ${(bytes / 1e6).toFixed(0)} MB written in ${seconds(started)} s`)
  process.exitCode = (await measure(source, path.join(folder, 'data'))) ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function measure(source: string, dataDir: string): Promise<boolean> {
  let peakMb = 0
  const sampler = setInterval(() => (peakMb = Math.max(peakMb, process.memoryUsage.rss() / 1e6)), sampleEveryMs)
  const search = openSearch({
    dataDir,
    allowedRoots: [source],
    onlyBelowRoots: false,
    excludePatterns: [],
    indexOnStart: false,
    reindexIntervalSeconds: 0,
    watch: true,
    now: () => performance.now(),
    countTokens: text => Math.ceil(text.length / 4),
    log: { info: () => undefined, warn: (facts, message) => say(`${message} ${JSON.stringify(facts)}`) },
  })
  const never = new AbortController().signal
  const started = performance.now()
  const report = await search.init({ directories: [source] }, never)
  say(
    `${report.files} files, ${report.chunks} chunks indexed in ${seconds(started)} s; index ${(report.index_bytes / 1e6).toFixed(0)} MB`,
  )
  say(`most memory while indexing ${peakMb.toFixed(0)} MB`)
  let found = 0
  for (let index = 0; index < files; index += files / 50) {
    const { hits } = await search.query({ query: `planted_${letters(index)}`, limit: 1 }, never)
    if (hits[0]?.path === nameOf(index)) found++
  }
  clearInterval(sampler)
  const highWaterMb = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1000
  await search.close()
  say(`found ${found} of 50 planted words; most memory ${Math.max(peakMb, highWaterMb).toFixed(0)} MB of ${maxRssMb}`)
  return found === 50 && report.files === files && Math.max(peakMb, highWaterMb) < maxRssMb
}

/** This project's own lines, shuffled, with identifiers that are new in every file as in a real code base. */
function writeCorpus(source: string): number {
  const own = path.resolve(import.meta.dirname, '../../src/search')
  const lines = readdirSync(own).flatMap(name => readFileSync(path.join(own, name), 'utf8').split('\n'))
  let bytes = 0
  let state = 1
  const next = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 4_294_967_296) * below)
  }
  for (let file = 0; file < files; file++) {
    const parts = [`export function planted_${letters(file)}() {`]
    for (let size = 0; size < bytesPerFile; size += parts[parts.length - 1]!.length + 1) {
      const line = lines[next(lines.length)]!
      parts.push(next(12) === 0 ? line.replace(/[a-z]{4,}/, word => `${word}${letters(next(400_000))}`) : line)
    }
    const text = parts.join('\n')
    const name = path.join(source, nameOf(file))
    if (file % 100 === 0) mkdirSync(path.dirname(name), { recursive: true })
    writeFileSync(name, text)
    bytes += Buffer.byteLength(text)
  }
  return bytes
}

function nameOf(file: number): string {
  return `d${Math.floor(file / 100)}/f${file}.ts`
}

function letters(number: number): string {
  return String(number).replace(/\d/g, digit => 'qwrtpsdfgh'[Number(digit)]!)
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
