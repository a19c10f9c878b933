import type { Measured } from './measure.ts'

/** What a request may need beyond text, by the name of the capability, and how a model without it is described. */
const descriptions = {
  tools: 'cannot call tools',
  forcedTools: 'cannot be made to call a tool',
  vision: 'cannot see images',
  json: 'cannot answer in JSON on demand',
  logprobs: 'gives no logprobs',
  logitBias: 'knows no logit_bias',
  manyChoices: 'gives one choice only',
} as const

/** A capability that a request may need. */
export type Capability = keyof typeof descriptions

export type Need = readonly [capability: Capability, without: string]

const needList: readonly Need[] = Object.entries(descriptions) as [Capability, string][]

/** What this request needs beyond text: the same for all candidates. */
export function needsOf(measured: Measured): Need[] {
  return needList.filter(([capability]) => measured[capability])
}
