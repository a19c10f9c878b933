import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import OpenAI, { AzureOpenAI, toFile } from 'openai'
import t, { type Test } from 'tap'
import { gate, scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { failureOf } from '../helpers/failure-of.ts'
import { exchange, startGateway, variablesFor } from '../helpers/start-gateway.ts'

const names = ['chatty', 'omni-moderation-latest', 'tts-1', 'whisper-1', 'gpt-image-1', 'dall-e-2']

t.test('speech arrives as its server makes it, byte for byte', async t => {
  const held = gate()
  const sound = Buffer.from([0, 255, 13, 10, 13, 10, 100, 97, 116, 97, 58, 32])
  const { client, seen } = await setUp(t, async (_request, response) => {
    response.writeHead(200, { 'content-type': 'audio/mpeg' }).write(sound)
    await held.opened
    response.end(sound)
  })
  const reply = await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Hello.' })
  t.equal(reply.headers.get('content-type'), 'audio/mpeg')
  t.equal(reply.headers.get('x-signalbox-model'), 'cloud/tts-1')
  const reader = reply.body!.getReader()
  t.same((await reader.read()).value, new Uint8Array(sound), 'the first bytes come before the last are made')
  held.open()
  t.same((await reader.read()).value, new Uint8Array(sound))
  t.equal((await reader.read()).done, true)
  t.match(seen, [{ url: '/v1/audio/speech', json: { model: 'tts-1', voice: 'alloy', input: 'Hello.' } }])
})

t.test('a form reaches the server as it was sent, with the server’s own name of the model', async t => {
  const { client, seen, gateway } = await setUp(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify({
        text: 'Hello.',
        usage: { type: 'tokens', input_tokens: 14, output_tokens: 45, total_tokens: 59 },
      }),
    )
  })
  const sound = Buffer.from('\r\n--not a boundary\r\n\0\xff', 'latin1')
  const file = await toFile(sound, 'a.wav', { type: 'audio/wav' })
  const { text } = await client.audio.transcriptions.create({
    file,
    model: 'cloud/whisper-1',
    prompt: 'a "quoted" one',
  })
  t.equal(text, 'Hello.')
  t.equal(seen[0]?.url, '/v1/audio/transcriptions')
  const form = await seen[0]!.form()
  t.same([...form.keys()].sort(), ['file', 'model', 'prompt'])
  t.equal(form.get('model'), 'whisper-1')
  t.equal(form.get('prompt'), 'a "quoted" one')
  t.same(Buffer.from(await (form.get('file') as Blob).arrayBuffer()), sound)
  await gateway.core.gateway.idle()
  const { json } = await gateway.get('/v1/usage')
  t.match(json.rows, [
    {
      group: { model: 'cloud/whisper-1' },
      requests: 1,
      input_tokens: 14,
      output_tokens: 45,
      cost_usd: 0,
      unknown_cost_requests: 1,
    },
  ])
})

t.test('without a model, one is chosen by what its name says it is for', async t => {
  const { client, seen } = await setUp(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":[],"results":[]}')
  })
  await client.moderations.create({ input: 'Hi' })
  await client.images.generate({ prompt: 'A cat.' })
  await client.images.edit({ image: await toFile(Buffer.from('png'), 'a.png'), prompt: 'A dog.', model: 'dall-e-2' })
  t.match(seen[0]?.json, { model: 'omni-moderation-latest' })
  t.match(seen[1]?.json, { model: /gpt-image-1|dall-e-2/ })
  t.equal((await seen[2]!.form()).get('model'), 'dall-e-2')
})

t.test('Azure’s address names the model of a form too', async t => {
  const { gateway, seen } = await setUp(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"text":""}')
  })
  const client = new AzureOpenAI({
    endpoint: gateway.url,
    apiKey: 'none',
    apiVersion: '2026-10-01',
    deployment: 'whisper-1',
    maxRetries: 0,
  })
  await client.audio.transcriptions.create({ file: await toFile(Buffer.from('x'), 'a.wav'), model: '' })
  t.equal((await seen[0]!.form()).get('model'), 'whisper-1')
})

