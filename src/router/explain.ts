import type { CascadePlan } from './cascade.ts'
import type { Decision } from './decide.ts'
import type { ExclusionCode } from './filter.ts'
import type { Candidate } from './rank.ts'
import type { Priority } from './select.ts'

export interface Explanation {
  /** One sentence: who and why. */
  summary: string
  chosen: string | undefined
  reason: string
  categories: Readonly<Record<string, number>>
  /** The quality that had to be reached. */
  floor: number
  propensity: number
  /** How the answer is going to be checked; null where it is not. */
  cascade: CascadePlan | null
  candidates: ExplainedCandidate[]
  excluded: { model: string; code: ExclusionCode; reason: string; flip: string }[]
}

export interface ExplainedCandidate {
  model: string
  step: Candidate['step']
  quality: number
  /** The 95 % interval of the quality, 0..1. */
  low: number
  high: number
  /** Observations behind it. */
  n: number
  /** Null where no price is known. */
  cost_usd: number | null
  seconds: number
  /** Empty for the chosen one. */
  lost_because: string
  /** What would have to change for it to be chosen; empty for the chosen one. */
  flip: string
}

/** Says for every candidate what was expected of it, why it lost and what would flip that. */
export function explain(decision: Decision): Explanation {
  const [first, ...others] = decision.candidates
  const chosen = decision.ranked[0]?.id
  return {
    summary: summaryOf(decision, first),
    chosen,
    reason: decision.reason,
    categories: decision.measured.categories,
    floor: decision.floor,
    propensity: decision.propensity,
    cascade: decision.cascade ?? null,
    candidates: [
      ...(first === undefined ? [] : [explained(first, '', '')]),
      ...others.map(other => {
        const { because, flip } = compare(other, first!, decision)
        return explained(other, because, flip)
      }),
    ],
    excluded: decision.excluded.map(({ model, exclusion }) => ({
      model: model.id,
      code: exclusion.code,
      reason: exclusion.reason,
      flip: flips[exclusion.code],
    })),
  }
}

const flips: Readonly<Record<ExclusionCode, string>> = {
  tools: 'send no tools',
  forcedTools: 'do not insist on a tool call',
  vision: 'send no images',
  json: 'ask for JSON in words instead of response_format',
  logprobs: 'leave out logprobs',
  logitBias: 'leave out logit_bias',
  manyChoices: 'ask for one choice',
  chat: 'it cannot: it does not chat',
  context: 'shorten the prompt, lower max_tokens or load it with a larger context',
  avoided: 'name it as `model`',
  unavailable: 'wait until it answers again',
  rate_limited: 'wait until its limit is over',
  policy: 'lift local_only, the preset `local` or `free`, or OPENROUTER_FREE_ONLY',
  not_allowed: 'use an API key that may use it',
  budget: 'raise max_cost',
  over_budget: 'wait until the budget begins anew, or raise it',
  budget_reserved: 'wait until the requests in progress have ended',
}

function explained(predicted: Candidate, because: string, flip: string): ExplainedCandidate {
  const { quality, plusMinus } = predicted
  return {
    model: predicted.model,
    step: predicted.step,
    quality,
    low: Math.max(0, quality - plusMinus),
    high: Math.min(1, quality + plusMinus),
    n: Math.round(predicted.count * 10) / 10,
    cost_usd: predicted.costUsd,
    seconds: Math.round(predicted.seconds * 100) / 100,
    lost_because: because,
    flip,
  }
}

