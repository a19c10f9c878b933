import { GoogleGenAI, FunctionCallingConfigMode, Type, type Content } from '@google/genai'
import t from 'tap'
import { gate, scriptedUpstream, type Script } from '../helpers/scripted-upstream.ts'
import { failureOf } from '../helpers/failure-of.ts'
import { exchange, startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

async function setUp(t: Teardown, script: Script = {}, variables: Record<string, string> = {}) {
  const local = await scriptedUpstream(t, 'llama-cpp', {
    models: [{ name: 'scripted', tools: true, vision: true, reasoning: true }],
    ...script,
  })
  const gateway = await startGateway(t, { ...variablesFor(local), ...variables })
  const clientWith = (apiKey: string) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: gateway.url } })
  const post = (target: string, body: object, headers: Record<string, string> = {}) =>
    exchange(`${gateway.url}/v1beta/models/${target}`, { method: 'POST', body: JSON.stringify(body), headers })
  return { local, gateway, client: clientWith('none'), clientWith, post }
}

const contents = [{ role: 'user', parts: [{ text: 'Hi' }] }]
const weather = {
  name: 'weather',
  parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING, nullable: true } }, required: ['city'] },
}

t.test(
  'the methods answer under /v1 as well, where the package’s version 3 calls them, and their errors are Google’s',
  async t => {
    const { gateway } = await setUp(t, { answer: { text: 'Hello.' } }, { SIGNALBOX_API_KEY: 'sesame' })
    const ask = (target: string, key: string) =>
      exchange(`${gateway.url}/v1/models/${target}${target.includes('?') ? '&' : '?'}key=${key}`, {
        method: 'POST',
        body: JSON.stringify({ contents }),
      })
    t.match(await ask('auto:generateContent', 'sesame'), {
      status: 200,
      json: { candidates: [{ content: { parts: [{ text: 'Hello.' }] } }] },
    })
    const streamed = await ask('llama-cpp/scripted:streamGenerateContent?alt=sse', 'sesame')
    t.match(streamed.events.at(-1), { candidates: [{ finishReason: 'STOP' }] })
    t.match(await ask('auto:countTokens', 'sesame'), { json: { totalTokens: Number } })
    t.match(await ask('auto:generateContent', 'wrong'), { status: 401, json: { error: { status: 'UNAUTHENTICATED' } } })
    const headers = { authorization: 'Bearer sesame' }
    const listed = await exchange(`${gateway.url}/v1/models`, { method: 'GET', headers })
    t.match(listed.json, { object: 'list' }, 'the list there stays OpenAI’s')
  },
)

t.test('the @google/genai package chats, buffered and streamed, with counts', async t => {
  const { client, local } = await setUp(t, {
    answer: {
      reasoning: ['So', '.'],
      text: ['Hel', 'lo.'],
      usage: { promptTokens: 9, outputTokens: 6, reasoningTokens: 2 },
    },
  })
  const config = { systemInstruction: 'Be kind.', thinkingConfig: { includeThoughts: true } }
  const whole = await client.models.generateContent({ model: 'gemini-2.5-pro', contents: 'Hi', config })
  t.equal(whole.text, 'Hello.')
  t.equal(whole.candidates?.[0]?.finishReason, 'STOP')
  t.match(whole.candidates?.[0]?.content?.parts, [{ text: 'So.', thought: true }, { text: 'Hello.' }])
  t.match(whole.usageMetadata, { promptTokenCount: 9, candidatesTokenCount: 4, thoughtsTokenCount: 2 })
  t.equal(whole.modelVersion, 'llama-cpp/scripted')
  t.match(local.chats[0]?.body['messages'], [
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'Hi' },
  ])
  const parts = []
  for await (const part of await client.models.generateContentStream({ model: 'auto', contents: 'Hi' })) {
    parts.push(part)
  }
  t.equal(parts.map(({ text }) => text ?? '').join(''), 'Hello.')
  t.notMatch(JSON.stringify(parts), /"thought"/, 'thoughts were not asked for')
  t.match(parts.at(-1), { candidates: [{ finishReason: 'STOP' }], usageMetadata: { totalTokenCount: 15 } })
})

t.test('the @google/genai package gets tool calls, streamed, and returns their results', async t => {
  const { client, local } = await setUp(t, {
    answer: [{ toolCalls: [{ name: 'weather', arguments: { city: 'Bern' } }] }, { text: 'Sunny.' }],
  })
  const config = { tools: [{ functionDeclarations: [weather] }] }
  let call
  for await (const part of await client.models.generateContentStream({ model: 'auto', contents, config })) {
    call = part.functionCalls?.[0] ?? call
  }
  t.match(call, { name: 'weather', args: { city: 'Bern' } })
  const history: Content[] = [
    ...contents,
    { role: 'model', parts: [{ functionCall: { name: 'weather', args: { city: 'Bern' } } }] },
    { role: 'user', parts: [{ functionResponse: { name: 'weather', response: { output: 'sun' } } }] },
  ]
  const answered = await client.models.generateContent({ model: 'auto', contents: history, config })
  t.equal(answered.text, 'Sunny.')
  t.match(local.chats[0]?.body['tools'], [
    {
      function: {
        parameters: { type: 'object', properties: { city: { type: ['string', 'null'] } }, required: ['city'] },
      },
    },
  ])
  const [, asked, result] = local.chats[1]!.body['messages'] as {
    tool_calls?: { id: string }[]
    tool_call_id?: string
    content: unknown
  }[]
  t.match(result, { role: 'tool', content: 'sun' })
  t.equal(result?.tool_call_id, asked?.tool_calls?.[0]?.id)
})

