import type { CoreValues } from '../config.ts'

/** What the operator decided about routing; every field is a setting. */
export interface Policy {
  /** OPENROUTER_FREE_ONLY: never a model that costs money. */
  freeOnly: boolean
  /** TOKEN_THRESHOLD and COST_THRESHOLD (USD): a request within both does not wait for a local model that is not ready. */
  tokenThreshold: number
  costThresholdUsd: number
  /** QUALITY_THRESHOLD, 0..1: below it a candidate is not chosen while one above exists. */
  qualityThreshold: number
  /** RELIABLE_BENCHMARK_COUNT: so many runs make a benchmark result count fully. */
  reliableBenchmarkCount: number
  /** LOCAL_WATTS, and ENERGY_PRICE in USD per kWh. */
  localWatts: number
  energyPrice: number
  /** DEFAULT_LOCAL_MODEL: preferred among local models that are good enough. */
  defaultLocalModel?: string | undefined
  /** EXPLORATION_SHARE, 0..0.03: how often another good enough model is tried, to learn from. */
  explorationShare: number
}

export const standardPolicy: Policy = {
  freeOnly: false,
  tokenThreshold: 1500,
  costThresholdUsd: 0.02,
  qualityThreshold: 0.7,
  reliableBenchmarkCount: 3,
  localWatts: 0,
  energyPrice: 0,
  explorationShare: 0.02,
}

/** The policy that the settings say. */
export function policyOf(values: CoreValues): Policy {
  return {
    freeOnly: values.OPENROUTER_FREE_ONLY,
    tokenThreshold: values.TOKEN_THRESHOLD,
    costThresholdUsd: values.COST_THRESHOLD,
    qualityThreshold: values.QUALITY_THRESHOLD,
    reliableBenchmarkCount: values.RELIABLE_BENCHMARK_COUNT,
    localWatts: values.LOCAL_WATTS,
    energyPrice: values.ENERGY_PRICE,
    defaultLocalModel: values.DEFAULT_LOCAL_MODEL,
    explorationShare: values.EXPLORATION_SHARE,
  }
}
