import { initialPriorTrust, observe, reconsider, revise, type Belief, type Prior, type PriorTrust } from './beliefs.ts'
import { clamp } from './clamp.ts'

/** A benchmark's verdict on a model, for one kind of task or, as `*`, in general. */
export interface Benchmark {
  /** Mean score, 0..1. */
  score: number
  runs: number
  /** How many different tasks they put. */
  tasks: number
}

/** How fast one endpoint serves one model, as moving averages of what was seen. */
export interface Speed {
  /** Milliseconds from sending to the first token, when the model was in memory, without the time for the prompt. */
  firstTokenMs: number
  /** Rises to every peak at once and falls slowly (peak EWMA), so that an endpoint in trouble is left at once. */
  peakMs: number
  loadMs: number
  promptTokensPerSecond: number
  outputTokensPerSecond: number
  count: number
  updatedAt: number
}

export interface OutputLength {
  tokens: number
  count: number
}

/** How a verifier did: how often it accepted, and how often its word agreed with what people or tests said later. */
export interface VerifierRecord {
  accepted: number
  rejected: number
  agreed: number
  compared: number
}

/**
 * Everything learned on this installation. Plain data; the functions of this file are its only writers. Models are filed
 * under the key of their `Ability`, speeds under the model's id, for they belong to an endpoint.
 */
export interface Evidence {
  priorTrust: PriorTrust
  beliefs: Map<string, Map<string, OutcomeBelief>>
  benchmarks: Map<string, Map<string, Benchmark>>
  speeds: Map<string, Speed>
  outputs: Map<string, Map<string, OutputLength>>
  verifiers: Map<string, VerifierRecord>
  /** How often a model's answers pass a check: by model, then by `placeOf` check and kind of task. They fade like beliefs. */
  accepts: Map<string, Map<string, Belief>>
  /** For what is derived from facts about models and kept. */
  changes: Changes
}

/** Which models' facts changed of late. */
export interface Changes {
  /** Since the evidence was made or read. */
  count: number
  /** The subject of change `n`, at place `n % maxChanges`: an ability's key, or a model's id for its speed. */
  subjects: string[]
}

/** Changes that are remembered by subject. */
const maxChanges = 256

/** The subjects of all changes after the first `count`; undefined where they are no longer remembered. */
export function changesSince({ changes }: Evidence, count: number): string[] | undefined {
  if (changes.count === count) return unchanged
  if (changes.count - count > maxChanges || changes.count < count) return undefined
  return Array.from({ length: changes.count - count }, (_, at) => changes.subjects[(count + at) % maxChanges]!)
}

const unchanged: string[] = []

function noteChange({ changes }: Evidence, subject: string): void {
  changes.subjects[changes.count % maxChanges] = subject
  changes.count++
}

/** One fact as it is stored: `(kind, subject, category)` is its key and the newest value wins. */
export type EvidenceRow = { subject: string; category: string } & (
  | { kind: 'prior_trust'; value: number }
  | { kind: 'belief'; value: OutcomeBelief }
  | { kind: 'benchmark'; value: Benchmark }
  | { kind: 'speed'; value: Speed }
  | { kind: 'output'; value: OutputLength }
  | { kind: 'verifier'; value: VerifierRecord }
  | { kind: 'accept'; value: Belief }
)

/** The category of what holds for all kinds of tasks. */
export const anyCategory = '*'

export function emptyEvidence(): Evidence {
  return {
    priorTrust: initialPriorTrust,
    beliefs: new Map(),
    benchmarks: new Map(),
    speeds: new Map(),
    outputs: new Map(),
    verifiers: new Map(),
    accepts: new Map(),
    changes: { count: 0, subjects: [] },
  }
}

export function evidenceFrom(rows: Iterable<EvidenceRow>): Evidence {
  const evidence = emptyEvidence()
  for (const row of rows) {
    if (row.kind === 'prior_trust') evidence.priorTrust = row.value
    else if (row.kind === 'belief') inner(evidence.beliefs, row.subject).set(row.category, row.value)
    else if (row.kind === 'benchmark') inner(evidence.benchmarks, row.subject).set(row.category, row.value)
    else if (row.kind === 'speed') evidence.speeds.set(row.subject, row.value)
    else if (row.kind === 'output') inner(evidence.outputs, row.subject).set(row.category, row.value)
    else if (row.kind === 'accept') inner(evidence.accepts, row.subject).set(row.category, row.value)
    else evidence.verifiers.set(row.subject, row.value)
  }
  return evidence
}