t.test(
  'configuration reaches a chat completions server in its own terms, and what has none is in the notes',
  async t => {
    const { post, local } = await setUp(t, { answer: { toolCalls: [{ name: 'weather', arguments: {} }] } })
    const reply = await post('auto:generateContent', {
      contents,
      tools: [{ functionDeclarations: [weather, { name: 'other' }] }, { googleSearch: {} }],
      toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['weather'] } },
      generationConfig: {
        maxOutputTokens: 50,
        temperature: 0.3,
        topP: 0.9,
        topK: 40,
        stopSequences: ['END'],
        thinkingConfig: { thinkingBudget: 2000 },
        mediaResolution: 'MEDIA_RESOLUTION_LOW',
      },
      safetySettings: [{ category: 'x', threshold: 'y' }],
    })
    t.equal(reply.status, 200, reply.text)
    t.match(local.chats[0]?.body, {
      max_tokens: 50,
      temperature: 0.3,
      top_p: 0.9,
      top_k: 40,
      stop: ['END'],
      reasoning_effort: 'low',
      tool_choice: 'required',
      tools: [{ function: { name: 'weather' } }],
    })
    const notes = String(reply.headers['x-signalbox-notes'])
    for (const dropped of ['googleSearch', 'mediaResolution', 'safetySettings']) t.ok(notes.includes(dropped), dropped)
  },
)

t.test('curl examples in snake_case are understood', async t => {
  const { post, local } = await setUp(t)
  const reply = await post('auto:generateContent', {
    system_instruction: { parts: [{ text: 'Be kind.' }] },
    contents: [{ parts: [{ text: 'What?' }, { inline_data: { mime_type: 'image/png', data: 'AAAA' } }] }],
    generation_config: { response_mime_type: 'application/json', response_schema: { type: 'OBJECT' } },
  })
  t.equal(reply.status, 200, reply.text)
  t.match(local.chats[0]?.body, {
    messages: [
      { role: 'system', content: 'Be kind.' },
      { content: [{ text: 'What?' }, { image_url: { url: 'data:image/png;base64,AAAA' } }] },
    ],
    response_format: { json_schema: { schema: { type: 'object' } } },
  })
})

