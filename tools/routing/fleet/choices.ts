import { createKnowledge } from '../../../src/router/knowledge.ts'
import { decide, type Decision } from '../../../src/router/decide.ts'
import { emptyEvidence } from '../../../src/router/evidence.ts'
import { measure } from '../../../src/router/measure.ts'
import { defaultPolicy } from '../../../src/router/policy.ts'
import { presets } from '../../../src/router/select.ts'
import { loadWeights } from '../../../src/router/weights.ts'
import { createTokenCounter } from '../../../src/tokens/counter.ts'
import { fleet } from './models.ts'
import { fleetPrompts, type FleetPrompt } from './prompts.ts'

export const fleetPresets = ['auto', 'auto:cost', 'auto:quality', 'auto:speed'] as const
export type FleetPreset = (typeof fleetPresets)[number]

/** What the router as shipped, which has seen no traffic, decides about one prompt. */
export interface FleetChoice {
  prompt: FleetPrompt
  decisions: Readonly<Record<FleetPreset, Decision>>
}

/** The decisions about the thirty prompts; nothing is tried out by chance. */
export function fleetChoices(): FleetChoice[] {
  const policy = { ...defaultPolicy, explorationShare: 0 }
  const knowledge = createKnowledge(loadWeights().weights, emptyEvidence(), policy, () => 1)
  const tokens = createTokenCounter()
  const pool = {
    condition: () => ({ state: 'ready' as const }),
    load: () => ({ busy: 0, waiting: 0, slots: 1 }),
  }
  return fleetPrompts.map(prompt => {
    const { request } = prompt
    const count = tokens.countMessages(request.messages, request.tools)
    const measured = measure(request, count, knowledge.judge)
    const decisionFor = (preset: FleetPreset) => {
      const groups = [{ asked: preset, models: fleet, preset: presets[preset]! }]
      return decide({ measured, options: {} }, { groups, ...pool }, knowledge, 0, 0.5)
    }
    return {
      prompt,
      decisions: {
        auto: decisionFor('auto'),
        'auto:cost': decisionFor('auto:cost'),
        'auto:quality': decisionFor('auto:quality'),
        'auto:speed': decisionFor('auto:speed'),
      },
    }
  })
}

/** Whether the choice is one of those that were named beforehand. */
export function isAcceptable({ prompt, decisions }: FleetChoice, preset: 'auto' | 'auto:quality'): boolean {
  const accepted = preset === 'auto' ? prompt.auto : prompt.quality
  return accepted.includes(decisions[preset].ranked[0]?.name ?? '')
}