export function rowsOf(evidence: Evidence): EvidenceRow[] {
  const flat = <T>(map: Map<string, Map<string, T>>) =>
    [...map].flatMap(([subject, values]) => [...values].map(([category, value]) => ({ subject, category, value })))
  return [
    { kind: 'prior_trust', subject: '', category: anyCategory, value: evidence.priorTrust },
    ...flat(evidence.beliefs).map(row => ({ kind: 'belief' as const, ...row })),
    ...flat(evidence.benchmarks).map(row => ({ kind: 'benchmark' as const, ...row })),
    ...[...evidence.speeds].map(([subject, value]) => ({
      kind: 'speed' as const,
      subject,
      category: anyCategory,
      value,
    })),
    ...flat(evidence.outputs).map(row => ({ kind: 'output' as const, ...row })),
    ...[...evidence.verifiers].map(([subject, value]) => ({
      kind: 'verifier' as const,
      subject,
      category: anyCategory,
      value,
    })),
    ...flat(evidence.accepts).map(row => ({ kind: 'accept' as const, ...row })),
  ]
}

/** What was learned here about one model: `key` is that of its ability, `id` its own. */
export function learnedFrom(evidence: Evidence, { key, id }: { key: string; id: string }): EvidenceRow[] {
  return rowsOf(evidence).filter(
    ({ kind, subject }) => (kind === 'speed' ? subject === id : subject === key) && ofModels.has(kind),
  )
}

const ofModels: ReadonlySet<EvidenceRow['kind']> = new Set(['belief', 'accept', 'output', 'speed', 'benchmark'])

/** Takes out what traffic taught about one model, and returns it. Benchmark results are not traffic and stay. */
export function forget(evidence: Evidence, model: { key: string; id: string }): EvidenceRow[] {
  const rows = learnedFrom(evidence, model).filter(({ kind }) => kind !== 'benchmark')
  for (const map of [evidence.beliefs, evidence.accepts, evidence.outputs]) map.delete(model.key)
  evidence.speeds.delete(model.id)
  noteChange(evidence, model.key)
  noteChange(evidence, model.id)
  return rows
}

/** The source of a score for an answer. Explicit ratings weigh most; the others are only hints. */
export type Signal = 'feedback' | 'verified' | 'tests' | 'edited' | 'escalated'

/** Where facts come from: ratings of people, tests and checks of answers, or what a caller did after an answer. */
export type Origin = 'feedback' | 'evaluation' | 'implicit'

const originOf: Readonly<Record<Signal, Origin>> = {
  feedback: 'feedback',
  tests: 'evaluation',
  verified: 'evaluation',
  escalated: 'evaluation',
  edited: 'implicit',
}

/** What outcomes taught, with the observations that each origin contributed; absent in what was stored before they were told apart. */
export interface OutcomeBelief extends Belief {
  origins?: Partial<Record<Origin, number>>
}

const weights: Readonly<Record<Signal, number>> = {
  tests: 2,
  feedback: 1,
  // A pass and a rejection must weigh the same: what a pass is worth (`scoreOfPass`) is balanced against rejections.
  verified: 0.3,
  escalated: 0.3,
  // A caller may edit for many reasons.
  edited: 0.1,
}

/** How an answer turned out. */
export interface JudgedAnswer {
  /** The key of the model's ability. */
  model: string
  /** Probabilities of the kinds of task it was of. */
  categories: Readonly<Record<string, number>>
  signal: Signal
  /** 0..1 */
  score: number
  prior: (category: string) => Prior
}

/**
 * An answer of `model` turned out so good (0..1). It is shared among the kinds of tasks by their probabilities; the prior
 * that predicted it gains or loses trust. Returns the rows that changed.
 */
