import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { seededRandom } from '../../src/router/chance.ts'
import { exchange, type Teardown } from '../helpers/start-gateway.ts'
import { readLedger } from './ledger-copy.ts'
import { startLoad } from './load.ts'
import { startServer, urlOf, type ServerProcess } from './server-process.ts'
import { startUpstream } from './upstream.ts'

/** What was done, and what went wrong; the same over all kills. */
export interface KillFindings {
  kills: number
  requests_settled: number
  tasks_submitted: number
  searches: number
  lost_rows: number
  doubled_rows: number
  lost_tasks: number
  stuck_tasks: number
  integrity_failures: number
  failed_starts: number
  /** Not lost by the above: settled long enough before the kill, but the server had given no sign of life since. */
  lost_in_silence_rows: number
  /** Longest time without a sign of life. */
  longest_silence_ms: number
  /** Answers other than 200 while the server lived. */
  wrong_answers: number
}

/** A caller whose answer was complete so long before the server's last sign of life has their row. */
const settledMs = 100
const callers = 8
/** Of all kills, those that come while the server is still starting. */
const earlyShare = 0.15
const defaultLoadMs = 1_200
const longestStartMs = 600
const finishMs = 30_000

export interface KillPlan {
  kills: number
  seed: number
  /** A kill comes at most so long after the first answer. */
  longestLoadMs?: number
}

/**
 * Starts a server on one data directory again and again, and kills it at random points under load. `report` gets a line for
 * each finding.
 */
export async function playKills(
  t: Teardown,
  { kills, seed, longestLoadMs = defaultLoadMs }: KillPlan,
  report: (finding: string) => void,
): Promise<KillFindings> {
  const random = seededRandom(seed)
  const upstreamUrl = await startUpstream(t, seed)
  const { dataDir, codeDir } = makeFolders(t)
  const variables = { CODE_SEARCH_ROOTS: codeDir }
  const findings: KillFindings = {
    kills: 0,
    requests_settled: 0,
    tasks_submitted: 0,
    searches: 0,
    lost_rows: 0,
    doubled_rows: 0,
    lost_tasks: 0,
    stuck_tasks: 0,
    integrity_failures: 0,
    failed_starts: 0,
    lost_in_silence_rows: 0,
    longest_silence_ms: 0,
    wrong_answers: 0,
  }
  const found = (what: keyof KillFindings, details: readonly string[]) => {
    findings[what] += details.length
    for (const detail of details) report(`${what}: after kill ${findings.kills} of seed ${seed}: ${detail}`)
  }
  /** Callers' ids, with the milliseconds from their answer to the server's last sign of life. */
  const settled = new Map<string, number>()
  const tasks = new Set<string>()
  const begin = (): ServerProcess => {
    const server = startServer({ dataDir, upstreamUrl, variables })
    t.teardown(async () => void (await server.kill()))
    return server
  }

  for (let kill = 1; kill <= kills; kill++) {
    const server = begin()
    if (kill > 1 && random() < earlyShare) {
      await setTimeout(longestStartMs * random())
      await server.kill()
      findings.kills += 1
      continue
    }
    const url = await server.ready
    if (typeof url !== 'string') {
      found('failed_starts', [url.output])
      continue
    }
    if (kill === 1) await index(url, codeDir)
    const load = startLoad({ url, random, prefix: `${seed}.${kill}`, callers })
    await load.begun
    await setTimeout(longestLoadMs * random())
    const killedAtMs = performance.now()
    await server.kill()
    await load.stop()
    findings.kills += 1
    findings.requests_settled += load.settled.length
    findings.searches += load.searches
    findings.tasks_submitted += load.tasks.length
    const silenceMs = Math.max(load.alive.silenceMs, killedAtMs - load.alive.atMs)
    findings.longest_silence_ms = Math.max(findings.longest_silence_ms, Math.round(silenceMs))
    found('wrong_answers', load.refused)
    for (const { id, atMs } of load.settled) {
      const ageMs = load.alive.atMs - atMs
      if (ageMs > settledMs) settled.set(id, ageMs)
    }
    const { requests } = readLedger(dataDir)
    const silent = load.settled.filter(({ id, atMs }) => !settled.has(id) && killedAtMs - atMs > settledMs)
    findings.lost_in_silence_rows += silent.filter(({ id }) => !requests.has(id)).length
    for (const id of load.tasks) tasks.add(id)
    check()
  }

  const server = begin()
  await urlOf(server)
  await untilFinished(dataDir)
  await server.stop()
  found('stuck_tasks', readLedger(dataDir).unfinished)
  check()
  return findings

  function check(): void {
    const ledger = readLedger(dataDir)
    found('integrity_failures', ledger.faults)
    found('doubled_rows', ledger.doubled)
    const lostRows = [...settled.keys()].filter(id => !ledger.requests.has(id))
    const lostTasks = [...tasks].filter(id => !ledger.tasks.has(id))
    found(
      'lost_rows',
      lostRows.map(id => `${id}, settled ${settled.get(id)?.toFixed(0)} ms before the last sign of life`),
    )
    found('lost_tasks', lostTasks)
    // What is lost is counted once.
    for (const id of lostRows) settled.delete(id)
    for (const id of lostTasks) tasks.delete(id)
  }
}

async function index(url: string, folder: string): Promise<void> {
  const { status, text } = await exchange(`${url}/admin/retriv_init`, {
    method: 'POST',
    body: JSON.stringify({ directories: [folder] }),
  })
  if (status !== 200) throw new Error(`The folder was not indexed: ${status} ${text}`)
}

/** Waits, for a time that is enough, until the running server has finished all tasks. */
async function untilFinished(dataDir: string): Promise<void> {
  const deadline = performance.now() + finishMs
  while (performance.now() < deadline && readLedger(dataDir).unfinished.length > 0) await setTimeout(200)
}

function makeFolders(t: Teardown): { dataDir: string; codeDir: string } {
  const root = mkdtempSync(path.join(tmpdir(), 'signalbox-crash-'))
  t.teardown(async () => rmSync(root, { recursive: true, force: true }))
  const codeDir = path.join(root, 'code')
  mkdirSync(codeDir)
  for (let file = 0; file < 50; file++) {
    writeFileSync(path.join(codeDir, `file-${file}.ts`), `export function name${file}() {\n  return ${file}\n}\n`)
  }
  return { dataDir: path.join(root, 'data'), codeDir }
}