t.test('a stream is a JSON array unless alt=sse asks for events, also when the model is slow or breaks', async t => {
  const held = gate()
  const { post, local, gateway } = await setUp(
    t,
    { answer: { hold: { before: 'headers', until: held.opened }, text: ['la', 'te'] } },
    { KEEPALIVE_INTERVAL_MS: '1000' },
  )
  const slow = await fetch(`${gateway.url}/v1beta/models/auto:streamGenerateContent`, {
    method: 'POST',
    body: JSON.stringify({ contents }),
  })
  // The headers came with what keeps the connection open.
  held.open()
  const text = await slow.text()
  t.match(slow.headers.get('content-type'), /^application\/json/)
  t.match(text, /^ +\[/)
  t.match(JSON.parse(text), [{ candidates: [{}] }, {}, { candidates: [{ finishReason: 'STOP' }] }])
  local.script.answer = { text: ['a', 'b'] }
  const events = await post('auto:streamGenerateContent?alt=sse', { contents })
  t.match(events.headers['content-type'], /^text\/event-stream/)
  t.equal(events.events.length, 3)
  local.script.answer = { text: ['a', 'b'], errorBefore: { piece: 1, message: 'the script stops' } }
  const broken = JSON.parse((await post('auto:streamGenerateContent', { contents })).text) as unknown
  t.match(broken, [{}, { error: { code: 502, status: 'UNAVAILABLE', message: /the script stops/ } }])
})

t.test('the @google/genai package throws when a stream breaks', async t => {
  const { client } = await setUp(t, {
    answer: { text: ['a', 'b'], errorBefore: { piece: 1, message: 'the script stops' } },
  })
  const read = async () => {
    for await (const part of await client.models.generateContentStream({ model: 'auto', contents })) void part
  }
  t.match(await failureOf(read()), { message: /the script stops/ })
})

t.test('errors are in the shape of Google, and the key comes in its header or in the query', async t => {
  const { clientWith, gateway, post } = await setUp(t, {}, { SIGNALBOX_API_KEY: 'secret-key' })
  const refused = await failureOf(clientWith('wrong').models.generateContent({ model: 'auto', contents }))
  t.match(refused, { status: 401, message: /UNAUTHENTICATED/ })
  t.match(await clientWith('secret-key').models.generateContent({ model: 'auto', contents }), { text: /./ })
  t.equal((await post('auto:generateContent?key=secret-key', { contents })).status, 200)
  t.equal((await exchange(`${gateway.url}/v1/models?key=secret-key`, { method: 'GET' })).status, 401)
  const unknown = await post('no-such:generateContent?key=secret-key', { contents })
  t.match(unknown.json, { error: { code: 404, status: 'NOT_FOUND', message: /no-such/ } })
  const method = await post('auto:predict?key=secret-key', { contents })
  t.match(method.json, { error: { code: 404, status: 'NOT_FOUND', message: /countTokens/ } })
  const wrong = await post('auto:generateContent?key=secret-key', { contents: 'Hi' })
  t.match(wrong.json, { error: { code: 400, status: 'INVALID_ARGUMENT', message: /contents/ } })
  const nowhere = await exchange(`${gateway.url}/v1beta/files?key=secret-key`, { method: 'GET' })
  t.match(nowhere.json, { error: { code: 404, status: 'NOT_FOUND' } })
  t.notMatch(nowhere.text, /secret-key/)
})

t.test('the @google/genai package counts tokens and lists models', async t => {
  const { client } = await setUp(t)
  const few = await client.models.countTokens({ model: 'auto', contents: 'Hi' })
  const many = await client.models.countTokens({ model: 'auto', contents: 'Hi, how are you today? '.repeat(50) })
  t.ok(few.totalTokens! > 0 && many.totalTokens! > 300)
  const names = []
  for await (const { name } of await client.models.list({ config: { pageSize: 2 } })) names.push(name)
  t.ok(names.includes('models/auto') && names.includes('models/llama-cpp/scripted'))
  t.equal(new Set(names).size, names.length)
  t.match(await client.models.get({ model: 'llama-cpp/scripted' }), {
    name: 'models/llama-cpp/scripted',
    inputTokenLimit: 8192,
  })
  t.match(await failureOf(client.models.get({ model: 'nothing' })), { status: 404 })
})

t.test('a model is named with the slashes and colons of its name', async t => {
  const { client } = await setUp(t, { models: ['org/model:q4'] })
  for (const model of ['llama-cpp/org/model:q4', 'models/llama-cpp/org/model:q4']) {
    t.equal((await client.models.generateContent({ model, contents })).modelVersion, 'llama-cpp/org/model:q4')
  }
})

t.test('Idempotency-Key tells two models and two methods apart', async t => {
  const { post, local } = await setUp(t)
  const headers = { 'idempotency-key': 'k1' }
  const first = await post('auto:generateContent', { contents }, headers)
  const again = await post('auto:generateContent', { contents }, headers)
  t.equal(again.text, first.text)
  t.equal(local.chats.length, 1)
  t.equal((await post('local:generateContent', { contents }, headers)).status, 422)
})

t.test('@google/genai embeds one text and several, in order and in the dimensions that were asked for', async t => {
  const upstream = await scriptedUpstream(t, 'openai-compatible', {
    models: ['bge-m3-embedder'],
    route({ path, body }) {
      if (path !== '/v1/embeddings') return undefined
      const texts = [body['input']].flat() as string[]
      return { json: { data: texts.map((text, index) => ({ index, embedding: [text.length, 0.5] })) } }
    },
  })
  const gateway = await startGateway(t, variablesFor(upstream))
  const client = new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl: gateway.url } })
  const model = 'openai-compatible/bge-m3-embedder'
  const config = { outputDimensionality: 2, taskType: 'RETRIEVAL_QUERY' }
  const several = await client.models.embedContent({ model, contents: ['a', 'bb', 'ccc'], config })
  t.same(
    several.embeddings?.map(({ values }) => values),
    [1, 2, 3].map(length => [length, 0.5]),
  )
  t.match(upstream.requests.at(-1)?.body, { input: ['a', 'bb', 'ccc'], dimensions: 2 })

  const embed = (body: object) => gateway.post(`/v1beta/models/${model}:embedContent`, body)
  const one = await embed({ content: { parts: [{ text: 'four' }] }, taskType: 'RETRIEVAL_QUERY' })
  t.same(one.json, { embedding: { values: [4, 0.5] } })
  t.match(one.headers['x-signalbox-notes'], /taskType was omitted/)
  const image = await embed({ content: { parts: [{ inlineData: { mimeType: 'image/png', data: 'AA==' } }] } })
  t.match(image, { status: 400, json: { error: { status: 'INVALID_ARGUMENT', message: /content\.parts must be/ } } })
  const short = await embed({ content: { parts: [{ text: 'four' }] }, outputDimensionality: 5 })
  t.match(short, { status: 400, json: { error: { message: /dimensions/ } } })
})
