import type { Commits } from './commits-file.ts'
import type { IndexView, LivePart } from './index-view.ts'
import type { IndexOptions } from './options.ts'
import { openPast, type Past } from './past.ts'
import { bestFiles, type Admission, type PartScores, type Ranked } from './best-files.ts'
import { idf } from './postings.ts'
import { traits, type Segment } from './segment-file.ts'
import { stem } from './stem.ts'
import { nearestTerms } from './typo.ts'
import type { SearchQuery } from './query.ts'
import { createTermReader, type TermLists } from './term-lists.ts'

/** What the terms of a query became when they met the index. */
export interface SearchRanking {
  ranked: Ranked[]
  /** Terms that no file has, and what was looked for instead. */
  corrections: { term: string; instead: string[] }[]
}

/** Ranks files for the terms of a query; keeps its scratch memory between queries. */
export interface Ranker {
  rank(
    view: IndexView,
    query: Pick<SearchQuery, 'terms' | 'joined'>,
    limit: number,
    admission?: Admission,
  ): SearchRanking
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
  const reader = createTermReader(settings)
  const statuses = new WeakMap<Segment, FileStatus>()
  const emptyScores = ({ segment, dead }: LivePart, histories: readonly Commits[], asksForTests: boolean) => {
    const known = statuses.get(segment)
    const of = histories.map(({ name }) => name).join()
    const status = known?.of === of ? known : candidateOf(segment, histories, of, settings)
    statuses.set(segment, status)
    const { prior, testPrior, longestFile, bound, extra } = status
    bound.fill(0)
    extra.fill(0)
    return { segment, dead, longestFile, texts: [], bound, extra, prior: asksForTests ? testPrior : prior }
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
      const corrections: SearchRanking['corrections'] = []
      const found: Found[] = []
      const take = (term: string, weight: number) => {
        const lists = reader.read(view, term)
        if (lists !== undefined) found.push({ lists, weight })
        return lists !== undefined
      }
      for (const term of new Set([...terms, ...joined])) {
        if (take(term, weightOf(term, terms, settings)) || !terms.has(term)) continue
        const instead = nearestTerms(
          term,
          view.parts.map(({ segment }) => segment),
          settings.corrections,
        )
        if (instead.length > 0) corrections.push({ term, instead })
        for (const other of instead) take(other, settings.correction)
      }
      const histories = options.weights.history > 0 ? view.histories : []
      const asksForTests = terms.has('test') || terms.has('spec')
      const parts = view.parts.map((part): PartScores => emptyScores(part, histories, asksForTests))
      for (const each of found) addWord(parts, each, view.fileCount, options.weights, settings.idfPower)
      for (const [at, history] of histories.entries()) addHistory(parts, history, pastOf(history), found, at)
      return { ranked: bestFiles(parts, limit, admission, settings), corrections }
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

/** A term that the index has, and what it counts. */
interface Found {
  lists: TermLists
  weight: number
}

/** What is known of a segment before a query, and memory for the scores of its files. */
interface FileStatus {
  /** By file: what its score is multiplied with, whatever the query; then the same for a query about tests. */
  prior: Float32Array
  testPrior: Float32Array
  /** Names of the histories that the priors come from. */
  of: string
  longestFile: number
  bound: Float32Array
  extra: Float32Array
}

function candidateOf(segment: Segment, histories: readonly Commits[], of: string, settings: Tuning): FileStatus {
  const { firstChunks, fileCount } = segment
  let longestFile = 0
  for (let file = 0; file < fileCount; file++) {
    longestFile = Math.max(longestFile, firstChunks[file + 1]! - firstChunks[file]!)
  }
  return {
    prior: priorsOf(segment, histories, settings),
    testPrior: priorsOf(segment, histories, { ...settings, test: settings.testAsked }),
    of,
    longestFile,
    bound: new Float32Array(fileCount),
    extra: new Float32Array(fileCount),
  }
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

/** Raises what files can score at most by what a word says of their text, and their scores by what their paths say. */
function addWord(
  parts: readonly PartScores[],
  { lists, weight }: Found,
  fileCount: number,
  weights: IndexOptions['weights'],
  idfPower: number,
): void {
  const textUnit = (idf(lists.files, fileCount) ** idfPower * weight) / 255
  const pathUnit = (idf(lists.paths, fileCount) ** idfPower * weight) / 255
  for (const [at, list] of lists.texts.entries()) {
    if (list === undefined) continue
    const { texts, bound, extra } = parts[at]!
    const { files, most, pathFiles, directoryImpacts, nameImpacts } = list
    if (files.length > 0) texts.push({ list, unit: textUnit })
    for (let place = 0; place < files.length; place++) bound[files[place]!]! += most[place]! * textUnit
    for (let place = 0; place < pathFiles.length; place++) {
      const impact = weights.directory * directoryImpacts[place]! + weights.fileName * nameImpacts[place]!
      extra[pathFiles[place]!]! += pathUnit * impact
    }
  }
}

function addHistory(
  parts: readonly PartScores[],
  history: Commits,
  past: Past,
  found: readonly Found[],
  at: number,
): void {
  const words = found.flatMap(({ lists, weight }) => {
    const list = lists.pasts[at]
    return list === undefined ? [] : [{ list, weight }]
  })
  if (words.length === 0) return
  const byPath = past.weigh(words)
  for (const { segment, extra } of parts) {
    const { files, paths } = history.meetIn(segment)
    for (let place = 0; place < files.length; place++) extra[files[place]!]! += byPath[paths[place]!]!
  }
}
