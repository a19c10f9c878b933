import { z } from 'zod'
import type { Core } from '../core.ts'
import type { EvidenceRow } from '../router/evidence.ts'
import { operation } from './operation.ts'

const Source = z.enum(['outcomes', 'checks', 'answers', 'timings', 'benchmarks'])

export const evidence = operation({
  name: 'evidence',
  summary: 'What the router learned about each model here, fact by fact, and from what.',
  effect: 'read',
  http: { method: 'GET', path: '/v1/evidence' },
  input: z.strictObject({
    model: z.string().optional().describe('Only this model; without it, all that are offered.'),
  }),
  output: z.object({
    facts: z.array(
      z.object({
        model: z.string(),
        source: Source.describe(
          'outcomes: ratings, tests, passed and failed checks, edited turns; checks: how often answers pass a check; answers: how long they are; timings: how fast the server is; benchmarks: results of your own benchmarks.',
        ),
        about: z.string().describe('The kind of task, after the check where there is one; * for all.'),
        value: z
          .number()
          .describe('outcomes, checks and benchmarks: 0 to 1; answers: tokens; timings: tokens per second.'),
        observations: z.number(),
        origins: z
          .record(z.string(), z.number())
          .describe(
            'The observations by origin: feedback, evaluation (tests and checks), implicit (edited turns), benchmark, traffic.',
          ),
        updated_at: z.string().nullable(),
      }),
    ),
    total: z.int(),
  }),
  run: ({ inventory, learner }: Core, { model }) => {
    const models = inventory.models().filter(({ id, name }) => model === undefined || id === model || name === model)
    const facts = models.flatMap(each => learner.learned(each).map(row => ({ model: each.id, ...shown(row) })))
    return { facts: facts.slice(0, maxFacts), total: facts.length }
  },
})

const maxFacts = 1000

function shown({ kind, category, value }: EvidenceRow) {
  const at = (updatedAt: number) => new Date(updatedAt).toISOString()
  const about = category
  if (kind === 'belief') {
    const { good, count, updatedAt, origins = {} } = value
    return {
      source: 'outcomes' as const,
      about,
      value: good / count,
      observations: count,
      origins,
      updated_at: at(updatedAt),
    }
  }
  if (kind === 'accept') {
    const { good, count, updatedAt } = value
    const origins = { evaluation: count }
    return {
      source: 'checks' as const,
      about,
      value: good / count,
      observations: count,
      origins,
      updated_at: at(updatedAt),
    }
  }
  if (kind === 'speed') {
    const { outputTokensPerSecond, count, updatedAt } = value
    return {
      source: 'timings' as const,
      about,
      value: outputTokensPerSecond,
      observations: count,
      origins: { traffic: count },
      updated_at: at(updatedAt),
    }
  }
  if (kind === 'output') {
    const { tokens, count } = value
    return {
      source: 'answers' as const,
      about,
      value: tokens,
      observations: count,
      origins: { traffic: count },
      updated_at: null,
    }
  }
  if (kind === 'benchmark') {
    const { score, tasks } = value
    const origins = { benchmark: tasks }
    return { source: 'benchmarks' as const, about, value: score, observations: tasks, origins, updated_at: null }
  }
  throw new Error(`${kind} says nothing of one model.`)
}
