import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { goalRow, renderReport, type Row } from '../../src/cli/rows.ts'
import { readLaunchOptions } from '../../tools/bench/launch-options.ts'
import { slopeOf, type Sample } from './slope.ts'
import { createTraffic } from './traffic.ts'
import { startUpstream } from './upstream.ts'

/**
 * `npm run test:soak -- [--minutes 10] [--connections 20] [--seed 1] [--json]`: mixed traffic through a Signalbox as users start
 * it, and how its resident memory develops. Linux only: it reads /proc.
 */
async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '10' },
      connections: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  })
  const upstream = await startUpstream()
  const signalbox = await startSignalbox(upstream.url)
  try {
    const traffic = await createTraffic(signalbox.url, Number(values.connections), Number(values.seed))
    const samples = await watch(signalbox.pid, Number(values.minutes) * 60_000, traffic)
    for (const [problem, count] of traffic.wrong()) process.stderr.write(`${count} × ${problem}\n`)
    const wrong = [...traffic.wrong().values()].reduce((sum, count) => sum + count, 0)
    process.stdout.write(`${renderReport(rowsOf(samples, wrong), values.json)}\n`)
  } finally {
    await signalbox.stop()
    upstream.close()
  }
}

const samplesPerRun = 60

async function watch(
  pid: number,
  durationMs: number,
  traffic: Awaited<ReturnType<typeof createTraffic>>,
): Promise<Sample[]> {
  const ending = new AbortController()
  const running = traffic.run(ending.signal)
  const samples: Sample[] = []
  for (let index = 0; index < samplesPerRun; index++) {
    await setTimeout(durationMs / samplesPerRun)
    const sample = { requests: traffic.count(), residentMb: residentMb(pid) }
    samples.push(sample)
    process.stderr.write(`${sample.requests} requests, ${sample.residentMb.toFixed(0)} MB resident\n`)
  }
  ending.abort()
  await running
  return samples
}

/** The first third warms up: compilers, caches and connections. */
function rowsOf(samples: readonly Sample[], wrong: number): Row[] {
  const settled = samples.slice(Math.ceil(samples.length / 3))
  const resident = samples.map(sample => sample.residentMb)
  return [
    { name: 'requests', value: samples.at(-1)!.requests, unit: 'requests' },
    goalRow({ name: 'wrong_answers', value: wrong, unit: 'requests' }, 'at_most', 0),
    { name: 'resident_after_warming_up', value: settled[0]!.residentMb, unit: 'MB' },
    goalRow({ name: 'resident_at_the_end', value: resident.at(-1)!, unit: 'MB' }, 'at_most', 150),
    { name: 'resident_at_most', value: Math.max(...resident), unit: 'MB' },
    { name: 'growth_per_100000_requests', ...slopeOf(settled), unit: 'MB' },
  ]
}

function residentMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000
}

/** As users start it, with an index of its own sources to search. */
async function startSignalbox(upstreamUrl: string): Promise<{ url: string; pid: number; stop: () => Promise<void> }> {
  const root = mkdtempSync(path.join(tmpdir(), 'signalbox-soak-'))
  const project = path.resolve(import.meta.dirname, '../..')
  const { flags, env } = readLaunchOptions()
  const child = spawn(process.execPath, [...flags, path.join(project, 'bin/signalbox.js'), 'serve', '--port', '0'], {
    env: {
      ...env,
      SIGNALBOX_ROOT: root,
      OLLAMA_ENDPOINT: 'off',
      LM_STUDIO_ENDPOINT: 'off',
      LLAMA_CPP_ENDPOINT: 'off',
      OPENAI_COMPATIBLE_ENDPOINT: upstreamUrl,
      PROVIDER_MAX_CONCURRENT_LOCAL: '100',
      QUALITY_THRESHOLD: '0',
      CODE_SEARCH_ROOTS: path.join(project, 'src'),
      // The traffic has one session, and tasks would otherwise be kept for a month.
      TASK_RETENTION_DAYS: '1',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.once('exit', () => child.kill())
  let said = ''
  child.stdout.on('data', text => (said += String(text)))
  while (!said.includes('curl ')) await once(child.stdout, 'data')
  const url = /listens on (\S+)/.exec(said)![1]!
  await fetch(`${url}/admin/retriv_init`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ directories: [path.join(project, 'src')] }),
  })
  return {
    url,
    pid: child.pid!,
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
      rmSync(root, { recursive: true, force: true })
    },
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
await main(process.argv.slice(2))
