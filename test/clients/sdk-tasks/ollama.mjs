import { Ollama } from 'ollama'

const client = new Ollama({ host: process.env.BASE, headers: { authorization: `Bearer ${process.env.KEY}` } })
const parameters = {
  type: 'object',
  properties: { a: { type: 'number' }, b: { type: 'number' } },
  required: ['a', 'b'],
}
const tools = [{ type: 'function', function: { name: 'add', description: 'Adds.', parameters } }]
const messages = [{ role: 'user', content: 'Add 2 and 3.' }]
const { message } = await client.chat({ model: 'auto', messages, tools })
const { a, b } = message.tool_calls[0].function.arguments
messages.push(message, { role: 'tool', tool_name: 'add', content: String(a + b) })
let text = ''
for await (const part of await client.chat({ model: 'auto', messages, tools, stream: true }))
  text += part.message.content
console.log('chat:', text)
