/** What a list of models tells beside their names. */
export interface PoolFacts {
  /** YYYY-MM or YYYY-MM-DD. */
  released?: string
  sizeB?: number
  /** USD per million tokens. */
  price?: number
}

/** Facts of the tables' models that the ability table does not have, as their makers announced them. */
export const poolFacts: Readonly<Record<string, PoolFacts>> = {
  'llama3-chatqa-1.5-8b': { released: '2024-05' },
  'llama3-chatqa-1.5-70b': { released: '2024-05' },
  'llama-3.1-nemotron-51b-instruct': { released: '2024-09-23' },
  'codegemma-7b': { released: '2024-04-09' },
  'qwen3.5-plus': { released: '2026-02-16' },
}
