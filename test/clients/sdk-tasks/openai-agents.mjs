import { Agent, OpenAIProvider, Runner, setTracingDisabled, tool } from '@openai/agents'
import { z } from 'zod'

setTracingDisabled(true)
const add = tool({
  name: 'add',
  description: 'Adds.',
  parameters: z.object({ a: z.number(), b: z.number() }),
  execute: ({ a, b }) => String(a + b),
})
const agent = new Agent({ name: 'adder', instructions: 'Add numbers.', model: 'auto', tools: [add] })
for (const useResponses of [false, true]) {
  const modelProvider = new OpenAIProvider({ baseURL: `${process.env.BASE}/v1`, apiKey: process.env.KEY, useResponses })
  const { finalOutput } = await new Runner({ modelProvider }).run(agent, 'Add 2 and 3.')
  console.log(useResponses ? 'responses:' : 'chat:', finalOutput)
}
