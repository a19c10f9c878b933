import fc from 'fast-check'
import { freePrice } from '../../src/accounting/pricing.ts'
import type { Model } from '../../src/providers/provider.ts'
import { loadAbilityTable } from '../../src/router/ability-table.ts'
import type { Asked } from '../../src/router/context.ts'
import type { CandidatePool } from '../../src/router/decide.ts'
import {
  emptyEvidence,
  learnBenchmark,
  learnOutcome,
  learnSpeed,
  learnVerifier,
  type Evidence,
} from '../../src/router/evidence.ts'
import { createKnowledge, type Knowledge } from '../../src/router/knowledge.ts'
import type { Condition } from '../../src/router/filter.ts'
import { measure, type Measured } from '../../src/router/measure.ts'
import type { RequestOptions } from '../../src/router/options.ts'
import { defaultPolicy, type Policy } from '../../src/router/policy.ts'
import type { Load } from '../../src/router/price.ts'
import { createPublicAbilities } from '../../src/router/public-ability.ts'
import { presets, type Group } from '../../src/router/select.ts'
import { ChatRequest } from '../../src/wire/chat/schema.ts'

const publicAbilities = createPublicAbilities(loadAbilityTable())

export function localModel(name: string, changes: Partial<Model> = {}): Model {
  return {
    id: `ollama/${name}`,
    provider: 'ollama',
    name,
    tier: 'local',
    price: freePrice,
    free: true,
    contextTokens: 32_000,
    loaded: true,
    capabilities: {},
    parametersB: 8,
    ...changes,
  }
}

export function paidModel(name: string, changes: Partial<Model> = {}): Model {
  return {
    id: `openrouter/${name}`,
    provider: 'openrouter',
    name,
    tier: 'remote',
    price: { input: 1, output: 4 },
    free: false,
    contextTokens: 128_000,
    loaded: undefined,
    capabilities: {},
    ...changes,
  }
}

export function freeModel(name: string, changes: Partial<Model> = {}): Model {
  return paidModel(name, { price: freePrice, free: true, parametersB: 8, ...changes })
}

export function measured(changes: Partial<Measured> = {}, text = 'Hello.', tags: readonly string[] = []): Measured {
  const request = ChatRequest.parse({ messages: [{ role: 'user', content: text }] })
  return { ...measure(request, { tokens: 100, exact: true, error: 0 }, undefined, tags), ...changes }
}

/** Everything `decide` takes, with what a test does not care about filled in. */
export interface Situation {
  models: readonly Model[]
  preset?: string
  measured?: Measured
  options?: RequestOptions
  conversation?: Asked['conversation']
  evidence?: Evidence
  policy?: Partial<Policy>
  condition?: (model: Model) => Condition
  load?: (model: Model) => Load
  weights?: Parameters<typeof createKnowledge>[0]
}

export function argumentsOf(situation: Situation): [Asked, CandidatePool, Knowledge] {
  const { models, preset = 'auto', evidence = emptyEvidence(), policy = {} } = situation
  const named = presets[preset]
  const group: Group =
    named === undefined
      ? { asked: preset, models: models.filter(model => model.id === preset) }
      : { asked: preset, models, preset: named }
  return [
    {
      measured: situation.measured ?? measured(),
      options: situation.options ?? {},
      conversation: situation.conversation,
    },
    {
      groups: [group],
      condition: situation.condition ?? (() => ({ state: 'ready' })),
      load: situation.load ?? (() => ({ busy: 0, waiting: 0, slots: 1 })),
    },
    createKnowledge(
      situation.weights,
      evidence,
      // The models of these samples are placed around a floor of .7.
      { ...defaultPolicy, qualityThreshold: 0.7, explorationShare: 0, ...policy },
      () => 1,
      publicAbilities,
    ),
  ]
}

/** Says that `model` does so well, so often that no prior matters. */
export function teach(evidence: Evidence, model: Model, score: number, category = 'chat'): void {
  const { abilityOf } = createKnowledge(undefined, evidence, defaultPolicy, () => 1, publicAbilities)
  const { key } = abilityOf(model)
  for (let time = 0; time < 60; time++) {
    const prior = () => ({ rate: score, base: score, strength: 1 })
    learnOutcome(evidence, { model: key, categories: { [category]: 1 }, signal: 'feedback', score, prior }, 0)
  }
}

const share = fc.double({ min: 0, max: 1, noNaN: true })

