import { featuresOf } from './kinds/features.ts'
import { difficulties, everydayKinds, probabilities, shippedKindWeights, type EverydayKind } from './kinds/model.ts'
import type { RequestShape } from './kinds/shape.ts'
import type { TextEffect } from './success.ts'
import { taskKinds, type TaskKind } from './task-kinds.ts'
import { smallTalk, unknownCategory, type TextJudgement } from './text/judge.ts'

/** What a request says of its kind before any public table is looked at. */
export interface EverydayReading {
  /** Probabilities of everyday kinds, in the order of `everydayKinds`. */
  kinds: Float64Array
  /** Probabilities of easy, medium and hard. */
  difficulty: Float64Array
}

/** Sorts a request by its words, the tools offered, the system prompt, what is attached, its turn and its client. */
export function readEveryday(shape: RequestShape): EverydayReading {
  const features = featuresOf(shape)
  return {
    kinds: probabilities(shippedKindWeights.kinds, features),
    difficulty: probabilities(shippedKindWeights.difficulty, features),
  }
}

/** Everyday kinds by what they have in common: the texts of a public table resemble their own family only. */
const familyOf: Readonly<Record<EverydayKind, 'talk' | 'study' | 'prose' | 'handling' | 'code' | 'agent'>> = {
  chat: 'talk',
  facts: 'study',
  knowledge: 'study',
  math: 'study',
  logic: 'study',
  writing: 'prose',
  translation: 'handling',
  summary: 'prose',
  title: 'handling',
  extraction: 'prose',
  code_generation: 'code',
  bug_fixing: 'code',
  code_refactoring: 'code',
  code_understanding: 'code',
  test_generation: 'code',
  data_science: 'code',
  algorithm: 'code',
  agent_plan: 'agent',
  agent_edit: 'agent',
  agent_tool_result: 'agent',
}

/** The families of the kinds that texts of public tables are sorted into; the other ones are questions of study. */
const tableFamilies: Readonly<Record<string, string>> = {
  writing: 'prose',
  programming: 'code',
  function_completion: 'code',
} satisfies Partial<Record<TaskKind, string>>

/**
 * Kinds whose public tables hold hard tasks only, and the kind that easy ones are like. Public outcomes of coding work come
 * from code bases with strict tests, those of logic from grids of many clues.
 */
const easierKind: Partial<Record<EverydayKind, TaskKind>> = {
  math: 'arithmetic',
  logic: 'common_sense',
  code_generation: 'programming',
  bug_fixing: 'programming',
  code_refactoring: 'programming',
  code_understanding: 'programming',
  test_generation: 'programming',
  data_science: 'programming',
  algorithm: 'programming',
}
/** The share of a task that is like those of the hard table, by its difficulty. */
const hardShare = [0.05, 0.3, 0.8] as const
/** Probability of success by which an easy, a medium and a hard request of the other kinds differ from what is usual. */
const levels = [0.06, 0, -0.1] as const

/** From this share of the family of what a text resembles on, the resemblance is believed. */
const believedFamily = 0.22
/** Below the first share of the likeliest kind nothing is known of a request, above the second it is one of that kind. */
const unsureShare = 0.12
const sureShare = 0.4
const minShare = 0.02
const multipleChoice = /\nA[.)] [^\n]*\nB[.)] /
const lightKinds: readonly EverydayKind[] = [
  'chat',
  'title',
  'translation',
  'summary',
  'extraction',
  'agent_tool_result',
]

/**
 * The kinds of a request, with probabilities that sum to 1, and what its text says beyond them. Texts that resemble those of
 * a public table, and are of its family by everything else, are of the table's kind; the rest is sorted by everyday kinds.
 */
export function kindsOf(shape: RequestShape, judgement: TextJudgement): TextJudgement {
  const { [smallTalk]: talk = 0, [unknownCategory]: other = 0, ...tables } = judgement.categories
  const known = Object.values(tables).reduce((sum, share) => sum + share, 0)
  if (multipleChoice.test(shape.text) && shape.tools === 0) return judgement
  const everyday = readEveryday(shape)
  const largest = Math.max(...everyday.kinds)
  const sure = Math.max(0, Math.min(1, (largest - unsureShare) / (sureShare - unsureShare)))
  const agreed = Math.min(1, agreement(tables, known, everyday.kinds) / believedFamily)
  const trust = known * Math.max(agreed, 1 - sure)
  const kinds: Record<string, number> = {}
  const add = (kind: string, share: number) => {
    if (share > 0) kinds[kind] = (kinds[kind] ?? 0) + share
  }
  for (const [kind, share] of Object.entries(tables)) add(kind, (share / known) * trust)
  const hard = expected(hardShare, everyday.difficulty)
  let laddered = 0
  let light = 0
  for (const [at, kind] of everydayKinds.entries()) {
    const share = (1 - trust) * sure * everyday.kinds[at]!
    const easier = easierKind[kind]
    if (kind === 'agent_tool_result') {
      // What is hard to go on from, such as a failed test, asks for a change.
      const change = everyday.difficulty[difficulties.indexOf('hard')]!
      add(kind, share * (1 - change))
      add('agent_edit', share * change)
    } else if (easier === undefined) add(kind, share)
    else {
      add(kind, share * hard)
      add(easier, share * (1 - hard))
      laddered += share
    }
    if (lightKinds.includes(kind)) light += share
  }
  add(talk > other ? smallTalk : unknownCategory, (1 - trust) * (1 - sure))
  const level = ((1 - trust) * sure - laddered) * expected(levels, everyday.difficulty)
  return { categories: likely(kinds), effect: changed(judgement.effect, { known, trust, level, light }) }
}

/** How likely the request is of the families that its text resembles. */
function agreement(tables: Readonly<Record<string, number>>, known: number, kinds: Float64Array): number {
  if (known === 0) return 0
  let sum = 0
  for (const [table, share] of Object.entries(tables)) {
    const family = tableFamilies[table] ?? 'study'
    for (const [at, kind] of everydayKinds.entries()) if (familyOf[kind] === family) sum += (share / known) * kinds[at]!
  }
  return sum
}

function expected(values: readonly number[], shares: Float64Array): number {
  return difficulties.reduce((sum, _, at) => sum + values[at]! * shares[at]!, 0)
}

/** The text's own effect as far as it is believed, with the level that follows from the difficulty. */
function changed(
  effect: TextEffect,
  { known, trust, level, light }: { known: number; trust: number; level: number; light: number },
): TextEffect {
  const believed = known === 0 ? 0 : trust / known
  return {
    level: effect.level * believed + level,
    slope: effect.slope * (1 - known + trust) * (1 - light),
    skills: effect.skills.map(skill => skill * believed),
  }
}

function likely(kinds: Readonly<Record<string, number>>): Record<string, number> {
  const list = Object.entries(kinds).filter(([, share]) => share >= minShare)
  const total = list.reduce((sum, [, share]) => sum + share, 0)
  return Object.fromEntries(list.map(([kind, share]) => [kind, share / total]))
}

/** The kind of task that a caller's tag names: `bug_fixing`, `math`, ... */
export function tagged(tags: readonly string[]): string | undefined {
  return tags.find(tag => knownKinds.has(tag))
}

const knownKinds: ReadonlySet<string> = new Set(taskKinds)
