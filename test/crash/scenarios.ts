import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { seededRandom } from '../../src/router/chance.ts'
import { exchange, type Teardown } from '../helpers/start-gateway.ts'
import { playClockJumps } from './clock-jumps.ts'
import { fill, moveAway, overwrite, sizeOf } from './damage.ts'
import { readLedger } from './ledger-copy.ts'
import { startLoad } from './load.ts'
import { startServer, urlOf, type Ended, type ServerParts, type ServerProcess } from './server-process.ts'
import { startUpstream } from './upstream.ts'

/** One thing that befalls a server or its files. */
export interface Scenario {
  name: string
  /** Resolves to what went wrong. Throws `Impossible` where it cannot be played on this machine. */
  play: (stage: Stage) => Promise<string[]>
}

export interface ScenarioFindings {
  crash_scenarios: number
  scenario_problems: number
}

/** Where a scenario is played. */
export interface Stage extends Teardown {
  /** An empty folder of its own. */
  folder: string
  /** Starts a server, which ends with the test. */
  start: (parts: Omit<ServerParts, 'upstreamUrl'>) => ServerProcess
}

/** Why a scenario cannot be played here. */
class Impossible extends Error {
  override readonly name = 'Impossible'
}

/** Plays the scenarios one after the other. `report` gets a line for each problem and for each that cannot be played here. */
export async function playScenarios(t: Teardown, report: (line: string) => void): Promise<ScenarioFindings> {
  const upstreamUrl = await startUpstream(t, 1)
  const findings: ScenarioFindings = { crash_scenarios: 0, scenario_problems: 0 }
  for (const { name, play } of scenarios) {
    const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-crash-'))
    t.teardown(async () => rmSync(folder, { recursive: true, force: true }))
    const start: Stage['start'] = parts => {
      const server = startServer({ ...parts, upstreamUrl })
      t.teardown(async () => void (await server.kill()))
      return server
    }
    try {
      const problems = await play({ ...t, folder, start })
      findings.crash_scenarios += 1
      findings.scenario_problems += problems.length
      for (const problem of problems) report(`${name}: ${problem}`)
    } catch (error) {
      if (!(error instanceof Impossible)) throw error
      report(`${name}: skipped, ${error.message}`)
    }
  }
  return findings
}

const twoInstances: Scenario = {
  name: 'several servers started at once on one folder',
  async play({ folder, start }) {
    const problems: string[] = []
    for (const round of [1, 2]) {
      const servers = [1, 2, 3].map(() => start({ dataDir: folder }))
      const outcomes = await Promise.all(servers.map(({ ready }) => ready))
      const running = servers.filter((_, at) => typeof outcomes[at] === 'string')
      if (running.length !== 1) problems.push(`${running.length} of 3 run in round ${round}`)
      for (const outcome of outcomes) {
        if (typeof outcome === 'string' || /with this DATA_DIR/.test(outcome.output)) continue
        problems.push(`one that does not run says: ${outcome.output}`)
      }
      // The second round begins with what a kill leaves behind.
      await Promise.all(servers.map(({ kill }) => kill()))
    }
    return problems
  },
}

/** A folder in which a server was killed under load; its write-ahead log is still there. */
async function killedFolder({ folder, start }: Stage): Promise<string[]> {
  const server = start({ dataDir: folder })
  const load = startLoad({ url: await urlOf(server), random: seededRandom(3), prefix: 'killed', callers: 4 })
  await setTimeout(700)
  await server.kill()
  await load.stop()
  return load.settled.map(({ id }) => id)
}

const damagedLog: Scenario = {
  name: 'a damaged write-ahead log',
  async play(stage) {
    const { folder } = stage
    const file = path.join(folder, 'ledger.db-wal')
    await killedFolder(stage)
    const kept = { name: 'ledger.db-wal', bytes: sizeOf(file) }
    const damages: readonly [string, () => void][] = [
      ['overwritten in the middle', () => overwrite(file, kept.bytes / 2, 2_000)],
      ['cut', () => truncateSync(file, Math.floor(sizeOf(file) * 0.7))],
      ['overwritten at its start', () => overwrite(file, 0, 500)],
      ['with a damaged index', () => overwrite(path.join(folder, 'ledger.db-shm'), 0, 4_096)],
    ]
    const problems: string[] = []
    for (const [damage, inflict] of damages) {
      if (!existsSync(file)) throw new Error('There is no write-ahead log to damage.')
      inflict()
      const server = stage.start({ dataDir: folder })
      const ready = await server.ready
      if (typeof ready !== 'string') {
        problems.push(`${damage}: does not start: ${ready.output}`)
        continue
      }
      problems.push(...(await problemsOf(ready, damage)))
      // Long enough for the row to be written; the kill then leaves a log again.
      await setTimeout(300)
      await server.kill()
      problems.push(...readLedger(folder).faults.map(fault => `${damage}: ${fault}`))
    }
    return problems
  },
}

