import { freePrice } from '../../../src/accounting/pricing.ts'
import type { Model } from '../../../src/providers/provider.ts'

/** Where the remote models' facts come from; prices move, so that they are of one day. */
export const pricesSource = {
  name: 'models.dev, as OpenRouter lists them',
  url: 'https://github.com/anomalyco/models.dev/tree/f3fc692299671838c7c65fd8126bf84d81a2e817/providers/openrouter',
  date: '2026-07-02',
} as const

interface LocalFacts {
  parametersB: number
  sizeBytes: number
  contextTokens: number
  loaded: boolean
  tools: boolean
}

/** One laptop with memory for one of these at a time. */
const localFacts: Readonly<Record<string, LocalFacts>> = {
  'qwen3:8b': { parametersB: 8.2, sizeBytes: 5.2e9, contextTokens: 40_960, loaded: true, tools: true },
  'qwen2.5-coder:3b': { parametersB: 3.1, sizeBytes: 1.9e9, contextTokens: 32_768, loaded: false, tools: true },
  'llama3.2:1b': { parametersB: 1.2, sizeBytes: 1.3e9, contextTokens: 131_072, loaded: false, tools: true },
}

interface FreeFacts {
  contextTokens: number
  released: string
  json: boolean
  vision: boolean
}

const freeFacts: Readonly<Record<string, FreeFacts>> = {
  'openai/gpt-oss-120b:free': { contextTokens: 131_072, released: '2025-08-05', json: false, vision: false },
  'google/gemma-4-31b-it:free': { contextTokens: 262_144, released: '2026-04-02', json: false, vision: true },
  'qwen/qwen3-coder:free': { contextTokens: 262_000, released: '2025-07-23', json: false, vision: false },
  'qwen/qwen3-next-80b-a3b-instruct:free': {
    contextTokens: 262_144,
    released: '2025-09-01',
    json: true,
    vision: false,
  },
  'meta-llama/llama-3.3-70b-instruct:free': {
    contextTokens: 65_536,
    released: '2024-12-06',
    json: false,
    vision: false,
  },
  'nvidia/nemotron-3-super-120b-a12b:free': {
    contextTokens: 262_144,
    released: '2026-03-11',
    json: true,
    vision: false,
  },
}

interface PaidFacts {
  /** USD per million tokens: input, output, input read from the cache. */
  price: readonly [input: number, output: number, cacheRead: number]
  contextTokens: number
  released: string
  vision: boolean
}

const paidFacts: Readonly<Record<string, PaidFacts>> = {
  'anthropic/claude-opus-4.8': {
    price: [5, 25, 0.5],
    contextTokens: 1_000_000,
    released: '2026-05-28',
    vision: true,
  },
  'anthropic/claude-sonnet-5': {
    price: [2, 10, 0.2],
    contextTokens: 1_000_000,
    released: '2026-06-30',
    vision: true,
  },
  'anthropic/claude-haiku-4.5': { price: [1, 5, 0.1], contextTokens: 200_000, released: '2025-10-15', vision: true },
  'openai/gpt-5.5': { price: [5, 30, 0.5], contextTokens: 1_050_000, released: '2026-04-23', vision: true },
  'openai/gpt-5.4-mini': { price: [0.75, 4.5, 0.075], contextTokens: 400_000, released: '2026-03-17', vision: true },
  'openai/gpt-5.4-nano': { price: [0.2, 1.25, 0.02], contextTokens: 400_000, released: '2026-03-17', vision: true },
  'google/gemini-3.1-pro-preview': {
    price: [2, 12, 0.2],
    contextTokens: 1_048_576,
    released: '2026-02-19',
    vision: true,
  },
  'google/gemini-3.5-flash': {
    price: [1.5, 9, 0.15],
    contextTokens: 1_048_576,
    released: '2026-05-19',
    vision: true,
  },
  'google/gemini-3.1-flash-lite': {
    price: [0.25, 1.5, 0.025],
    contextTokens: 1_048_576,
    released: '2026-05-07',
    vision: true,
  },
  'deepseek/deepseek-v4-flash': {
    price: [0.098, 0.196, 0.02],
    contextTokens: 1_048_575,
    released: '2026-04-24',
    vision: false,
  },
  'deepseek/deepseek-v4-pro': {
    price: [0.435, 0.87, 0.003625],
    contextTokens: 1_048_576,
    released: '2026-04-24',
    vision: false,
  },
  'moonshotai/kimi-k2.7-code': {
    price: [0.74, 3.5, 0.15],
    contextTokens: 262_144,
    released: '2026-06-12',
    vision: true,
  },
  'z-ai/glm-5.2': { price: [0.93, 3, 0.18], contextTokens: 1_048_576, released: '2026-06-13', vision: false },
  'qwen/qwen3.7-max': { price: [1.25, 3.75, 0.25], contextTokens: 1_000_000, released: '2026-05-21', vision: false },
  'minimax/minimax-m3': { price: [0.3, 1.2, 0.06], contextTokens: 524_288, released: '2026-06-01', vision: true },
  'x-ai/grok-4.3': { price: [1.25, 2.5, 0.2], contextTokens: 1_000_000, released: '2026-04-17', vision: true },
}

/** A realistic set of models: three on a laptop, of which one is in memory, six free and sixteen paid ones. */
export const fleet: readonly Model[] = [
  ...Object.entries(localFacts).map(([name, { tools, ...facts }]) => ({
    id: `ollama/${name}`,
    provider: 'ollama',
    name,
    tier: 'local' as const,
    price: freePrice,
    free: true,
    quantization: 'Q4_K_M',
    ...facts,
    capabilities: { chat: true, tools, vision: false, json: true },
  })),
  ...Object.entries(freeFacts).map(([name, { json, vision, ...facts }]) => ({
    ...remote(name, { tools: true, json, vision }),
    price: freePrice,
    free: true,
    ...facts,
  })),
  ...Object.entries(paidFacts).map(
    ([
      name,
      {
        price: [input, output, cacheRead],
        vision,
        ...facts
      },
    ]) => ({
      ...remote(name, { tools: true, json: true, vision }),
      price: { input, output, cacheRead },
      free: false,
      ...facts,
    }),
  ),
]

function remote(name: string, capabilities: Model['capabilities']) {
  return {
    id: `openrouter/${name}`,
    provider: 'openrouter',
    name,
    tier: 'remote' as const,
    loaded: undefined,
    capabilities: { chat: true, ...capabilities },
  }
}
