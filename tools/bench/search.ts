import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import { decode, isGenerated } from '../../src/search/decode.ts'
import type { RetrivInitInput } from '../../src/search/requests.ts'
import { openSearch, type Search } from '../../src/search/search.ts'
import { exclusionOf, walk } from '../../src/search/walk.ts'
import { goalRow, renderReport, type Row } from '../../src/cli/rows.ts'
import { fts5, hasRipgrep, miniSearch, plainBm25, ripgrep, type Baseline, type SourceText } from './search/baselines.ts'

const usage = 'usage: bench:search -- --data FILE --repos DIR [--json] [--no-baselines] [--no-speed]'

const Question = z.object({
  repo: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
  snapshot: z.string().regex(/^[0-9a-f]{7,64}$/),
  query: z.string().min(1),
  relevant: z.array(z.string()).min(1),
})
type Question = z.output<typeof Question>

interface Repository {
  name: string
  folder: string
  questions: Question[]
}

const excludePatterns = ['node_modules/**', 'dist/**', '.git/**']
const updates = 100
const openings = 9
const resamples = 1_000

const never = new AbortController().signal

await main()

async function main(): Promise<void> {
  const { data, repos, json, baselines, speed } = readArguments()
  if (!existsSync(data) || !existsSync(repos)) {
    process.stderr.write(`skipped: ${existsSync(data) ? repos : data} does not exist\n`)
    process.stdout.write(`${renderReport([], json)}\n`)
    return
  }
  const scratch = mkdtempSync(path.join(tmpdir(), 'bench-search-'))
  try {
    const repositories = checkOut(readQuestions(data), repos, scratch)
    const rows = [
      ...(await quality(repositories, scratch)),
      ...(baselines ? await compare(repositories) : []),
      ...(speed ? await measureSpeed(repositories, scratch) : []),
    ]
    process.stdout.write(`${renderReport(rows, json)}\n`)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function readArguments() {
  try {
    const { values } = parseArgs({
      allowNegative: true,
      options: {
        data: { type: 'string' },
        repos: { type: 'string' },
        json: { type: 'boolean', default: false },
        baselines: { type: 'boolean', default: true },
        speed: { type: 'boolean', default: true },
      },
    })
    const { data, repos } = values
    if (data === undefined || repos === undefined) throw new Error('--data and --repos are needed')
    return { ...values, data, repos }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message.split('\n')[0]! : String(error)}; ${usage}\n`)
    return process.exit(2)
  }
}

function readQuestions(file: string): Question[] {
  const bytes = readFileSync(file)
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('utf8')
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => Question.parse(JSON.parse(line)))
}

/** A work tree of each repository at its snapshot; its HEAD is the snapshot, so that no later history can be seen. */
function checkOut(questions: readonly Question[], clones: string, scratch: string): Repository[] {
  const repositories = Map.groupBy(questions, ({ repo, snapshot }) => `${repo}@${snapshot}`)
  return [...repositories.values()].flatMap(asked => {
    const { repo, snapshot } = asked[0]!
    const clone = path.resolve(clones, repo.replace('/', '+'))
    if (!existsSync(clone)) {
      process.stderr.write(`skipped ${repo}: no clone at ${clone}\n`)
      return []
    }
    const folder = path.join(scratch, 'trees', `${repo.replace('/', '+')}@${snapshot.slice(0, 12)}`)
    mkdirSync(path.dirname(folder), { recursive: true })
    git(['clone', '--quiet', '--shared', '--no-checkout', clone, folder])
    // A clone may lack some large objects; the other files are checked out anyway.
    git(['-C', folder, 'checkout', '--quiet', '--force', '--detach', snapshot])
    return [{ name: repo, folder, questions: asked }]
  })
}

function git(args: readonly string[]): void {
  try {
    execFileSync('git', ['-c', 'core.hooksPath=/dev/null', ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (error) {
    process.stderr.write(`git ${args[0]!}: ${String(error).split('\n').slice(0, 3).join(' ')}\n`)
  }
}

/** Reciprocal rank, nDCG and recall of each question at ten, by repository. */
type Scores = [rr: number, ndcg: number, recall: number][][]

async function quality(repositories: readonly Repository[], scratch: string): Promise<Row[]> {
  const full = await askAll(repositories, scratch, 'full', {})
  const plain = await askAll(repositories, scratch, 'no-history', { bm25_options: { field_weights: { history: 0 } } })
  const [mrr, ndcg, recall] = [0, 1, 2].map(metric => summary(full, metric))
  return [
    goalRow({ name: 'mrr10', ...mrr!, unit: 'mean' }, 'at_least', 0.65),
    goalRow({ name: 'ndcg10', ...ndcg!, unit: 'mean' }, 'at_least', 0.62),
    goalRow({ name: 'recall10', ...recall!, unit: 'mean' }, 'at_least', 0.75),
    { name: 'mrr10_no_history', ...summary(plain, 0), unit: 'mean' },
    { name: 'ndcg10_no_history', ...summary(plain, 1), unit: 'mean' },
    { name: 'recall10_no_history', ...summary(plain, 2), unit: 'mean' },
    ...repositories.map(({ name }, index) => ({ name: `mrr10:${name}`, ...summary([full[index]!], 0), unit: 'mean' })),
  ]
}

async function askAll(
  repositories: readonly Repository[],
  scratch: string,
  label: string,
  input: Partial<RetrivInitInput>,
): Promise<Scores> {
  const all: Scores = []
  for (const { name, folder, questions } of repositories) {
    const search = open(path.join(scratch, label, name), folder)
    await search.init({ directories: [folder], ...input }, never)
    const scores: Scores[number] = []
    for (const { query, relevant } of questions) scores.push(measure(await pathsOf(search, query), relevant))
    all.push(scores)
    await search.close()
    process.stderr.write(`${label} ${name}: MRR ${summary([scores], 0).value.toFixed(3)}\n`)
  }
  return all
}

async function compare(repositories: readonly Repository[]): Promise<Row[]> {
  const baselines: Baseline[] = [plainBm25, fts5, miniSearch, ...((await hasRipgrep()) ? [ripgrep] : [])]
  const rows: Row[] = []
  for (const baseline of baselines) {
    const all: Scores = []
    const times: number[] = []
    for (const { folder, questions } of repositories) {
      const { ask, close } = baseline.index(readSources(folder), folder)
      const scores: Scores[number] = []
      for (const { query, relevant } of questions) {
        const started = performance.now()
        const found = await ask(query)
        times.push(performance.now() - started)
        scores.push(measure(found, relevant))
      }
      all.push(scores)
      close()
    }
    process.stderr.write(`${baseline.name}: MRR ${summary(all, 0).value.toFixed(3)}\n`)
    rows.push(
      { name: `${baseline.name}_mrr10`, ...summary(all, 0), unit: 'mean' },
      { name: `${baseline.name}_ndcg10`, ...summary(all, 1), unit: 'mean' },
      { name: `${baseline.name}_recall10`, ...summary(all, 2), unit: 'mean' },
      { name: `${baseline.name}_query_p95_ms`, value: quantile(times, 0.95), unit: 'ms' },
    )
  }
  return rows
}

function readSources(folder: string): SourceText[] {
  const sources: SourceText[] = []
  for (const met of walk(folder, exclusionOf(folder, excludePatterns))) {
    if (!('file' in met)) continue
    const bytes = readFileSync(met.file)
    const decoded = bytes.length > 1_048_576 ? undefined : decode(bytes)
    if (decoded === undefined || 'skip' in decoded || isGenerated(met.file, decoded.text)) continue
    sources.push({ path: path.relative(folder, met.file).replaceAll(path.sep, '/'), text: decoded.text })
  }
  return sources
}

/** All repositories in one index, as a large code base. Every figure is the time a caller waits, including reading lines. */
async function measureSpeed(repositories: readonly Repository[], scratch: string): Promise<Row[]> {
  const dataDir = path.join(scratch, 'speed')
  const trees = path.join(scratch, 'trees')
  const first = open(dataDir, trees)
  const folders = repositories.map(({ folder }) => folder)
  const report = await first.init({ directories: folders }, never)
  const bytes = folders.flatMap(readSources).reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
  await first.close()

  const openTimes: number[] = []
  for (let round = 0; round < openings; round++) {
    const started = performance.now()
    const again = open(dataDir, trees)
    openTimes.push(performance.now() - started)
    if (again.status().files !== report.files) throw new Error('The reopened index is not the one that was written.')
    await again.close()
  }

  const search = open(dataDir, trees, true)
  await search.init({ directories: folders }, never)
  const queries = repositories.flatMap(({ questions }) => questions.map(({ query }) => query))
  for (const query of queries.slice(0, 50)) await search.query({ query }, never)
  const queryTimes: number[] = []
  for (const query of queries) {
    const started = performance.now()
    await search.query({ query }, never)
    queryTimes.push(performance.now() - started)
  }
  const updateTimes = await measureUpdates(search, repositories)
  await search.close()
  return [
    goalRow({ name: 'index_mb_s', value: bytes / 1e3 / report.duration_ms, unit: 'MB/s' }, 'at_least', 20),
    { name: 'indexed_mb', value: bytes / 1e6, unit: 'MB' },
    { name: 'files', value: report.files, unit: 'files' },
    { name: 'chunks', value: report.chunks, unit: 'chunks' },
    { name: 'disk_mb', value: report.index_bytes / 1e6, unit: 'MB' },
    goalRow({ name: 'open_ms', value: quantile(openTimes, 0.5), unit: 'ms' }, 'at_most', 50),
    { name: 'query_p50_ms', value: quantile(queryTimes, 0.5), unit: 'ms' },
    goalRow({ name: 'query_p95_ms', value: quantile(queryTimes, 0.95), unit: 'ms' }, 'at_most', 2),
    { name: 'update_p50_ms', value: quantile(updateTimes, 0.5), unit: 'ms' },
    goalRow({ name: 'update_p95_ms', value: quantile(updateTimes, 0.95), unit: 'ms' }, 'at_most', 10),
  ]
}

/** From an edit on disk to an answer that contains it: detection, indexing and search together. */
async function measureUpdates(search: Search, repositories: readonly Repository[]): Promise<number[]> {
  const times: number[] = []
  const edited = repositories.flatMap(({ folder, questions }) => {
    const indexed = new Set(readSources(folder).map(source => source.path))
    const named = questions.map(({ relevant }) => relevant[0]!).filter(file => indexed.has(file))
    return named.map(file => path.join(folder, file))
  })
  const step = Math.max(1, Math.floor(edited.length / updates))
  for (let index = 0; index < edited.length; index += step) {
    // Letters only: a word that shares no part with another edit.
    const identifier = `planted${String(index).replace(/\d/g, digit => 'qwertyuiop'[Number(digit)]!)}`
    appendFileSync(edited[index]!, `\n// ${identifier}\n`)
    const started = performance.now()
    const { hits } = await search.query({ query: identifier, limit: 1 }, never)
    times.push(performance.now() - started)
    if (hits[0]?.lines.includes(identifier) !== true) throw new Error(`An edit of ${edited[index]!} was not found.`)
  }
  return times
}

function open(dataDir: string, allowed: string, watch = false): Search {
  const silent = () => undefined
  return openSearch({
    dataDir,
    allowedRoots: [allowed],
    onlyBelowRoots: false,
    excludePatterns,
    indexOnStart: false,
    reindexIntervalSeconds: 0,
    watch,
    now: () => performance.now(),
    countTokens: text => Math.ceil(text.length / 4),
    log: { info: silent, warn: (facts, message) => process.stderr.write(`${message} ${JSON.stringify(facts)}\n`) },
  })
}

async function pathsOf(search: Search, query: string): Promise<string[]> {
  const { hits } = await search.query({ query, limit: 10 }, never)
  return hits.map(hit => hit.path)
}

function measure(found: readonly string[], relevant: readonly string[]): Scores[number][number] {
  const wanted = new Set(relevant)
  let rr = 0
  let gain = 0
  let hits = 0
  found.slice(0, 10).forEach((file, rank) => {
    if (!wanted.has(file)) return
    if (rr === 0) rr = 1 / (rank + 1)
    gain += 1 / Math.log2(rank + 2)
    hits++
  })
  let ideal = 0
  for (let rank = 0; rank < Math.min(10, wanted.size); rank++) ideal += 1 / Math.log2(rank + 2)
  return [rr, gain / ideal, hits / wanted.size]
}

/** Mean over repositories of their means, with its 95 % bootstrap interval over questions. */
function summary(scores: Scores, metric: number): { value: number; low: number; high: number } {
  const values = scores.filter(each => each.length > 0).map(each => each.map(score => score[metric]!))
  const value = mean(values.map(mean))
  const random = seededRandom(20_240_601)
  const drawn = Array.from({ length: resamples }, () =>
    mean(values.map(each => mean(each.map(() => each[Math.floor(random() * each.length)]!)))),
  )
  return { value, low: quantile(drawn, 0.025), high: quantile(drawn, 0.975) }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

/** Mulberry32: the same intervals in every run. */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