/** The first rule that puts `other` behind `first`, in the order in which `rank` applies them. */
function compare(other: Candidate, first: Candidate, decision: Decision): { because: string; flip: string } {
  const { criteria, floor, rule } = decision
  const theirs = decision.ranked.findIndex(model => model.id === other.model)
  if (criteria === undefined || theirs < 0) return { because: 'not ranked', flip: '' }
  const skip = decision.cascade?.skipped.find(({ model }) => model === other.model)
  if (skip !== undefined) {
    return {
      because: `its answers pass ${skip.check} only ${percent(skip.acceptRate)} of the time (${skip.answers} checked)`,
      flip: 'leave out verify, or name it as `model`',
    }
  }
  if (first.adequate && !other.adequate) {
    const { qualityFloor } = criteria
    const guessed = other.quality >= qualityFloor
    return {
      because: guessed
        ? `its quality of ${percent(other.quality)} ± ${percent(other.plusMinus)} is too uncertain for a prompt this long`
        : `its quality of ${percent(other.quality)} is below the floor of ${percent(floor)}`,
      flip: `QUALITY_THRESHOLD or min_quality of at most ${round(other.quality - (guessed ? other.plusMinus : 0))}, or evidence that it is better`,
    }
  }
  if (!first.postponed && other.postponed && other.waitSeconds === 0) {
    return {
      because: `it would take ${seconds(other.seconds)}, much longer than another good enough model`,
      flip: 'auto:cost, which waits for what costs least',
    }
  }
  if (!first.postponed && other.postponed) {
    return {
      because: `it is not ready (${seconds(other.waitSeconds)}) and the request is too small to wait`,
      flip: `have it loaded and idle, or TOKEN_THRESHOLD below ${criteria.promptTokens}`,
    }
  }
  if (rule === 'explored')
    return { because: `${first.model} was tried out, which happens now and then`, flip: 'EXPLORATION_SHARE=0' }
  if (rule === 'stayed') {
    return {
      because: `the conversation is at ${first.model}, and leaving would gain too little`,
      flip: 'start a new conversation (another session), or name it as `model`',
    }
  }
  if (other.dominated && !first.dominated) {
    return {
      because: 'another candidate is better, cheaper and faster at once',
      flip: 'name it as `model`',
    }
  }
  if (criteria.priority === 'cost' && other.step !== first.step && first.adequate) {
    return {
      because: `with priority cost ${first.step} goes before ${other.step}`,
      flip: `priority quality or speed, or a floor above ${percent(first.quality)}`,
    }
  }
  if (other.key === first.key) {
    return { because: `${first.model} is the same model and expected sooner`, flip: 'less load on its endpoint' }
  }
  return { because: lossOf(other, first, criteria.priority), flip: 'another priority, or name it as `model`' }
}

/** In what `other` is behind `first`. */
function lossOf(other: Candidate, first: Candidate, priority: Priority): string {
  const losses = [
    ...(other.quality < first.quality ? [`quality ${percent(other.quality)} against ${percent(first.quality)}`] : []),
    ...((other.costUsd ?? Infinity) > (first.costUsd ?? Infinity)
      ? [`${money(other.costUsd)} against ${money(first.costUsd)}`]
      : []),
    ...(other.seconds > first.seconds ? [`${seconds(other.seconds)} against ${seconds(first.seconds)}`] : []),
  ]
  return losses.length === 0
    ? 'it is equal and comes later in the list'
    : `under priority ${priority}: ${losses.join(', ')}`
}

function summaryOf({ reason, excluded, ranked, floor, criteria }: Decision, first: Candidate | undefined): string {
  if (first === undefined) return `No model can serve this request; ${excluded.length} candidates were ruled out.`
  const quality = `quality ${percent(first.quality)} ± ${percent(first.plusMinus)}`
  const others = `${ranked.length - 1} others, ${excluded.length} dropped`
  const lowered =
    criteria !== undefined && floor < criteria.qualityFloor ? '; no model is clearly above the requested quality' : ''
  return `${first.model} (${reason}): ${quality}, ${money(first.costUsd)}, ${seconds(first.seconds)}; ${others}${lowered}.`
}

function percent(value: number): string {
  return `${Math.round(100 * value)} %`
}

function money(usd: number | null): string {
  if (usd === null) return 'unknown cost'
  return usd === 0 ? '$0' : `$${usd.toPrecision(2)}`
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