const damagedDatabase: Scenario = {
  name: 'a damaged database',
  async play(stage) {
    const { folder, start } = stage
    await killedFolder(stage)
    await stopped(start({ dataDir: folder }))
    const file = path.join(folder, 'ledger.db')
    const problems: string[] = []

    // Inside: it starts and answers, or says what to do.
    overwrite(file, 8 * 4096, sizeOf(file) - 8 * 4096)
    const inside = start({ dataDir: folder })
    const ready = await inside.ready
    if (typeof ready === 'string') {
      problems.push(...(await problemsOf(ready, 'damaged inside')))
      await setTimeout(500)
      const { text } = await exchange(`${ready}/health`, { method: 'GET' })
      if (!/"ok":true/.test(text) && !saysWhatToDo(text)) problems.push(`/health does not say what to do: ${text}`)
    } else if (!saysWhatToDo(ready.output)) problems.push(`damaged inside: ${ready.output}`)
    await inside.kill()

    // At its start: it does not start, and says what to do; when that is done, it starts.
    overwrite(file, 0, 4096)
    const header = await start({ dataDir: folder }).ready
    if (typeof header === 'string') problems.push('a file without a header is taken for a ledger')
    else if (!saysWhatToDo(header.output)) problems.push(`damaged at its start: ${header.output}`)
    moveAway(folder)
    const afresh = start({ dataDir: folder })
    problems.push(...(await problemsOf(await urlOf(afresh), 'after moving the files away')))
    await afresh.kill()
    return problems
  },
}

const readOnlyFolder: Scenario = {
  name: 'a read-only folder',
  async play({ folder, start }) {
    // For root nothing is read-only.
    const uid = process.getuid?.() === 0 ? 65_534 : undefined
    const dataDir = path.join(folder, 'data')
    mkdirSync(dataDir)
    if (uid !== undefined) for (const each of [folder, dataDir]) chownSync(each, uid, uid)
    const parts = { dataDir, ...(uid === undefined ? {} : { uid }) }
    const first = await stopped(start(parts))
    if (first.code !== 0) throw new Impossible(`a server cannot run as another user: ${first.output}`)
    const problems: string[] = []
    const files = readdirSync(dataDir, { withFileTypes: true }).filter(each => each.isFile())
    for (const { name } of files) chmodSync(path.join(dataDir, name), 0o400)
    chmodSync(dataDir, 0o500)
    const refused = await start(parts).ready
    if (typeof refused === 'string') problems.push('it starts')
    else if (refused.code === 0 || !refused.output.includes(dataDir) || !/writ/.test(refused.output)) {
      problems.push(`it ends with ${refused.code} and says: ${refused.output}`)
    }
    chmodSync(dataDir, 0o700)
    for (const { name } of files) chmodSync(path.join(dataDir, name), 0o600)
    const last = await stopped(start(parts))
    if (last.code !== 0) problems.push(`writable again, it ends with ${last.code}: ${last.output}`)
    return problems
  },
}

/** A file system of a few megabytes. Throws `Impossible` where none can be mounted. */
function mountSmall(t: Teardown, folder: string): void {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    throw new Impossible('mounting a small file system takes root')
  }
  t.teardown(async () => void execFileSync('umount', ['--lazy', folder]))
}

const fullDisk: Scenario = {
  name: 'a full disk',
  async play(stage) {
    const { folder, start } = stage
    mountSmall(stage, folder)
    const dataDir = path.join(folder, 'data')
    const server = start({ dataDir })
    const url = await urlOf(server)
    const problems = await problemsOf(url, 'before')
    const ballast = path.join(folder, 'ballast')
    fill(ballast)
    const asked: string[] = []
    const health = async () => (await exchange(`${url}/health`, { method: 'GET' })).json.ledger
    // The space that the database already has is used up first.
    for (let count = 0; count < 300 && (await health()).ok; count++) {
      asked.push(`full-${count}`)
      problems.push(...(await problemsOf(url, 'full', `full-${count}`)))
    }
    const full = await health()
    if (full.ok) problems.push('the disk was full and nothing failed')
    if (!/disk is full/.test(String(full.problem))) problems.push(`/health says: ${full.problem}`)
    const task = await exchange(`${url}/api/tasks`, {
      method: 'POST',
      body: JSON.stringify({ task: 'x', context_length: 0 }),
    })
    if (task.status !== 503 && task.status !== 200) problems.push(`a task is answered ${task.status}: ${task.text}`)
    rmSync(ballast)
    for (let tries = 0; tries < 100 && (await health()).buffered > 0; tries++) await setTimeout(100)
    const after = await health()
    if (!after.ok || after.buffered > 0 || after.lost > 0) problems.push(`afterwards: ${JSON.stringify(after)}`)
    await server.kill()
    const ledger = readLedger(dataDir)
    problems.push(...ledger.faults)
    const missing = asked.filter(id => !ledger.requests.has(id))
    if (missing.length > 0) problems.push(`${missing.length} requests are not recorded`)
    return problems
  },
}

const clockJumps: Scenario = { name: 'a clock that jumps', play: playClockJumps }

const scenarios: readonly Scenario[] = [twoInstances, damagedLog, damagedDatabase, readOnlyFolder, fullDisk, clockJumps]

/** Asks one question; what is wrong with the answer. */
async function problemsOf(url: string, when: string, id = when.replaceAll(' ', '-')): Promise<string[]> {
  const { status, text } = await exchange(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-request-id': id },
    body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hello?' }] }),
  })
  return status === 200 ? [] : [`${when}: ${status} ${text}`]
}

async function stopped(server: ServerProcess): Promise<Ended> {
  const ready = await server.ready
  return typeof ready === 'string' ? server.stop() : ready
}

function saysWhatToDo(text: string): boolean {
  return /damaged/.test(text) && /restore a backup, or move it away/.test(text)
}
