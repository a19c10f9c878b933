import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { readCsv, writeCsv } from './csv.ts'

/** One published result. */
export interface Score {
  benchmark: string
  /** The source's spelling. */
  model: string
  /** A share of tasks solved (0..1), or a rating on the Elo scale where the benchmark says so. */
  score: number
}

/** Published facts about a model other than results. */
export interface ModelFact {
  /** The source's spelling. */
  model: string
  source: string
  /** YYYY-MM-DD or YYYY-MM. */
  released?: string | undefined
  /** Billions of parameters. */
  sizeB?: number | undefined
  /** List prices in USD per million tokens. */
  inputPrice?: number | undefined
  outputPrice?: number | undefined
}

/** A source of facts. */
export interface Source {
  name: string
  url: string
  license: string
  /** When the source last changed: YYYY-MM-DD. */
  date: string
  /** The version that was read, if the source has versions. */
  commit?: string
}

export interface BenchmarkFacts {
  source: string
  /** The kind of work it is an example of. */
  kind: WorkKind
  unit: 'share' | 'elo'
  /** Score of random guessing. */
  chance?: number
  /** Results reported by the models' makers. */
  selfReported?: true
}

/** Kinds of work that public benchmarks distinguish. */
export const workKinds = ['coding', 'tools', 'math', 'knowledge', 'reasoning', 'instructions', 'chat'] as const
export type WorkKind = (typeof workKinds)[number]

export interface Facts {
  sources: Record<string, Source>
  benchmarks: Record<string, BenchmarkFacts>
  scores: Score[]
  models: ModelFact[]
}

/** The committed facts. */
const factsFolder = import.meta.dirname

export function readFacts(folder: string = factsFolder): Facts {
  const read = (name: string) => readFileSync(path.join(folder, name), 'utf8')
  const number = (text: string) => (text === '' ? undefined : Number(text))
  return {
    sources: JSON.parse(read('sources.json')) as Facts['sources'],
    benchmarks: JSON.parse(read('benchmarks.json')) as Facts['benchmarks'],
    scores: readCsv(read('scores.csv')).map(({ benchmark, model, score }) => ({
      benchmark: benchmark!,
      model: model!,
      score: Number(score),
    })),
    models: readCsv(read('models.csv')).map(row => ({
      model: row['model']!,
      source: row['source']!,
      released: row['released'] || undefined,
      sizeB: number(row['sizeB']!),
      inputPrice: number(row['inputPrice']!),
      outputPrice: number(row['outputPrice']!),
    })),
  }
}

/** Replaces the committed facts of the sources that were read again; the rest stays. */
export function mergeFacts(committed: Facts, read: Pick<Facts, 'scores' | 'models'>): Facts {
  const benchmarks = new Set(read.scores.map(({ benchmark }) => benchmark))
  const sources = new Set(read.models.map(({ source }) => source))
  const scores = [...committed.scores.filter(({ benchmark }) => !benchmarks.has(benchmark)), ...read.scores]
  const models = [...committed.models.filter(({ source }) => !sources.has(source)), ...read.models]
  return {
    ...committed,
    scores: scores.sort((a, b) => order(a.benchmark, b.benchmark) || order(a.model, b.model)),
    models: models.sort((a, b) => order(a.source, b.source) || order(a.model, b.model)),
  }
}

export function writeFacts({ scores, models }: Facts, folder: string = factsFolder): void {
  writeFileSync(
    path.join(folder, 'scores.csv'),
    writeCsv(
      ['benchmark', 'model', 'score'],
      scores.map(({ benchmark, model, score }) => [benchmark, model, Number(score.toPrecision(5))]),
    ),
  )
  writeFileSync(
    path.join(folder, 'models.csv'),
    writeCsv(
      ['source', 'model', 'released', 'sizeB', 'inputPrice', 'outputPrice'],
      models.map(each => [each.source, each.model, each.released, each.sizeB, each.inputPrice, each.outputPrice]),
    ),
  )
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
