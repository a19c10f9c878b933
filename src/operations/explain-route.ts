import { z } from 'zod'
import type { Core } from '../core.ts'
import { readOptions } from '../router/options.ts'
import { ChatRequest } from '../wire/chat/schema.ts'
import { readFields } from '../wire/read-body.ts'
import { DecisionView, decisionView } from './decision-view.ts'
import { operation } from './operation.ts'

export const explainRoute = operation({
  name: 'explain_route',
  summary: 'Explains which model a complete chat completion request would go to and why not the others. Runs nothing.',
  effect: 'read',
  card: 'decision',
  input: z.strictObject({
    request: z
      .looseObject({})
      .describe('A chat completion request in OpenAI’s format: model, messages, tools and so on.'),
  }),
  output: DecisionView,
  run: async ({ gateway }: Core, { request }, call) => {
    const parsed = readFields(ChatRequest, request, { within: 'request' })
    const query = { options: readOptions({}, parsed.metadata), keyId: call.principal.name }
    return decisionView(await gateway.dryRun(parsed, call.signal, query))
  },
})
