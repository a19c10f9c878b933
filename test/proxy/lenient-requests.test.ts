import { deflateRawSync, deflateSync } from 'node:zlib'
import { Ollama } from 'ollama'
import t from 'tap'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor } from '../helpers/start-gateway.ts'

const question = { model: 'auto', messages: [{ role: 'user', content: 'Hello?' }] }

t.test('a JSON body that begins with a byte order mark is read', async t => {
  const gateway = await startGateway(t, variablesFor(await scriptedUpstream(t, 'llama-cpp')))
  const body = Buffer.from(`\ufeff${JSON.stringify(question)}`)
  const reply = await exchange(`${gateway.url}/v1/chat/completions`, { method: 'POST', body })
  t.equal(reply.status, 200, reply.text)
})

t.test('a deflated body is read with and without the zlib header, and is bounded in both forms', async t => {
  const gateway = await startGateway(t, variablesFor(await scriptedUpstream(t, 'llama-cpp')))
  const post = (body: Buffer) =>
    exchange(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      body,
      headers: { 'content-encoding': 'deflate' },
    })
  for (const deflate of [deflateSync, deflateRawSync]) {
    t.equal((await post(deflate(JSON.stringify(question)))).status, 200, deflate.name)
    t.equal((await post(deflate(Buffer.alloc(33 * 1024 * 1024, 0x20)))).status, 413, deflate.name)
  }
  t.equal((await post(Buffer.from('neither'))).status, 400)
})

t.test('an output limit of -1 means none, in every protocol', async t => {
  const upstream = await scriptedUpstream(t, 'openai-compatible')
  const gateway = await startGateway(t, variablesFor(upstream))
  const bodies: [path: string, body: object][] = [
    ['/v1/chat/completions', { ...question, max_tokens: -1 }],
    ['/v1/chat/completions', { ...question, max_completion_tokens: -1 }],
    ['/v1/messages', { ...question, max_tokens: -1 }],
    ['/v1/responses', { model: 'auto', input: 'Hello?', max_output_tokens: -1 }],
    ['/v1/completions', { model: 'auto', prompt: 'Hello', max_tokens: -1 }],
    [
      '/v1beta/models/auto:generateContent',
      { contents: [{ parts: [{ text: 'Hello?' }] }], generationConfig: { maxOutputTokens: -1 } },
    ],
  ]
  for (const [path, body] of bodies) {
    const reply = await gateway.post(path, body)
    t.equal(reply.status, 200, `${path}: ${reply.text}`)
  }
  const ollama = new Ollama({ host: gateway.url })
  await ollama.chat({ ...question, options: { num_predict: -1 } })
  for (const { body } of upstream.chats) t.notOk(body['max_tokens'] ?? body['max_completion_tokens'])
  t.equal(upstream.chats.length, bodies.length + 1)
})

t.test('an output limit of 0, or of any other number below 1, is refused by name', async t => {
  const gateway = await startGateway(t)
  for (const limit of [0, -2, 1.5, '10']) {
    const reply = await gateway.ask({ max_tokens: limit })
    t.match(reply, { status: 400, json: { error: { param: 'max_tokens' } } }, String(limit))
  }
})
