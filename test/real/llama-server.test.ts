import { request as send } from 'undici'
import OpenAI from 'openai'
import t from 'tap'
import { startGateway } from '../helpers/start-gateway.ts'

const url = process.env['LLAMA_SERVER_URL']
const skip = url === undefined ? 'LLAMA_SERVER_URL names no running llama-server with the scripted model' : false
const bash = {
  type: 'function' as const,
  function: { name: 'bash', parameters: { type: 'object', properties: { command: { type: 'string' } } } },
}

async function setUp(t: Parameters<typeof startGateway>[0]) {
  const gateway = await startGateway(t, { LLAMA_CPP_ENDPOINT: url ?? '', PROVIDER_MAX_CONCURRENT_LOCAL: '2' })
  return { gateway, client: new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 }) }
}

t.test('a real llama-server answers in text, buffered and streamed', { skip }, async t => {
  const { client } = await setUp(t)
  const messages = [{ role: 'user' as const, content: 'Hello?' }]
  const whole = await client.chat.completions.create({ model: 'auto', messages })
  t.match(whole.choices[0]?.message.content, /real llama-server/)
  const streamed = await client.chat.completions.stream({ model: 'auto', messages }).finalChatCompletion()
  t.equal(streamed.choices[0]?.message.content, whole.choices[0]?.message.content)
})

t.test('a real llama-server calls a tool and continues after its result', { skip }, async t => {
  const { client } = await setUp(t)
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Write the proof.' }]
  const first = await client.chat.completions.create({ model: 'auto', messages, tools: [bash] })
  const call = first.choices[0]?.message.tool_calls?.[0]
  t.equal(call?.type === 'function' && call.function.name, 'bash')
  messages.push(first.choices[0]!.message, { role: 'tool', tool_call_id: call?.id ?? '', content: 'ok' })
  const second = await client.chat.completions.create({ model: 'auto', messages, tools: [bash] })
  t.match(second.choices[0]?.message.content, /DONE/)
})

t.test(
  'a disconnect frees the slot of a real llama-server within 300 ms, before and after the first token',
  { skip },
  async t => {
    const { gateway } = await setUp(t)
    const body = (stream: boolean) =>
      JSON.stringify({ model: 'auto', stream, messages: [{ role: 'user', content: 'LOOP' }] })
    for (const stream of [true, false]) {
      const controller = new AbortController()
      const asked = send(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        body: body(stream),
        signal: controller.signal,
      })
      while ((await busySlots()) === 0) await new Promise(resolve => setTimeout(resolve, 10))
      const abortedAt = performance.now()
      controller.abort()
      if (stream) await asked.then(({ body: rest }) => rest.dump()).catch(() => undefined)
      else await t.rejects(asked)
      while ((await busySlots()) > 0) await new Promise(resolve => setTimeout(resolve, 5))
      const freedMs = performance.now() - abortedAt
      t.comment(`freed after ${Math.round(freedMs)} ms (${stream ? 'streaming' : 'waiting for the whole answer'})`)
      t.ok(freedMs < 300, 'freed within 300 ms')
    }
  },
)

async function busySlots(): Promise<number> {
  const reply = await send(`${url}/slots`)
  const slots = (await reply.body.json()) as { is_processing: boolean }[]
  return slots.filter(slot => slot.is_processing).length
}
