import { GatewayError } from '../errors.ts'
import { toolChoiceOf } from '../wire/chat/tool-choice.ts'
import type { Capabilities, ProviderCall } from './provider.ts'

/**
 * Throws `unsupported` for what the model's server would silently ignore: an answer without the requested feature is
 * worse than none. What servers reject by themselves is left to them.
 */
export function rejectUnsupported({ model, request }: ProviderCall): void {
  const { logprobs, logit_bias: bias, n, tool_choice: choice } = request
  const demands: [keyof Capabilities, boolean, string, string][] = [
    ['manyChoices', (n ?? 1) > 1, 'n', 'more than one choice'],
    ['logprobs', logprobs === true, 'logprobs', 'log probabilities'],
    [
      'logitBias',
      typeof bias === 'object' && bias !== null && Object.keys(bias).length > 0,
      'logit_bias',
      'a logit bias',
    ],
    ['forcedTools', toolChoiceOf(choice).forced, 'tool_choice', 'a forced tool call'],
  ]
  for (const [capability, demanded, param, what] of demands) {
    if (!demanded || model.capabilities[capability] !== false) continue
    throw new GatewayError('unsupported', `${model.id} does not support ${what}; omit ${param} or use another model.`, {
      param,
    })
  }
}
