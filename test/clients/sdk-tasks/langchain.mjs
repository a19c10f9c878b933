import { HumanMessage, ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { ChatAnthropic } from '@langchain/anthropic'
import { ChatGoogleGenerativeAI } from '@langchain/google-genai'
import { ChatOllama } from '@langchain/ollama'
import { ChatOpenAI } from '@langchain/openai'
import { z } from 'zod'

const { BASE, KEY: apiKey } = process.env
const shared = { model: 'auto', maxRetries: 0 }
const models = {
  openai: new ChatOpenAI({ ...shared, apiKey, configuration: { baseURL: `${BASE}/v1` } }),
  anthropic: new ChatAnthropic({ ...shared, apiKey, anthropicApiUrl: BASE, maxTokens: 1000 }),
  ollama: new ChatOllama({ ...shared, baseUrl: BASE, headers: { authorization: `Bearer ${apiKey}` } }),
  google: new ChatGoogleGenerativeAI({ ...shared, apiKey, baseUrl: BASE }),
}
const sum = z.object({ a: z.number(), b: z.number() })
const add = tool(({ a, b }) => String(a + b), { name: 'add', description: 'Adds.', schema: sum })
for (const [name, model] of Object.entries(models)) {
  const bound = model.bindTools([add])
  const question = new HumanMessage('Add 2 and 3.')
  const first = await bound.invoke([question])
  const [call] = first.tool_calls
  const result = new ToolMessage({ content: await add.invoke(call.args), tool_call_id: call.id, name: 'add' })
  const second = await bound.invoke([question, first, result])
  console.log(`${name}:`, second.text)
}
const structured = await models.anthropic.withStructuredOutput(sum, { name: 'add' }).invoke('Add 2 and 3.')
if (structured.a !== 2) throw new Error('the object did not come')
