import { readText } from '../../src/router/text/reading.ts'
import { createVectorMaker, type Vector, type VectorShape } from '../../src/router/text/vector.ts'
import { formOf } from './form.ts'
import { packText, type TextModel } from './pack-text.ts'
import type { LabelledRow } from './labelled-rows.ts'
import { averageOf, fitRidges, type Linear, type RidgeTask } from './ridge.ts'
import { skillsOf } from './skills.ts'
import { fitVectorizer, whiteningOf } from './vectorizer.ts'

/** Frozen: chosen once by cross-validation, the same for every table and for what ships. */
const shape: VectorShape = { buckets: 131_072, waves: 512, sharpness: 1, smoothWeight: 0.25, landmarks: 256 }
const penalties = { words: 6, form: 4, groups: 3, groupForm: 1.5, plain: 10, kinds: 4, skills: 6 }
/** What a row without a group weighs where the others' targets are the means of their groups, which carry less noise. */
const weightWithoutGroup = 0.3
/** Rows that a group's mean borrows from the mean of all. */
const groupShrinkage = 10
/** Rows of one kind that the classifier of kinds learns from, so that one long table does not drown the others. */
const maxRowsOfKind = 1500
/** Number of skills beside ability. */
const skillCount = 4

/** A row of text and what its models did beyond what is expected of them at its kind of task. */
export interface ResidualRow extends LabelledRow {
  prompt: string
  /** In the order of `outcomes`. */
  residuals: readonly number[]
  /** Log odds; in the order of `outcomes`. */
  abilities: readonly number[]
}

/** Texts as vectors, and how many features these have. */
interface Texts {
  vectors: readonly Vector[]
  size: number
}

/** Learns everything that is computed from a prompt's text. Returns it packed, and each model's loadings of the skills. */
export function trainText(rows: readonly ResidualRow[]) {
  const readings = rows.map(row => readText(row.prompt))
  const vectorizer = fitVectorizer(readings, shape)
  const whitening = whiteningOf(vectorizer.landmarks)
  const vectorOf = createVectorMaker(vectorizer)
  const texts: Texts = {
    vectors: readings.map(reading => {
      const vector = vectorOf(reading)
      return { ...vector, style: whitening.forward(vector.style) }
    }),
    size: vectorizer.features.length,
  }
  const kinds = [...new Set(rows.map(row => row.kind))]
  const levels = Float64Array.from(rows, row => mean(row.residuals))
  const slopes = Float64Array.from(rows, slopeOf)
  const skills = skillsOf(rows, slopes, skillCount)
  const [plainSlope] = fitRidges(
    texts.vectors,
    [{ targets: slopes, part: 'plain', penalty: penalties.plain }],
    texts.size,
  )
  const byKind = kinds.map(kind => fitKind(kind, rows, texts, levels, slopes))
  const unwhitened = (linear: Linear): Linear => ({ ...linear, style: whitening.back(linear.style) })
  const model: TextModel = {
    vectorizer,
    kinds,
    kindScores: fitKinds(kinds, rows, texts).map(unwhitened),
    slopes: byKind.map(({ slope }) => unwhitened(slope)),
    levels: byKind.map(({ level }) => unwhitened(level)),
    skills: fitSkills(skills.rows, skills.factors, texts).map(unwhitened),
    plainSlope: plainSlope!,
    forms: kinds.map(kind =>
      formOf(readings.filter((_, index) => rows[index]!.kind === kind).map(({ figures }) => figures)),
    ),
  }
  return { text: packText(model), loadings: skills.loadings }
}

/** The slope of success on ability that one prompt shows, beyond the usual: least squares over its models. */
function slopeOf({ residuals, abilities }: ResidualRow): number {
  const usual = mean(abilities)
  let products = 0
  let squares = 0
  for (const [index, ability] of abilities.entries()) {
    products += (ability - usual) * residuals[index]!
    squares += (ability - usual) ** 2
  }
  return squares === 0 ? 0 : products / squares
}

/**
 * Ridges averaged into one linear score: on the words, on the form, on both and, where rows have groups, on the form with the
 * means of the groups as targets. They err in different places. Each kind of task has its own: what is hard about arithmetic is not what
 * is hard about facts.
 */
function fitKind(
  kind: string,
  rows: readonly ResidualRow[],
  { vectors, size }: Texts,
  levels: Float64Array,
  slopes: Float64Array,
): { level: Linear; slope: Linear } {
  const members = [...rows.keys()].filter(index => rows[index]!.kind === kind)
  const groups = members.map(index => rows[index]!.group)
  const grouped = groups.some(group => group !== undefined)
  const weights = Float64Array.from(groups, group => (group === undefined ? weightWithoutGroup : 1))
  const tasks = (all: Float64Array): RidgeTask[] => {
    const targets = Float64Array.from(members, index => all[index]!)
    const means = groupMeans(targets, groups)
    return [
      { targets, part: 'words', penalty: penalties.words },
      { targets, part: 'form', penalty: penalties.form },
      { targets: means, part: 'both', penalty: penalties.groups, weights },
      ...(grouped ? [{ targets: means, part: 'form' as const, penalty: penalties.groupForm, weights }] : []),
    ]
  }
  const fitted = fitRidges(
    members.map(index => vectors[index]!),
    [...tasks(levels), ...tasks(slopes)],
    size,
  )
  const half = fitted.length / 2
  return { level: averageOf(fitted.slice(0, half)), slope: averageOf(fitted.slice(half)) }
}

/** One score for each kind, near 1 for prompts of it and near 0 for others. */
function fitKinds(kinds: readonly string[], rows: readonly ResidualRow[], { vectors, size }: Texts): Linear[] {
  const used = kinds.flatMap(kind => {
    const members = [...rows.keys()].filter(index => rows[index]!.kind === kind)
    const step = Math.max(1, members.length / maxRowsOfKind)
    return Array.from(
      { length: Math.min(members.length, maxRowsOfKind) },
      (_, index) => members[Math.floor(index * step)]!,
    )
  })
  const tasks = kinds.map((kind): RidgeTask => ({
    targets: Float64Array.from(used, index => (rows[index]!.kind === kind ? 1 : 0)),
    part: 'topic',
    penalty: penalties.kinds,
  }))
  return fitRidges(
    used.map(index => vectors[index]!),
    tasks,
    size,
  )
}

function fitSkills(members: readonly number[], factors: readonly Float64Array[], { vectors, size }: Texts): Linear[] {
  if (factors.length === 0) return []
  return fitRidges(
    members.map(index => vectors[index]!),
    factors.map((targets): RidgeTask => ({ targets, part: 'words', penalty: penalties.skills })),
    size,
  )
}

function groupMeans(targets: Float64Array, groups: readonly (string | undefined)[]): Float64Array {
  const sums = new Map<string, { sum: number; count: number }>()
  let total = 0
  let grouped = 0
  for (const [row, group] of groups.entries()) {
    if (group === undefined) continue
    const entry = sums.get(group) ?? { sum: 0, count: 0 }
    sums.set(group, { sum: entry.sum + targets[row]!, count: entry.count + 1 })
    total += targets[row]!
    grouped++
  }
  return targets.map((target, row) => {
    const entry = sums.get(groups[row] ?? '')
    return entry === undefined
      ? target
      : (entry.sum + (groupShrinkage * total) / grouped) / (entry.count + groupShrinkage)
  })
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
