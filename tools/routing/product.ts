import type { Model } from '../../src/providers/provider.ts'
import { decide, type Decision } from '../../src/router/decide.ts'
import { emptyEvidence } from '../../src/router/evidence.ts'
import { createKnowledge, type Knowledge } from '../../src/router/knowledge.ts'
import { measure } from '../../src/router/measure.ts'
import type { RequestOptions } from '../../src/router/options.ts'
import { defaultPolicy } from '../../src/router/policy.ts'
import type { PublicAbilities } from '../../src/router/public-ability.ts'
import { presets } from '../../src/router/select.ts'
import type { Weights } from '../../src/router/weights.ts'
import { ChatRequest } from '../../src/wire/chat/schema.ts'

/** What is asked: a prompt's text, or where a table has none, the kind of task as a caller's tag. */
export interface Question {
  text?: string | undefined
  kind?: string | undefined
}

/** Anything that predicts qualities: the product in process, or what a running instance said. */
export interface QualityModel {
  /** The predicted quality of each of `models`, in their order. */
  qualities: (question: Question, models: readonly Model[]) => number[]
}

/** The router as it ships, asked in process: the knowledge the product builds from weights, and `decide()`. */
export interface Product extends QualityModel {
  knowledge: Knowledge
  /** The decision among `models`, all ready and idle, for a caller who asks for `preset`. */
  decide: (question: Question, models: readonly Model[], preset?: string, options?: RequestOptions) => Decision
}

/** Without weights it is a router that was taught nothing. */
export function productOf(weights: Weights | undefined, publicAbilities?: PublicAbilities): Product {
  const policy = { ...defaultPolicy, explorationShare: 0 }
  const knowledge = createKnowledge(weights, emptyEvidence(), policy, () => 1, publicAbilities)
  const decision: Product['decide'] = (question, models, preset = 'auto', options = {}) => {
    const text = question.text ?? ''
    const request = ChatRequest.parse({ model: preset, messages: [{ role: 'user', content: text }] })
    const prompt = { tokens: Math.ceil(text.length / 4), exact: false, error: 0.1 }
    const measured = measure(request, prompt, knowledge.judge, question.kind === undefined ? [] : [question.kind])
    const pool = {
      groups: [{ asked: preset, models, preset: presets[preset]! }],
      condition: () => ({ state: 'ready' as const }),
      load: () => ({ busy: 0, waiting: 0, slots: 4 }),
    }
    return decide({ measured, options }, pool, knowledge, 0, 0.5)
  }
  return {
    knowledge,
    decide: decision,
    qualities(question, models) {
      const { candidates } = decision(question, models)
      const byId = new Map(candidates.map(({ model, quality }) => [model, quality]))
      return models.map(({ id }) => byId.get(id)!)
    },
  }
}

/** The models of a table as a provider would list them; `dollars` per million output tokens by name, where the table has costs. */
export function modelsOf(names: readonly string[], dollars: Readonly<Record<string, number>> = {}): Model[] {
  return names.map(name => ({
    id: `openrouter/${name}`,
    provider: 'openrouter',
    name,
    tier: 'remote',
    free: false,
    price: { input: 0, output: dollars[name] ?? 1 },
    contextTokens: undefined,
    loaded: undefined,
    capabilities: {},
  }))
}
