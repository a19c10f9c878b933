import { z } from 'zod'
import type { Core } from '../core.ts'
import type { EvidenceRow } from '../router/evidence.ts'
import { operation } from './operation.ts'

const Source = z.enum(['outcomes', 'checks', 'answers', 'timings'])

export const evidence = operation({
  name: 'evidence',
  summary: 'What the router learned from traffic about each model, fact by fact, and from what.',
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
          'outcomes: ratings, tests, passed and failed checks, edited turns; checks: how often answers pass a check; answers: how long they are; timings: how fast the server is.',
        ),
        about: z.string().describe('The kind of task, after the check where there is one; * for all.'),
        value: z.number().describe('outcomes and checks: 0 to 1; answers: tokens; timings: tokens per second.'),
        observations: z.number(),
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
  if (kind === 'belief' || kind === 'accept') {
    const source: z.output<typeof Source> = kind === 'belief' ? 'outcomes' : 'checks'
    return {
      source,
      about,
      value: value.good / value.count,
      observations: value.count,
      updated_at: at(value.updatedAt),
    }
  }
  if (kind === 'speed') {
    const { outputTokensPerSecond, count, updatedAt } = value
    return {
      source: 'timings' as const,
      about,
      value: outputTokensPerSecond,
      observations: count,
      updated_at: at(updatedAt),
    }
  }
  if (kind === 'output') {
    return { source: 'answers' as const, about, value: value.tokens, observations: value.count, updated_at: null }
  }
  throw new Error(`${kind} is not learned from traffic.`)
}