const anyModel: fc.Arbitrary<Model> = fc
  .record({
    at: fc.nat(7),
    kind: fc.constantFrom('local', 'free', 'paid'),
    parametersB: fc.option(fc.constantFrom(1, 8, 70), { nil: undefined }),
    loaded: fc.option(fc.boolean(), { nil: undefined }),
    contextTokens: fc.option(fc.constantFrom(2_000, 8_000, 128_000), { nil: undefined }),
    tools: fc.option(fc.boolean(), { nil: undefined }),
    vision: fc.option(fc.boolean(), { nil: undefined }),
    price: fc.option(
      fc.record({
        input: fc.double({ min: 0, max: 20, noNaN: true }),
        output: fc.double({ min: 0, max: 80, noNaN: true }),
      }),
      {
        nil: undefined,
      },
    ),
  })
  .map(({ at: index, kind, parametersB, loaded, contextTokens, tools, vision, price }) => {
    const facts: Partial<Model> = {
      parametersB,
      contextTokens,
      capabilities: {
        ...(tools === undefined ? {} : { tools }),
        ...(vision === undefined ? {} : { vision }),
      },
    }
    if (kind === 'local') return localModel(`model-${index}`, { ...facts, loaded })
    return kind === 'free' ? freeModel(`model-${index}:free`, facts) : paidModel(`model-${index}`, { ...facts, price })
  })

/** Random requests, models, states and evidence. */
export const anySituation: fc.Arbitrary<Situation & { now: number; chance: number }> = fc
  .record({
    models: fc.uniqueArray(anyModel, { selector: model => model.id, maxLength: 12 }),
    preset: fc.constantFrom(...Object.keys(presets)),
    tokens: fc.constantFrom(0, 10, 1_500, 1_501, 6_000, 50_000),
    outputTokens: fc.option(fc.constantFrom(16, 1_000, 8_000), { nil: undefined }),
    tools: fc.boolean(),
    vision: fc.boolean(),
    categories: fc.constantFrom<Record<string, number>[]>({ chat: 1 }, { math: 0.6, chat: 0.4 }, { bug_fixing: 1 }, {}),
    effect: fc.record({
      level: fc.double({ min: -0.5, max: 0.5, noNaN: true }),
      slope: fc.double({ min: -0.3, max: 0.3, noNaN: true }),
      skills: fc.constant([]),
    }),
    options: fc.record(
      {
        priority: fc.constantFrom('cost', 'quality', 'speed'),
        maxCostUsd: fc.constantFrom(0, 0.001, 1),
        minQuality: share,
        localOnly: fc.boolean(),
        verify: fc.constantFrom(['all'], ['schema'], ['none']),
      },
      { requiredKeys: [] },
    ),
    qualityThreshold: share,
    explorationShare: fc.constantFrom(0, 0.03),
    freeOnly: fc.boolean(),
    scores: fc.array(share, { maxLength: 12 }),
    busy: fc.array(fc.nat(3), { minLength: 1, maxLength: 12 }),
    states: fc.array(fc.constantFrom('ready', 'ready', 'ready', 'unavailable', 'rate_limited'), {
      minLength: 1,
      maxLength: 12,
    }),
    current: fc.option(fc.nat(11), { nil: undefined }),
    now: fc.nat(1e9),
    chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  })
  .map(drawn => {
    const { models } = drawn
    const evidence = emptyEvidence()
    const { abilityOf } = createKnowledge(undefined, evidence, defaultPolicy, () => 1, publicAbilities)
    for (const [index, score] of drawn.scores.entries()) {
      const model = models[index]
      if (model === undefined) continue
      const { key } = abilityOf(model)
      learnBenchmark(evidence, key, index % 2 === 0 ? 'chat' : '*', { score, runs: index, tasks: 30 })
      for (let time = 0; time < 8; time++) {
        learnVerifier(evidence, 'schema', { model: key, category: 'chat' }, time < 8 * score, 0)
      }
      learnSpeed(
        evidence,
        model.id,
        {
          promptTokens: 900,
          cachedTokens: 0,
          outputTokens: 100,
          firstTokenMs: 50 + 900 * score,
          streamMs: 2_000,
          cold: index % 3 === 0,
        },
        0,
      )
    }
    const current = drawn.current === undefined ? undefined : models[drawn.current]
    const indexed = (model: Model, list: readonly number[]) => list[models.indexOf(model) % list.length]!
    return {
      models,
      preset: drawn.preset,
      measured: measured({
        promptTokens: drawn.tokens,
        outputTokens: drawn.outputTokens,
        tools: drawn.tools,
        vision: drawn.vision,
        categories: drawn.categories,
        effect: drawn.effect,
      }),
      options: drawn.options,
      conversation: current === undefined ? undefined : { modelId: current.id, cachedTokens: drawn.tokens },
      evidence,
      policy: {
        qualityThreshold: drawn.qualityThreshold,
        explorationShare: drawn.explorationShare,
        freeOnly: drawn.freeOnly,
      },
      condition: (model: Model): Condition => ({ state: drawn.states[models.indexOf(model) % drawn.states.length]! }),
      load: (model: Model): Load => ({ busy: indexed(model, drawn.busy), waiting: 0, slots: 1 }),
      now: drawn.now,
      chance: drawn.chance,
    }
  })
