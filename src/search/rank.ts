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
  /** Terms that no file contains, and their replacements. */
  corrections: { term: string; instead: string[] }[]
}

/** Ranks files for the terms of a query; keeps its working memory between queries. */
export interface Ranker {
  rank(
    view: IndexView,
    query: Pick<SearchQuery, 'terms' | 'joined'>,
    limit: number,
    admission?: Admission,
  ): SearchRanking
}

/**
 * The tuned configuration, found by coordinate search over ten repositories of `bench:search`, changed only where most
 * of them improved. A file's score is `(best chunks, decayed + soft * terms anywhere + path + history) * priors`.
 */
export const tuning = {
  /** Weight of a file's next best chunk, relative to the previous one. */
  decay: 0.35,
  decayedChunks: 6,
  /** Weight of the first of several chunks: imports name everything and explain nothing. */
  head: 0.85,
  /** Credit for each term's best chunk, so that a file may contain the terms in different places. */
  soft: 0.35,
  /** Weight of files touched by the commits whose subjects are most similar to the query. */
  neighbours: 0.25,
  neighbourCommits: 50,
  neighbourPower: 1.7,
  /** Frequently changed files are more likely results. */
  churn: 0.05,
  /** So are recently changed ones: an exponent on the share of all commits since the last change. */
  recency: 0.01,
  test: 0.85,
  /** Weight of test files, when the query mentions tests. */
  testAsked: 1.1,
  prose: 0.25,
  data: 0.25,
  /** Weight of a word that says what to do rather than where. */
  bare: 0.6,
  /** Weight of two adjacent words joined. */
  joined: 0.35,
  /** Above zero and below one: rare words matter a little less than in BM25. */
  idfPower: 0.85,
  /** Weight of a replacement for a misspelled word. */
  correction: 0.5,
  corrections: 3,
  /** Maximum number of unknown words of a query that are corrected. */
  correctedWords: 5,
} as const
export type Tuning = { [K in keyof typeof tuning]: number }

export function createRanker(options: IndexOptions, settings: Tuning = tuning): Ranker {
  const reader = createTermReader(settings)
  const statuses = new WeakMap<Segment, FileStatus>()
  const emptyScores = ({ segment, dead }: LivePart, histories: readonly Commits[], mentionsTests: boolean) => {
    const known = statuses.get(segment)
    const of = histories.map(({ name }) => name).join()
    const status = known?.of === of ? known : fileStatusOf(segment, histories, of, settings)
    statuses.set(segment, status)
    const { prior, testPrior, longestFile, bound, extra } = status
    bound.fill(0)
    extra.fill(0)
    return { segment, dead, longestFile, texts: [], bound, extra, prior: mentionsTests ? testPrior : prior }
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
      let unknown = 0
      const take = (term: string, weight: number) => {
        const lists = reader.read(view, term)
        if (lists !== undefined) found.push({ lists, weight })
        return lists !== undefined
      }
      for (const term of new Set([...terms, ...joined])) {
        if (take(term, weightOf(term, terms, settings)) || !terms.has(term)) continue
        // Each search reads many terms of the index; a text pasted as a query has hundreds of unknown words.
        if (++unknown > settings.correctedWords) continue
        const instead = nearestTerms(
          term,
          view.parts.map(({ segment }) => segment),
          settings.corrections,
        )
        if (instead.length > 0) corrections.push({ term, instead })
        for (const other of instead) take(other, settings.correction)
      }
      const histories = options.weights.history > 0 ? view.histories : []
      const mentionsTests = terms.has('test') || terms.has('spec')
      const parts = view.parts.map((part): PartScores => emptyScores(part, histories, mentionsTests))
      for (const each of found) addWord(parts, each, view.fileCount, options.weights, settings.idfPower)
      for (const [index, history] of histories.entries()) addHistory(parts, history, pastOf(history), found, index)
      return { ranked: bestFiles(parts, limit, admission, settings), corrections }
    },
  }
}

/**
 * Requests and commit subjects start with these. In eight of ten repositories results improve when they weigh less,
 * since code that merely contains `add` is not what is searched for.
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

/** A term in the index, and its weight. */
interface Found {
  lists: TermLists
  weight: number
}

/** Precomputed data of a segment, and memory for the scores of its files. */
interface FileStatus {
  /** By file: the query-independent factor of its score; then the same for a query about tests. */
  prior: Float32Array
  testPrior: Float32Array
  /** Names of the histories that the priors are based on. */
  of: string
  longestFile: number
  bound: Float32Array
  extra: Float32Array
}

function fileStatusOf(segment: Segment, histories: readonly Commits[], of: string, settings: Tuning): FileStatus {
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

/** Adds a term's maximum text score to the files' bounds, and its path scores to their scores. */
function addWord(
  parts: readonly PartScores[],
  { lists, weight }: Found,
  fileCount: number,
  weights: IndexOptions['weights'],
  idfPower: number,
): void {
  const textUnit = (idf(lists.files, fileCount) ** idfPower * weight) / 255
  const pathUnit = (idf(lists.paths, fileCount) ** idfPower * weight) / 255
  for (const [index, list] of lists.texts.entries()) {
    if (list === undefined) continue
    const { texts, bound, extra } = parts[index]!
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
  index: number,
): void {
  const words = found.flatMap(({ lists, weight }) => {
    const list = lists.pasts[index]
    return list === undefined ? [] : [{ list, weight }]
  })
  if (words.length === 0) return
  const byPath = past.weigh(words)
  for (const { segment, extra } of parts) {
    const { files, paths } = history.meetIn(segment)
    for (let place = 0; place < files.length; place++) extra[files[place]!]! += byPath[paths[place]!]!
  }
}
