import Anthropic from '@anthropic-ai/sdk'

const client = new Anthropic({ baseURL: process.env.BASE, apiKey: process.env.KEY, maxRetries: 0 })
const input_schema = {
  type: 'object',
  properties: { a: { type: 'number' }, b: { type: 'number' } },
  required: ['a', 'b'],
}
const runner = client.beta.messages.toolRunner({
  model: 'auto',
  max_tokens: 1000,
  messages: [{ role: 'user', content: 'Add 2 and 3.' }],
  tools: [{ type: 'custom', name: 'add', input_schema, run: ({ a, b }) => String(a + b), parse: input => input }],
})
const message = await runner
console.log('messages:', message.content.find(({ type }) => type === 'text')?.text)
const stream = client.messages.stream({
  model: 'auto',
  max_tokens: 1000,
  messages: [{ role: 'user', content: 'Add 2 and 3.' }],
  tools: [{ name: 'add', input_schema }],
  tool_choice: { type: 'tool', name: 'add' },
})
const forced = (await stream.finalMessage()).content.find(({ type }) => type === 'tool_use')
if (forced?.input?.a !== 2) throw new Error('the forced call did not come')