t.test('where no server has a model for it, it is a 501 that says what to configure', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(local))
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
  t.match(await failureOf(client.images.generate({ prompt: 'A cat.' })), {
    status: 501,
    code: 'not_offered',
    message: /OPENAI_COMPATIBLE_ENDPOINT/,
  })
  t.match(await failureOf(client.audio.speech.create({ model: 'llama-cpp/scripted', voice: 'alloy', input: 'Hi' })), {
    status: 501,
    message: /audio\/speech for 'llama-cpp\/scripted'/,
  })
  t.match(await failureOf(client.moderations.create({ input: 'Hi', model: 'omni-moderation-latest' })), { status: 404 })
})

t.test('an error of the server is told, and one in the middle of an answer cuts it off', async t => {
  let answers = 0
  const { client, gateway } = await setUp(t, (_request, response) => {
    answers += 1
    if (answers === 1) {
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"No such voice."}}')
      return
    }
    response.writeHead(200, { 'content-type': 'audio/mpeg', 'content-length': '100' }).write('abc')
    setTimeout(() => response.destroy(), 20)
  })
  const ask = () => client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Hello.' })
  t.match(await failureOf(ask()), { status: 400, message: /No such voice/ })
  const reply = await ask()
  await t.rejects(reply.arrayBuffer())
  await gateway.core.gateway.idle()
  t.match((await gateway.get('/v1/usage')).json.totals, { requests: 2, errors: 2 })
})

t.test('a caller that leaves ends the call, whose cost is unknown', async t => {
  const gone = Promise.withResolvers<void>()
  const { client, gateway } = await setUp(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'audio/mpeg' }).write('abc')
    response.once('close', () => gone.resolve())
  })
  const controller = new AbortController()
  const asked = { model: 'tts-1', voice: 'alloy', input: 'Hello.' }
  const reply = await client.audio.speech.create(asked, { signal: controller.signal })
  await reply.body!.getReader().read()
  controller.abort()
  await gone.promise
  await gateway.core.gateway.idle()
  t.match((await gateway.get('/v1/usage')).json.totals, { cancelled: 1, unknown_cost_requests: 1 })
})

t.test('a body that is no form is a 400 that says why', async t => {
  const { gateway, seen } = await setUp(t, (_request, response) => void response.end())
  const part = (header: string, text = 'x') => `--b\r\n${header}\r\n\r\n${text}\r\n`
  const model = part('Content-Disposition: form-data; name="model"', 'whisper-1')
  for (const [type, body, message] of [
    ['multipart/form-data', `${model}--b--`, /names no boundary/],
    ['multipart/form-data; boundary=c', `${model}--b--`, /boundary is not in it/],
    ['multipart/form-data; boundary=b', `--bb${model}`, /not at the end of a line/],
    [
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nx',
      /in the middle/,
    ],
    ['multipart/form-data; boundary=b', `${part('X: y')}--b--`, /has no name/],
    ['multipart/form-data; boundary=b', `${model}${model}--b--`, /two models/],
    [
      'multipart/form-data; boundary=b',
      `${part('Content-Disposition: form-data; name="a"').repeat(101)}--b--`,
      /100 parts/,
    ],
    ['multipart/form-data; boundary=b', `--b\r\n${'x'.repeat(5_000)}\r\n\r\n\r\n--b--`, /end of its headers/],
    ['application/json', '[1]', /JSON object or a form/],
    ['application/json', '{"model":{}}', /model/],
  ] as const) {
    const headers = { 'content-type': type }
    const reply = await exchange(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', headers, body })
    t.equal(reply.status, 400, String(message))
    t.match(reply.json.error.message, message)
  }
  t.equal(seen.length, 0)
})

interface Seen {
  url: string
  json: unknown
  form: () => Promise<FormData>
}

/** A cloud of many models, and a client of Signalbox before it. */
async function setUp(t: Test, respond: (request: IncomingMessage, response: ServerResponse) => unknown) {
  const seen: Seen[] = []
  const listed = JSON.stringify({ data: names.map(id => ({ id })) })
  const server = createServer((request, response) => {
    if (request.method === 'GET') response.end(listed)
    else void answer(request, response)
  })
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await buffer(request)
    const type = request.headers['content-type'] ?? ''
    seen.push({
      url: request.url ?? '',
      json: type.startsWith('application/json') ? JSON.parse(body.toString()) : undefined,
      form: () => new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData(),
    })
    await respond(request, response)
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const cloud = {
    kind: 'openai-compatible',
    name: 'cloud',
    url: `http://127.0.0.1:${port}/v1`,
    tier: 'remote',
    named: true,
  } as const
  const gateway = await startGateway(t, {}, [cloud])
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
  return { seen, gateway, client }
}
