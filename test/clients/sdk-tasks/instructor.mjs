import Instructor from '@instructor-ai/instructor'
import OpenAI from 'openai'
import { z } from 'zod'

const openai = new OpenAI({ baseURL: `${process.env.BASE}/v1`, apiKey: process.env.KEY, maxRetries: 0 })
const client = Instructor({ client: openai, mode: 'TOOLS' })
const result = await client.chat.completions.create({
  model: 'auto',
  messages: [{ role: 'user', content: 'Add 2 and 3.' }],
  response_model: { schema: z.object({ a: z.number(), b: z.number() }), name: 'add' },
})
if (result.a !== 2) throw new Error('the object did not come')
console.log('tools: DONE')
