import { Mistral } from '@mistralai/mistralai'

const client = new Mistral({ serverURL: process.env.BASE, apiKey: process.env.KEY, retryConfig: { strategy: 'none' } })
const parameters = {
  type: 'object',
  properties: { a: { type: 'number' }, b: { type: 'number' } },
  required: ['a', 'b'],
}
const tools = [{ type: 'function', function: { name: 'add', parameters } }]
const messages = [{ role: 'user', content: 'Add 2 and 3.' }]
const first = await client.chat.complete({ model: 'auto', messages, tools, toolChoice: 'any' })
const { message } = first.choices[0]
const [call] = message.toolCalls
const { a, b } =
  typeof call.function.arguments === 'string' ? JSON.parse(call.function.arguments) : call.function.arguments
messages.push(message, { role: 'tool', name: 'add', toolCallId: call.id, content: String(a + b) })
let text = ''
for await (const { data } of await client.chat.stream({ model: 'auto', messages, tools })) {
  text += data.choices[0]?.delta.content ?? ''
}
console.log('chat:', text)
