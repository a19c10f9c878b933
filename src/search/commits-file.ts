import type { Commit } from './history.ts'
import { readCounts, writeCounts } from './postings.ts'
import type { Segment } from './segment-file.ts'
import { createTermFile, openTermFile } from './term-file.ts'
import { byteWriter, readText, readVarint } from './varint.ts'
import { wordsOfText } from './words.ts'
import { crc32 } from 'node:zlib'

/** What the history of one root says about files, by words of commit subjects. */
export interface Commits {
  readonly name: string
  readonly sizeBytes: number
  /** Files that any commit touched. */
  readonly pathCount: number
  /** By path: how often it was touched, a commit of many files counting less. */
  readonly touches: Float32Array
  /** By path: words of its commits' subjects. */
  readonly wordCounts: Float32Array
  readonly usualWordCount: number
  readonly commitCount: number
  readonly usualSubjectLength: number
  /** By commit: words of its subject. */
  readonly subjectLengths: Uint16Array
  /** By commit, where its paths begin in `paths`; one more entry closes the last. */
  readonly firstPaths: Uint32Array
  readonly paths: Uint32Array
  /** Commits whose subject has the term, newest first. */
  find(term: string): Uint32Array | undefined
  /** By path, its file in a segment, or -1. */
  filesIn(segment: Segment): Int32Array
  preload(): Promise<void>
  close(): void
}

/** A commit that touches everything says nothing about anything. */
const maxPathsPerCommit = 40

export function writeCommits(file: string, commits: readonly Commit[]): void {
  const telling = commits.filter(commit => commit.paths.length > 0 && commit.paths.length <= maxPathsPerCommit)
  const numbers = new Map<string, number>()
  const firstPath: number[] = [0]
  const commitPaths: number[] = []
  const touches: number[] = []
  const wordCounts: number[] = []
  const withTerm = new Map<string, number[]>()
  const subjectLengths = telling.map((commit, at) => {
    const words = wordsOfText(commit.subject)
    for (const word of new Set(words)) {
      const known = withTerm.get(word)
      if (known === undefined) withTerm.set(word, [at])
      else known.push(at)
    }
    for (const name of commit.paths) {
      const number = numbers.get(name) ?? numbers.size
      numbers.set(name, number)
      commitPaths.push(number)
      touches[number] = (touches[number] ?? 0) + 1 / Math.sqrt(commit.paths.length)
      wordCounts[number] = (wordCounts[number] ?? 0) + words.length
    }
    firstPath.push(commitPaths.length)
    return words.length
  })
  const out = createTermFile(file)
  const payload = byteWriter()
  for (const term of [...withTerm.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))) {
    const commitsWithTerm = withTerm.get(term)!
    payload.clear()
    writeCounts(payload, { chunks: commitsWithTerm.length, files: 0, paths: 0 })
    let previous = 0
    for (const commit of commitsWithTerm) {
      payload.varint(commit - previous)
      previous = commit
    }
    out.add(term, payload.view())
  }
  const paths = byteWriter()
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
    'path.words': Float32Array.from(wordCounts),
  })
}

/** @throws {DamagedFile} when the file cannot be used. */
export function openCommits(file: string, name: string): Commits {
  const inner = openTermFile(file)
  const firstPath = inner.array('commit.firstPath', 'u32')
  const commitPath = inner.array('commit.path', 'u32')
  const subjectLengths = inner.array('commit.words', 'u16')
  const wordCounts = inner.array('path.words', 'f32')
  const pathText = inner.array('path.text', 'u8')
  const pathEnd = inner.array('path.end', 'u32')
  const checksums = inner.array('path.checksum', 'u32')
  const pathOf = (path: number) => readText({ bytes: pathText, at: path === 0 ? 0 : pathEnd[path - 1]! })
  const places = new WeakMap<Segment, Int32Array>()
  let byChecksum: Map<number, number> | undefined
  return {
    name,
    sizeBytes: inner.sizeBytes,
    pathCount: wordCounts.length,
    touches: inner.array('path.touches', 'f32'),
    wordCounts,
    usualWordCount: mean(wordCounts),
    commitCount: subjectLengths.length,
    usualSubjectLength: mean(subjectLengths),
    subjectLengths,
    firstPaths: firstPath,
    paths: commitPath,
    find(term) {
      const payload = inner.find(term)
      if (payload === undefined) return undefined
      const reader = { bytes: payload, at: 0 }
      const commits = new Uint32Array(Math.min(readCounts(reader).chunks, subjectLengths.length))
      let commit = 0
      for (let at = 0; at < commits.length; at++) {
        commit += readVarint(reader)
        commits[at] = commit
      }
      return commits
    },
    filesIn(segment) {
      const known = places.get(segment)
      if (known !== undefined) return known
      byChecksum ??= new Map(Array.from(checksums, (checksum, path) => [checksum, path]))
      const files = new Int32Array(wordCounts.length).fill(-1)
      segment.pathChecksums.forEach((checksum, file) => {
        const path = byChecksum!.get(checksum)
        if (path !== undefined && pathOf(path) === segment.pathOf(file)) files[path] = file
      })
      places.set(segment, files)
      return files
    },
    preload: () => inner.preload(),
    close: () => inner.close(),
  }
}

function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let at = 0; at < values.length; at++) sum += values[at]!
  return Math.max(1, sum / Math.max(1, values.length))
}
