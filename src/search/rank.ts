import type { Commits } from './commits-file.ts'
import type { IndexView, LivePart } from './index-view.ts'
import type { IndexOptions } from './options.ts'
import { openPast, type Past } from './past.ts'
import { idf, readCounts } from './postings.ts'
import { traits, type Segment } from './segment-file.ts'
import { stem } from './stem.ts'
import { nearestTerms } from './typo.ts'
import type { Query } from './query.ts'
import { readVarint } from './varint.ts'

/** A file and the chunk of it that answers best. */
export interface Ranked {
  segment: Segment
  file: number
  chunk: number
  score: number
}

/** What the terms of a query became when they met the index. */
export interface Ranking {
  ranked: Ranked[]
  /** Terms that no file has, and what was looked for instead. */
  corrections: { term: string; instead: string[] }[]
}

/** Which files and chunks may be found at all. */
export interface Admission {
  file?: (segment: Segment, file: number) => boolean
  chunk?: (segment: Segment, chunk: number) => boolean
}

/** Ranks files for the terms of a query; keeps its scratch memory between queries. */
export interface Ranker {
  rank(view: IndexView, query: Pick<Query, 'terms' | 'joined'>, limit: number, admission?: Admission): Ranking
}

/**
 * The one frozen configuration, found by coordinate search over ten repositories of `bench:search`, changed only where
 * most of them gained. A file's score is
 * `(best chunks, decayed + soft * words anywhere + path + history) * priors`.
 */
export const tuning = {
  /** What the next best chunk of a file adds, relative to the one before it. */
  decay: 0.35,
  decayedChunks: 6,
  /** The first of several chunks: imports name everything and explain nothing. */
  head: 0.85,
  /** Credit for each word's best chunk, so that a file may hold the words in different places. */
  soft: 0.35,
  /** Files touched by the commits whose subjects are nearest to the query. */
  neighbours: 0.25,
  neighbourCommits: 50,
  neighbourPower: 1.7,
  /** A file that changes often is more often meant. */
  churn: 0.05,
  /** So is one that changed lately: the power of commits in all to commits since. */
  recency: 0.01,
  test: 0.85,
  /** Tests, when the query speaks of tests. */
  testAsked: 1.1,
  prose: 0.25,
  data: 0.25,
  /** What a word counts that says what to do and not to what. */
  bare: 0.6,
  /** What two neighbouring words written as one count. */
  joined: 0.35,
  /** Above nothing and below one: rare words matter a little less than BM25 has it. */
  idfPower: 0.85,
  /** What a word counts that stands in for a misspelt one. */
  correction: 0.5,
  corrections: 3,
} as const
export type Tuning = { [K in keyof typeof tuning]: number }

export function createRanker(options: IndexOptions, settings: Tuning = tuning): Ranker {
  const scratch = new WeakMap<Segment, Scores>()
  const scoresOf = ({ segment }: LivePart, histories: readonly Commits[]) => {
    const known = scratch.get(segment)
    const of = histories.map(({ name }) => name).join()
    const scores = known?.of === of ? known : emptyScores(segment, histories, of, settings)
    scratch.set(segment, scores)
    scores.chunks.fill(0)
    scores.soft.fill(0)
    scores.extra.fill(0)
    return scores
  }
  const pasts = new WeakMap<Commits, Past>()
  const pastTuning = { ...settings, history: options.weights.history, k1: options.k1 }
  const pastOf = (history: Commits) => {
    const past = pasts.get(history) ?? openPast(history, pastTuning)
    pasts.set(history, past)
    return past
  }
  return {
    rank(view, { terms, joined }, limit, admission = {}) {
      const histories = options.weights.history > 0 ? view.histories : []
      const scores = view.parts.map(part => scoresOf(part, histories))
      const segments = view.parts.map(({ segment }) => segment)
      const corrections: Ranking['corrections'] = []
      const asksForTests = terms.has('test') || terms.has('spec')
      const found = [...new Set([...terms, ...joined])].flatMap((term): Found[] => {
        const exact = lookUp(view, term, weightOf(term, terms, settings))
        if (exact !== undefined) return [exact]
        if (!terms.has(term)) return []
        const instead = nearestTerms(term, segments, settings.corrections)
        if (instead.length > 0) corrections.push({ term, instead })
        return instead.flatMap(other => lookUp(view, other, settings.correction) ?? [])
      })
      for (const each of found) addText(view, each, scores, options.weights, settings)
      for (const [at, history] of histories.entries()) addHistory(view, history, pastOf(history), found, at, scores)
      return { ranked: best(view, scores, asksForTests, limit, admission, settings), corrections }
    },
  }
}

