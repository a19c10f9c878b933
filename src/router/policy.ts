import { coreSettings, type CoreValues } from '../config/core-settings.ts'
import { ConfigError, readSettings } from '../config/setting.ts'
import { refuseUnknownChecks } from './verify.ts'

/** What the operator decided about routing; every field is a setting. */
export interface Policy {
  /** OPENROUTER_FREE_ONLY: never a model that costs money. */
  freeOnly: boolean
  /** TOKEN_THRESHOLD and COST_THRESHOLD (USD): a request within both does not wait for a local model that is not ready. */
  tokenThreshold: number
  costThresholdUsd: number
  /** QUALITY_THRESHOLD, 0..1: below it a candidate is not chosen while one clearly above exists. */
  qualityThreshold: number
  /** RELIABLE_BENCHMARK_COUNT: runs needed before a benchmark result gets full weight. */
  reliableBenchmarkCount: number
  /** LOCAL_WATTS, and ENERGY_PRICE in USD per kWh. */
  localWatts: number
  energyPrice: number
  /** DEFAULT_LOCAL_MODEL: preferred among local models that are good enough. */
  defaultLocalModel?: string | undefined
  /** EXPLORATION_SHARE, 0..0.03: how often another good enough model is tried, to learn from. */
  explorationShare: number
  /** VERIFY: checks of every answer whose caller names none. */
  verify: readonly string[]
  /** VALIDATION_RETRY_BUDGET: better models that are called after an answer fails its checks. */
  retryBudget: number
  /** MIN_VALIDATOR_SCORE, 0..1: a judge model counts from this share of agreement. */
  minValidatorScore: number
}

/** The policy that the settings say. Throws `ConfigError` for checks that do not exist. */
export function policyOf(values: CoreValues): Policy {
  try {
    refuseUnknownChecks(values.VERIFY, Object.keys(values.VERIFY_COMMANDS))
  } catch (error) {
    throw new ConfigError(`VERIFY: ${(error as Error).message}`)
  }
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
    verify: values.VERIFY,
    retryBudget: values.VALIDATION_RETRY_BUDGET,
    minValidatorScore: values.MIN_VALIDATOR_SCORE,
  }
}

/** The policy of an environment without any setting. */
export const defaultPolicy: Policy = policyOf(readSettings(coreSettings, {}))
