import { z } from 'zod'
import type { Core } from '../core.ts'
import { GatewayError } from '../errors.ts'
import { readOptions } from '../router/options.ts'
import { ChatRequest } from '../wire/chat/schema.ts'
import { DecisionView, decisionView } from './decision-view.ts'
import { operation } from './operation.ts'

export const explainRoute = operation({
  name: 'explain_route',
  summary: 'Explains which model a whole chat completion request would go to and why the others lost. Runs nothing.',
  effect: 'read',
  input: z.strictObject({
    request: z
      .looseObject({})
      .describe('A chat completion request in OpenAI’s form: model, messages, tools and so on.'),
  }),
  output: DecisionView,
  run: async ({ gateway }: Core, { request }, call) => {
    const parsed = ChatRequest.safeParse(request)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      const param = ['request', ...(issue?.path ?? [])].join('.')
      throw new GatewayError('invalid_request', `${param}: ${issue?.message ?? 'is not a chat request'}`, { param })
    }
    const query = { options: readOptions({}, parsed.data.metadata) }
    return decisionView(await gateway.dryRun(parsed.data, call.signal, query))
  },
})