/**
 * Requests and commit subjects begin with these. In eight of ten repositories files are found better when they count
 * less, since code that happens to say `add` is not what is meant.
 */
const bareWords = new Set(
  'add fix update remove support use make allow handle improve correct stop ensure change clean cleanup refactor new when also only better miss wrong move rename replace implement enable disable avoid prevent set get should can more still after before instead now via per all any'
    .split(' ')
    .map(stem),
)

function weightOf(term: string, terms: ReadonlySet<string>, settings: Tuning): number {
  if (!terms.has(term)) return settings.joined
  return bareWords.has(term) ? settings.bare : 1
}

/** What a query has found so far in one segment. */
interface Scores {
  /** By chunk: its words. */
  chunks: Float32Array
  /** By file: each word's best chunk. */
  soft: Float32Array
  /** By file: its path and its history. */
  extra: Float32Array
  /** By file: what its score is multiplied with, whatever the query; then the same for a query about tests. */
  prior: Float32Array
  testPrior: Float32Array
  /** Names of the histories that the priors come from. */
  of: string
}

function emptyScores(segment: Segment, histories: readonly Commits[], of: string, settings: Tuning): Scores {
  const prior = priorsOf(segment, histories, settings)
  const testPrior = priorsOf(segment, histories, { ...settings, test: settings.testAsked })
  const files = segment.fileCount
  const [soft, extra] = [new Float32Array(files), new Float32Array(files)]
  return { chunks: new Float32Array(segment.chunkCount), soft, extra, prior, testPrior, of }
}

function priorsOf(segment: Segment, histories: readonly Commits[], settings: Tuning): Float32Array {
  const prior = Float32Array.from(segment.traits, bits => priorOf(bits, settings))
  for (const history of histories) {
    const { files, paths } = history.meetIn(segment)
    files.forEach((file, place) => {
      const path = paths[place]!
      const recency = ((history.commitCount + 1) / (history.age(path) + 1)) ** settings.recency
      prior[file]! *= (1 + settings.churn * Math.log1p(history.touches[path]!)) * recency
    })
  }
  return prior
}

function priorOf(bits: number, settings: Tuning): number {
  const kind = (bits & traits.prose) !== 0 ? settings.prose : (bits & traits.data) !== 0 ? settings.data : 1
  return (bits & traits.test) !== 0 ? kind * settings.test : kind
}

/** A term that the index has, with its postings in each part. */
interface Found {
  term: string
  weight: number
  payloads: (Uint8Array | undefined)[]
  /** By history, its postings there. */
  commits: (Uint8Array | undefined)[]
  files: number
  paths: number
}

function lookUp(view: IndexView, term: string, weight: number): Found | undefined {
  const found: Found = { term, weight, payloads: [], commits: [], files: 0, paths: 0 }
  for (const { segment } of view.parts) {
    const payload = segment.find(term)
    found.payloads.push(payload)
    if (payload === undefined) continue
    const counts = readCounts({ bytes: payload, at: 0 })
    found.files += counts.files
    found.paths += counts.paths
  }
  for (const history of view.histories) found.commits.push(history.find(term))
  const known = found.files + found.paths > 0 || found.commits.some(commits => commits !== undefined)
  return known ? found : undefined
}

