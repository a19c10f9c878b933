import OpenAI from 'openai'

const client = new OpenAI({ baseURL: `${process.env.BASE}/v1`, apiKey: process.env.KEY, maxRetries: 0 })
const parameters = {
  type: 'object',
  properties: { a: { type: 'number' }, b: { type: 'number' } },
  required: ['a', 'b'],
}
const add = ({ a, b }) => String(a + b)

const runner = client.chat.completions.runTools({
  model: 'auto',
  stream: true,
  messages: [{ role: 'user', content: 'Add 2 and 3.' }],
  tools: [{ type: 'function', function: { name: 'add', parameters, parse: JSON.parse, function: add } }],
})
console.log('chat:', await runner.finalContent())

const tools = [{ type: 'function', name: 'add', parameters, strict: false }]
const first = await client.responses.create({ model: 'auto', input: 'Add 2 and 3.', tools })
const call = first.output.find(item => item.type === 'function_call')
const output = { type: 'function_call_output', call_id: call.call_id, output: add(JSON.parse(call.arguments)) }
const second = await client.responses.create({ model: 'auto', input: [output], previous_response_id: first.id, tools })
console.log('responses:', second.output_text)
