import type { Commit } from './history.ts'
import { impactOf, lengthNorm } from './postings.ts'
import type { Segment } from './segment-file.ts'
import { createTermFile, openTermFile, textAt } from './term-file.ts'
import { createByteWriter } from './varint.ts'
import { wordsOfText } from './words.ts'
import { crc32 } from 'node:zlib'

/** The git history of one root: which files go with which words of commit subjects. */
export interface Commits {
  readonly name: string
  readonly sizeBytes: number
  readonly commitCount: number
  /** By commit: weight of one matching word of its subject; words of short subjects weigh more. */
  readonly subjectWeights: Float32Array
  /** By commit, where its paths start in `paths`; one extra entry marks the end. */
  readonly firstPaths: Uint32Array
  readonly paths: Uint32Array
  /** Files touched by any commit. */
  readonly pathCount: number
  /** By path: how often it was touched; a commit of many files counts less. */
  readonly touches: Float32Array
  /**
   * The postings of a term: the number of commits, then each commit's gap to the previous one; the number of paths they
   * touched, then each path's gap and impact.
   */
  find(term: string): Uint8Array | undefined
  /** By path: number of commits newer than the last that touched it. */
  age(path: number): number
  /** The files of a segment touched by any commit: `files[at]` is `paths[at]` here. */
  meetIn(segment: Segment): { files: Uint32Array; paths: Uint32Array }
  preload(): Promise<void>
  close(): void
}

/** A commit that touches very many files carries no information. */
const maxPathsPerCommit = 40

export function writeCommits(file: string, commits: readonly Commit[], k1: number): void {
  const informative = commits.filter(commit => commit.paths.length > 0 && commit.paths.length <= maxPathsPerCommit)
  const numbers = new Map<string, number>()
  const firstPath: number[] = [0]
  const commitPaths: number[] = []
  const touches: number[] = []
  const isBinding: number[] = []
  const withTerm = new Map<string, number[]>()
  const subjectLengths = informative.map((commit, index) => {
    const words = wordsOfText(commit.subject)
    for (const word of new Set(words)) {
      const known = withTerm.get(word)
      if (known === undefined) withTerm.set(word, [index])
      else known.push(index)
    }
    for (const name of commit.paths) {
      const number = numbers.get(name) ?? numbers.size
      numbers.set(name, number)
      commitPaths.push(number)
      touches[number] = (touches[number] ?? 0) + 1 / Math.sqrt(commit.paths.length)
      isBinding[number] = (isBinding[number] ?? 0) + words.length
    }
    firstPath.push(commitPaths.length)
    return words.length
  })
  const typicalWords = mean(isBinding)
  const times = new Uint32Array(numbers.size)
  const out = createTermFile(file)
  const payload = createByteWriter()
  for (const term of [...withTerm.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))) {
    const having = withTerm.get(term)!
    const touched: number[] = []
    payload.clear()
    payload.varint(having.length)
    having.forEach((commit, index) => {
      payload.varint(commit - (having[index - 1] ?? 0))
      for (let place = firstPath[commit]!; place < firstPath[commit + 1]!; place++) {
        if (times[commitPaths[place]!]!++ === 0) touched.push(commitPaths[place]!)
      }
    })
    payload.varint(touched.length)
    touched.sort((a, b) => a - b)
    touched.forEach((path, index) => {
      payload.varint(path - (touched[index - 1] ?? 0))
      payload.byte(impactOf(times[path]! / lengthNorm(isBinding[path]!, typicalWords, historyB), k1))
      times[path] = 0
    })
    out.add(term, payload.view())
  }
  const paths = createByteWriter()
  const pathEnds = Uint32Array.from(numbers.keys(), name => {
    paths.text(name)
    return paths.length
  })
  out.finish({
    'commit.firstPath': Uint32Array.from(firstPath),
    'commit.path': Uint32Array.from(commitPaths),
    'commit.words': Uint16Array.from(subjectLengths),
    'path.text': paths.view(),
    'path.end': pathEnds,
    'path.checksum': Uint32Array.from(numbers.keys(), name => crc32(name)),
    'path.touches': Float32Array.from(touches),
  })
}

/** @throws {DamagedFile} when the file is unusable. */
export function openCommits(file: string, name: string): Commits {
  const inner = openTermFile(file)
  const firstPath = inner.array('commit.firstPath', 'u32')
  const commitPath = inner.array('commit.path', 'u32')
  const subjectLengths = inner.array('commit.words', 'u16')
  const touches = inner.array('path.touches', 'f32')
  const checksums = inner.array('path.checksum', 'u32')
  const pathOf = textAt(inner, 'path.text', 'path.end')
  const meetings = new WeakMap<Segment, { files: Uint32Array; paths: Uint32Array }>()
  let ages: Uint32Array | undefined
  let byChecksum: Map<number, number> | undefined
  return {
    name,
    sizeBytes: inner.sizeBytes,
    commitCount: subjectLengths.length,
    subjectWeights: subjectWeightsOf(subjectLengths),
    firstPaths: firstPath,
    paths: commitPath,
    pathCount: touches.length,
    touches,
    find: term => inner.find(term),
    age(path) {
      ages ??= agesOf(firstPath, commitPath, touches.length)
      return ages[path]!
    },
    meetIn(segment) {
      const known = meetings.get(segment)
      if (known !== undefined) return known
      byChecksum ??= new Map(Array.from(checksums, (checksum, path) => [checksum, path]))
      const files: number[] = []
      const paths: number[] = []
      segment.pathChecksums.forEach((checksum, file) => {
        const path = byChecksum!.get(checksum)
        if (path === undefined || pathOf(path) !== segment.pathOf(file)) return
        files.push(file)
        paths.push(path)
      })
      const meeting = { files: Uint32Array.from(files), paths: Uint32Array.from(paths) }
      meetings.set(segment, meeting)
      return meeting
    },
    preload: () => inner.preload(),
    close: () => inner.close(),
  }
}

/** Commits come newest first, so the first commit that names a path is its last one. */
function agesOf(firstPath: Uint32Array, commitPath: Uint32Array, pathCount: number): Uint32Array {
  const ages = new Uint32Array(pathCount)
  for (let commit = firstPath.length - 2; commit >= 0; commit--) {
    for (let place = firstPath[commit]!; place < firstPath[commit + 1]!; place++) ages[commitPath[place]!] = commit
  }
  return ages
}

/** BM25 without idf, for texts without repetitions. */
function subjectWeightsOf(subjectLengths: Uint16Array): Float32Array {
  const typicalLength = mean(subjectLengths)
  return Float32Array.from(subjectLengths, length => {
    return (subjectK1 + 1) / (1 + subjectK1 * lengthNorm(length, typicalLength, subjectB))
  })
}

const historyB = 0.75
const subjectK1 = 1.2
const subjectB = 0.75

function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let index = 0; index < values.length; index++) sum += values[index]!
  return Math.max(1, sum / Math.max(1, values.length))
}