function addText(
  view: IndexView,
  found: Found,
  scores: readonly Scores[],
  weights: IndexOptions['weights'],
  settings: Tuning,
) {
  const total = view.fileCount
  const textUnit = (idf(found.files, total) ** settings.idfPower * found.weight) / 255
  const pathUnit = (idf(found.paths, total) ** settings.idfPower * found.weight) / 255
  found.payloads.forEach((payload, at) => {
    if (payload === undefined) return
    const fileOf = view.parts[at]!.segment.fileOf()
    const { chunks, soft, extra } = scores[at]!
    const reader = { bytes: payload, at: 0 }
    const counts = readCounts(reader)
    let chunk = 0
    let file = -1
    let most = 0
    // Written out rather than called: this loop is most of a query's time.
    let position = reader.at
    for (let left = counts.chunks; left > 0; left--) {
      let byte = payload[position++]!
      let gap = byte & 127
      for (let shift = 7; byte > 127 && shift < 35; shift += 7) {
        byte = payload[position++]!
        gap |= (byte & 127) << shift
      }
      const impact = payload[position++]!
      chunk += gap
      chunks[chunk]! += impact * textUnit
      const its = fileOf[chunk]!
      if (its === file) {
        if (impact > most) {
          soft[file]! += (impact - most) * textUnit
          most = impact
        }
      } else {
        file = its
        most = impact
        soft[file]! += impact * textUnit
      }
    }
    reader.at = position
    file = 0
    for (let left = counts.paths; left > 0; left--) {
      file += readVarint(reader)
      extra[file]! += pathUnit * (weights.directory * payload[reader.at]! + weights.fileName * payload[reader.at + 1]!)
      reader.at += 2
    }
  })
}

function addHistory(
  view: IndexView,
  history: Commits,
  past: Past,
  found: readonly Found[],
  at: number,
  scores: readonly Scores[],
): void {
  const words = found.flatMap(({ commits, weight }) => {
    const bytes = commits[at]
    return bytes === undefined ? [] : [{ bytes, weight }]
  })
  if (words.length === 0) return
  const byPath = past.weigh(words)
  view.parts.forEach(({ segment }, part) => {
    const { files, paths } = history.meetIn(segment)
    const { extra } = scores[part]!
    for (let place = 0; place < files.length; place++) extra[files[place]!]! += byPath[paths[place]!]!
  })
}

function best(
  view: IndexView,
  scores: readonly Scores[],
  asksForTests: boolean,
  limit: number,
  admission: Admission,
  settings: Tuning,
): Ranked[] {
  const kept: Ranked[] = []
  const top = new Float64Array(settings.decayedChunks)
  // No chunk has more than each word's best, so that this bounds the sum of a file's decayed chunks.
  const bound = settings.soft + 1 / (1 - settings.decay)
  for (const [at, { segment, dead }] of view.parts.entries()) {
    const { chunks, soft, extra, prior: usual, testPrior } = scores[at]!
    const prior = asksForTests ? testPrior : usual
    const { firstChunks } = segment
    for (let file = 0; file < dead.length; file++) {
      const most = (soft[file]! * bound + extra[file]!) * prior[file]!
      if (most <= 0 || dead[file] === 1 || (kept.length === limit && most <= kept[limit - 1]!.score)) continue
      if (admission.file !== undefined && !admission.file(segment, file)) continue
      const chunk = topChunks(
        top,
        chunks,
        firstChunks[file]!,
        firstChunks[file + 1]!,
        segment,
        admission,
        settings.head,
      )
      if (admission.chunk !== undefined && chunk < 0) continue
      let score = soft[file]! * settings.soft + extra[file]!
      for (let place = 0, share = 1; place < top.length; place++, share *= settings.decay) score += share * top[place]!
      score *= prior[file]!
      if (kept.length === limit && score <= kept[limit - 1]!.score) continue
      keep(kept, limit, { segment, file, chunk: Math.max(chunk, firstChunks[file]!), score })
    }
  }
  return kept
}

/** Fills `top` with the largest scores of a stretch of chunks, and returns the chunk with the largest, or -1. */
function topChunks(
  top: Float64Array,
  chunks: Float32Array,
  from: number,
  to: number,
  segment: Segment,
  admission: Admission,
  head: number,
): number {
  top.fill(0)
  let best = -1
  for (let chunk = from; chunk < to; chunk++) {
    const value = chunk === from && to - from > 1 ? chunks[chunk]! * head : chunks[chunk]!
    if (value <= top[top.length - 1]! || (admission.chunk !== undefined && !admission.chunk(segment, chunk))) continue
    if (value > top[0]!) best = chunk
    let place = top.length - 1
    for (; place > 0 && top[place - 1]! < value; place--) top[place] = top[place - 1]!
    top[place] = value
  }
  return best
}

function keep(kept: Ranked[], limit: number, ranked: Ranked): void {
  let low = 0
  let high = kept.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (kept[middle]!.score >= ranked.score) low = middle + 1
    else high = middle
  }
  kept.splice(low, 0, ranked)
  if (kept.length > limit) kept.pop()
}