export function learnOutcome(evidence: Evidence, outcome: JudgedAnswer, now: number): EvidenceRow[] {
  const score = clamp(outcome.score, 0, 1)
  const beliefs = inner(evidence.beliefs, outcome.model)
  const rows = Object.entries(outcome.categories).map(([category, share]): EvidenceRow => {
    const value = withOrigin(beliefs.get(category), outcome.signal, score, share * weights[outcome.signal], now)
    beliefs.set(category, value)
    return { kind: 'belief', subject: outcome.model, category, value }
  })
  noteChange(evidence, outcome.model)
  const likeliest = Object.entries(outcome.categories).sort(([, a], [, b]) => b - a)[0]
  if (likeliest === undefined || weights[outcome.signal] < 1) return rows
  evidence.priorTrust = reconsider(evidence.priorTrust, outcome.prior(likeliest[0]), score)
  return [...rows, { kind: 'prior_trust', subject: '', category: anyCategory, value: evidence.priorTrust }]
}

/**
 * A score that was learned (`before`, at `madeAt`) was corrected: what is left of it in the beliefs becomes the new one, and no
 * observation is added, however often it is corrected; priors are judged by first scores alone. Where nothing of it is left, the
 * new score is learned as the first.
 */
export function correctOutcome(
  evidence: Evidence,
  outcome: JudgedAnswer & { before: number; madeAt: number },
  now: number,
): EvidenceRow[] {
  const beliefs = inner(evidence.beliefs, outcome.model)
  const known = Object.entries(outcome.categories).filter(([category]) => beliefs.has(category))
  if (known.length === 0) return learnOutcome(evidence, outcome, now)
  const [before, score] = [clamp(outcome.before, 0, 1), clamp(outcome.score, 0, 1)]
  const rows = known.map(([category, share]): EvidenceRow => {
    const belief = beliefs.get(category)!
    const weight = share * weights[outcome.signal]
    const revised = revise(belief, { difference: score - before, weight, madeAt: outcome.madeAt }, now)
    const value = { ...revised, origins: fadedOrigins(belief, revised.count) }
    beliefs.set(category, value)
    return { kind: 'belief', subject: outcome.model, category, value }
  })
  noteChange(evidence, outcome.model)
  return rows
}

/** The belief after one more observation; what is kept of the ones before is kept of each origin alike. */
function withOrigin(
  before: OutcomeBelief | undefined,
  signal: Signal,
  score: number,
  weight: number,
  now: number,
): OutcomeBelief {
  const after = observe(before, score, weight, now)
  const counted = weight === 0 ? 0 : weight
  const origins = before === undefined ? {} : fadedOrigins(before, after.count - counted)
  const origin = originOf[signal]
  return { ...after, origins: { ...origins, [origin]: (origins[origin] ?? 0) + counted } }
}

/** What each origin contributed to the `count` observations that are left of a belief. */
function fadedOrigins(before: OutcomeBelief, count: number): Partial<Record<Origin, number>> {
  const kept = before.count === 0 ? 0 : Math.max(0, count) / before.count
  return Object.fromEntries(Object.entries(before.origins ?? {}).map(([name, value]) => [name, value * kept]))
}

/** A benchmark's latest result replaces the one before. */
export function learnBenchmark(evidence: Evidence, model: string, category: string, value: Benchmark): EvidenceRow[] {
  inner(evidence.benchmarks, model).set(category, value)
  noteChange(evidence, model)
  return [{ kind: 'benchmark', subject: model, category, value }]
}

const smoothing = 0.2
const peakHalfLifeMs = 30_000

/** What one attempt took. Counts and times that are not known are left out. */
export interface Timing {
  promptTokens: number
  cachedTokens: number
  outputTokens: number
  firstTokenMs: number
  /** From the first token to the last. */
  streamMs: number
  /** The model had to be loaded first. */
  cold: boolean
}

