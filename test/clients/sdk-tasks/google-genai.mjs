import { GoogleGenAI } from '@google/genai'

const client = new GoogleGenAI({ apiKey: process.env.KEY, httpOptions: { baseUrl: process.env.BASE } })
const parametersJsonSchema = {
  type: 'object',
  properties: { a: { type: 'number' }, b: { type: 'number' } },
  required: ['a', 'b'],
}
const config = { tools: [{ functionDeclarations: [{ name: 'add', description: 'Adds.', parametersJsonSchema }] }] }
const contents = [{ role: 'user', parts: [{ text: 'Add 2 and 3.' }] }]
const first = await client.models.generateContent({ model: 'auto', contents, config })
const [call] = first.functionCalls
const response = { id: call.id, name: 'add', response: { output: call.args.a + call.args.b } }
contents.push(first.candidates[0].content, { role: 'user', parts: [{ functionResponse: response }] })
let text = ''
for await (const part of await client.models.generateContentStream({ model: 'auto', contents, config })) {
  text += part.text ?? ''
}
console.log('generateContent:', text)
