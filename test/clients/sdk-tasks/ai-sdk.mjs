import { generateText, stepCountIs, Output, tool } from 'ai'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogleGenerativeAI } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { z } from 'zod'

const { BASE, KEY: apiKey } = process.env
const models = {
  compatible: createOpenAICompatible({ name: 'signalbox', baseURL: `${BASE}/v1`, apiKey })('auto'),
  responses: createOpenAI({ baseURL: `${BASE}/v1`, apiKey })('auto'),
  chat: createOpenAI({ baseURL: `${BASE}/v1`, apiKey }).chat('auto'),
  anthropic: createAnthropic({ baseURL: `${BASE}/v1`, apiKey })('auto'),
  google: createGoogleGenerativeAI({ baseURL: `${BASE}/v1beta`, apiKey })('auto'),
}
const sum = z.object({ a: z.number(), b: z.number() })
const add = tool({ description: 'Adds.', inputSchema: sum, execute: ({ a, b }) => String(a + b) })
for (const [name, model] of Object.entries(models)) {
  const { text } = await generateText({
    model,
    prompt: 'Add 2 and 3.',
    tools: { add },
    stopWhen: stepCountIs(3),
    maxRetries: 0,
  })
  console.log(`${name}:`, text)
}
const { output } = await generateText({
  model: models.anthropic,
  prompt: 'Add 2 and 3.',
  output: Output.object({ schema: sum }),
  maxRetries: 0,
})
if (output.a !== 2) throw new Error('the object did not come')