/** Learns speeds from one attempt at `modelId`. Returns the row that changed. */
export function learnSpeed(evidence: Evidence, modelId: string, timing: Timing, now: number): EvidenceRow[] {
  const before = evidence.speeds.get(modelId)
  const fresh = Math.max(0, timing.promptTokens - timing.cachedTokens)
  const blend = (old: number | undefined, value: number) =>
    old === undefined ? value : old + smoothing * (value - old)
  const value: Speed = {
    firstTokenMs: before?.firstTokenMs ?? timing.firstTokenMs,
    peakMs: before?.peakMs ?? timing.firstTokenMs,
    loadMs: before?.loadMs ?? 0,
    promptTokensPerSecond: before?.promptTokensPerSecond ?? 0,
    outputTokensPerSecond: before?.outputTokensPerSecond ?? 0,
    count: (before?.count ?? 0) + 1,
    updatedAt: now,
  }
  if (timing.cold) {
    value.loadMs = blend(before?.loadMs === 0 ? undefined : before?.loadMs, timing.firstTokenMs)
    if (before === undefined) {
      value.firstTokenMs = 0
      value.peakMs = 0
    }
  } else {
    value.firstTokenMs = blend(before?.firstTokenMs, timing.firstTokenMs)
    const faded =
      before === undefined ? 0 : before.peakMs * 0.5 ** (Math.max(0, now - before.updatedAt) / peakHalfLifeMs)
    value.peakMs = Math.max(timing.firstTokenMs, Math.max(faded, value.firstTokenMs))
    // Short prompts measure the network, not the prompt's speed.
    if (fresh >= 500 && timing.firstTokenMs > 0) {
      const old = before?.promptTokensPerSecond
      value.promptTokensPerSecond = blend(old === 0 ? undefined : old, (1000 * fresh) / timing.firstTokenMs)
    }
  }
  if (timing.outputTokens >= 16 && timing.streamMs > 0) {
    const old = before?.outputTokensPerSecond
    value.outputTokensPerSecond = blend(old === 0 ? undefined : old, (1000 * timing.outputTokens) / timing.streamMs)
  }
  evidence.speeds.set(modelId, value)
  noteChange(evidence, modelId)
  return [{ kind: 'speed', subject: modelId, category: anyCategory, value }]
}

const maxLengths = 50

/** How long an answer was. */
export function learnOutput(evidence: Evidence, model: string, category: string, tokens: number): EvidenceRow[] {
  const lengths = inner(evidence.outputs, model)
  const before = lengths.get(category) ?? { tokens: 0, count: 0 }
  const count = Math.min(maxLengths, before.count + 1)
  const value = { tokens: before.tokens + (tokens - before.tokens) / count, count }
  lengths.set(category, value)
  noteChange(evidence, model)
  return [{ kind: 'output', subject: model, category, value }]
}

const unheard: VerifierRecord = { accepted: 0, rejected: 0, agreed: 0, compared: 0 }

/** A check spoke about an answer of `model` (an ability's key) to a task of kind `category`. */
export function learnVerifier(
  evidence: Evidence,
  verifier: string,
  { model, category }: { model: string; category: string },
  accepted: boolean,
  now: number,
): EvidenceRow[] {
  const before = evidence.verifiers.get(verifier) ?? unheard
  const record = {
    ...before,
    accepted: before.accepted + (accepted ? 1 : 0),
    rejected: before.rejected + (accepted ? 0 : 1),
  }
  evidence.verifiers.set(verifier, record)
  const places = inner(evidence.accepts, model)
  const place = placeOf(verifier, category)
  const belief = observe(places.get(place), accepted ? 1 : 0, 1, now)
  places.set(place, belief)
  return [
    { kind: 'verifier', subject: verifier, category: anyCategory, value: record },
    { kind: 'accept', subject: model, category: place, value: belief },
  ]
}

/** What a check said of an answer met what people or tests said of it. */
export function learnAgreement(evidence: Evidence, verifier: string, agreed: boolean): EvidenceRow[] {
  const before = evidence.verifiers.get(verifier) ?? unheard
  const value = { ...before, agreed: before.agreed + (agreed ? 1 : 0), compared: before.compared + 1 }
  evidence.verifiers.set(verifier, value)
  return [{ kind: 'verifier', subject: verifier, category: anyCategory, value }]
}

/** The other source changed its mind about one that it was compared with, so that they now agree or no longer do. */
export function correctAgreement(evidence: Evidence, verifier: string, agrees: boolean): EvidenceRow[] {
  const before = evidence.verifiers.get(verifier) ?? unheard
  const value = { ...before, agreed: clamp(before.agreed + (agrees ? 1 : -1), 0, before.compared) }
  evidence.verifiers.set(verifier, value)
  return [{ kind: 'verifier', subject: verifier, category: anyCategory, value }]
}

/** Where `Evidence.accepts` files a check's word about one kind of task. */
export function placeOf(verifier: string, category: string): string {
  return `${verifier} ${category}`
}

function inner<T>(map: Map<string, Map<string, T>>, key: string): Map<string, T> {
  let values = map.get(key)
  if (values === undefined) map.set(key, (values = new Map<string, T>()))
  return values
}
