import { z } from 'zod'
import { currentResults } from '../bench/evidence.ts'
import { leaderboard } from '../bench/leaderboard.ts'
import type { Core } from '../core.ts'
import { BenchmarkOutcome, summary } from '../tasks/benchmark.ts'
import { operation } from './operation.ts'

export const benchmarks = operation({
  name: 'benchmarks',
  summary: 'Benchmark results of the models, best first: quality with its interval, speed and cost.',
  effect: 'read',
  core: true,
  input: z.strictObject({ model: z.string().optional(), limit: z.int().min(1).max(100).default(20) }),
  output: z.object({ models: BenchmarkOutcome.shape.models, total: z.int() }),
  run: ({ benchmarkResults, inventory }: Core, { model, limit }) => {
    const weightsNow = (provider: string, name: string) => {
      const found = inventory.models().find(each => each.provider === provider && each.name === name)
      return found?.digest ?? found?.quantization
    }
    const candidates = leaderboard(currentResults(benchmarkResults().results(), weightsNow))
    const models = candidates.map(candidate => summary(candidate))
    const asked = models.filter(each => model === undefined || each.model === model || each.model.endsWith(`/${model}`))
    return { models: asked.slice(0, limit), total: asked.length }
  },
})
