import t from 'tap'
import { scriptedUpstream, upstreamKinds, type Answer } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor } from '../helpers/start-gateway.ts'
import { createValidator } from './validator.ts'

const faultsIn = createValidator()
const messages = [{ role: 'user', content: 'How warm is it in Bern?' }]
const schema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}
const description = 'Tells the weather.'

/** One feature: what the server answers, and what each protocol adds to its request. */
interface Feature {
  answer: Answer
  chat?: object
  messages?: object
  responses?: object
}

const tools = {
  chat: { tools: [{ type: 'function', function: { name: 'weather', description, parameters: schema } }] },
  messages: { tools: [{ name: 'weather', description, input_schema: schema }] },
  responses: { tools: [{ type: 'function', name: 'weather', description, parameters: schema, strict: true }] },
}
const call = { name: 'weather', arguments: { city: 'Bern' } }
const features: Readonly<Record<string, Feature>> = {
  'a text': { answer: { text: ['It is ', 'warm.'] } },
  'an answer cut off': { answer: { text: 'It is', finishReason: 'length' } },
  'an empty answer': { answer: { text: '' } },
  'a tool call': { answer: { toolCalls: [call] }, ...tools },
  'a text and two tool calls': {
    answer: { text: 'I look.', toolCalls: [call, { ...call, arguments: { city: 'Basel' } }] },
    ...tools,
  },
  reasoning: {
    answer: {
      reasoning: ['I ', 'think.'],
      text: 'Warm.',
      usage: { promptTokens: 9, outputTokens: 7, cachedTokens: 4, reasoningTokens: 3 },
    },
    chat: { reasoning_effort: 'high' },
    messages: { thinking: { type: 'enabled', budget_tokens: 2048 } },
    responses: { reasoning: { effort: 'high', summary: 'auto' } },
  },
  'structured output': {
    answer: { text: '{"city":"Bern"}' },
    chat: { response_format: { type: 'json_schema', json_schema: { name: 'city', schema, strict: true } } },
    messages: { output_config: { format: { type: 'json_schema', schema } } },
    responses: { text: { format: { type: 'json_schema', name: 'city', schema, strict: true } } },
  },
  'no usage': { answer: { text: 'Warm.', usageIn: 'nowhere' } },
  'a refused request': { answer: { error: { status: 400, message: 'temperature is out of range' } } },
  'a rate limit': { answer: { error: { status: 429, message: 'slow down' }, headers: { 'retry-after': '3' } } },
  'a broken stream': { answer: { text: ['It is ', 'warm.'], breakBefore: 1 } },
  'an error within a stream': {
    answer: { text: ['a', 'b'], errorBefore: { piece: 1, status: 500, message: 'broken' } },
  },
}

/** The SDK itself adds `output_text` to a Response. */
function asSdkReads(value: { object?: string; response?: object }): object {
  if (value.response !== undefined) return { ...value, response: asSdkReads(value.response) }
  return value.object === 'response' ? { ...value, output_text: '' } : value
}

const model = 'auto'
const surfaces = [
  {
    path: '/v1/chat/completions',
    body: (feature: Feature) => ({ model, messages, stream_options: { include_usage: true }, ...feature.chat }),
    whole: 'PublishedChat',
    part: 'PublishedChatChunk',
    error: 'PublishedOpenAiError',
  },
  {
    path: '/v1/messages',
    body: (feature: Feature) => ({ model, messages, max_tokens: 4096, ...feature.messages }),
    whole: 'PublishedMessage',
    part: 'PublishedMessageEvent',
    error: 'PublishedAnthropicError',
  },
  {
    path: '/v1/responses',
    body: (feature: Feature) => ({ model, input: 'How warm is it in Bern?', ...feature.responses }),
    whole: 'PublishedResponse',
    part: 'PublishedResponseEvent',
    error: 'PublishedOpenAiError',
  },
] as const

for (const kind of upstreamKinds) {
  for (const { path, body, whole, part, error } of surfaces) {
    t.test(`${kind}: every answer and event of ${path} is what its maker publishes`, async t => {
      const upstream = await scriptedUpstream(t, kind, {
        models: [{ name: 'scripted', tools: true, reasoning: true, loadedContextTokens: 32_768 }],
      })
      const gateway = await startGateway(t, variablesFor(upstream))
      for (const [what, feature] of Object.entries(features)) {
        upstream.script.answer = feature.answer
        for (const stream of [false, true]) {
          const { status, json, events } = await gateway.post(path, { ...body(feature), stream })
          const place = `${what}, ${stream ? 'streamed' : 'whole'}`
          if (json !== undefined) t.same(faultsIn(status === 200 ? whole : error, asSdkReads(json)), [], place)
          for (const event of events) {
            const isError = event.error !== undefined && path === '/v1/chat/completions'
            t.same(faultsIn(isError ? error : part, asSdkReads(event)), [], `${place}: ${event.type ?? 'chunk'}`)
          }
          t.ok(json !== undefined || events.length > 0, place)
        }
      }
    })
  }
}

/** Tools that the caller's program runs, and what a model writes for each. */
const clientTools: readonly [tool: { type: string; name?: string }, given: Record<string, unknown>][] = [
  [{ type: 'custom', name: 'note' }, { input: 'Warm.' }],
  [{ type: 'local_shell' }, { command: ['ls'] }],
  [{ type: 'shell' }, { commands: ['ls'] }],
  [{ type: 'apply_patch' }, { type: 'update_file', path: 'a.txt', diff: '@@\n-a\n+b' }],
  [{ type: 'computer' }, { type: 'click', x: 1, y: 2, button: 'left' }],
]

t.test('calls of tools that the caller’s program runs are what OpenAI publishes', async t => {
  const upstream = await scriptedUpstream(t, 'llama-cpp', { models: [{ name: 'scripted', tools: true }] })
  const gateway = await startGateway(t, variablesFor(upstream))
  for (const [tool, given] of clientTools) {
    upstream.script.answer = { toolCalls: [{ name: tool.name ?? tool.type, arguments: given }] }
    for (const stream of [false, true]) {
      const { json, events } = await gateway.post('/v1/responses', { model, input: 'Go.', tools: [tool], stream })
      if (json !== undefined) t.same(faultsIn('PublishedResponse', asSdkReads(json)), [], tool.type)
      for (const event of events) {
        t.same(faultsIn('PublishedResponseEvent', asSdkReads(event)), [], `${tool.type}: ${event.type}`)
      }
      t.match((json ?? events.at(-1).response).output, [{ type: /_call$/ }], tool.type)
    }
  }
})

/** What servers send that OpenAI's clients read and that few models do. */
const rareChoices = {
  'a refusal': { message: { role: 'assistant', content: null, refusal: 'I cannot help.' }, finish_reason: 'stop' },
  logprobs: {
    message: { role: 'assistant', content: 'Hi' },
    finish_reason: 'stop',
    logprobs: {
      content: [
        {
          token: 'Hi',
          logprob: -0.1,
          bytes: [72, 105],
          top_logprobs: [{ token: 'Hi', logprob: -0.1, bytes: [72, 105] }],
        },
      ],
      refusal: null,
    },
  },
}

for (const [what, choice] of Object.entries(rareChoices)) {
  t.test(`${what} of a server is what the makers of all protocols publish`, async t => {
    const body = JSON.stringify({ choices: [{ index: 0, ...choice }] })
    const headers = { 'content-type': 'application/json' }
    const upstream = await scriptedUpstream(t, 'openai-compatible', { answer: { raw: { body, headers } } })
    const gateway = await startGateway(t, variablesFor(upstream))
    const asked = what === 'logprobs' ? { chat: { logprobs: true }, responses: { top_logprobs: 1 } } : {}
    for (const { path, body, whole, part } of surfaces) {
      for (const stream of [false, true]) {
        const { json, events } = await gateway.post(path, { ...body({ answer: {}, ...asked }), stream })
        if (json !== undefined) t.same(faultsIn(whole, asSdkReads(json)), [], path)
        for (const event of events) t.same(faultsIn(part, asSdkReads(event)), [], `${path}: ${event.type}`)
        const said = JSON.stringify(json ?? events)
        if (path === '/v1/messages') t.match(said, what === 'logprobs' ? /Hi/ : /I cannot help/)
        else t.match(said, what === 'logprobs' ? /"logprob":-0.1/ : /"refusal":"I cannot help/, path)
      }
    }
  })
}

t.test('models, counts, embeddings, completions and unknown paths are what their makers publish', async t => {
  const vector = { object: 'embedding', index: 0, embedding: [0.5, 1] }
  const completion = { choices: [{ index: 0, text: '1', finish_reason: 'stop' }] }
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
  const upstream = await scriptedUpstream(t, 'openai-compatible', {
    models: ['scripted', 'bge-m3-embedder'],
    route({ path, body }) {
      if (path === '/v1/embeddings') return { json: { data: [vector], usage } }
      if (path !== '/v1/completions') return undefined
      const chunk = { ...completion, id: 'c', object: 'text_completion', created: 1, model: 'scripted' }
      return body['stream'] === true
        ? {
            headers: { 'content-type': 'text/event-stream' },
            text: `data: ${JSON.stringify({ ...chunk, usage })}\n\ndata: [DONE]\n\n`,
          }
        : { json: { ...completion, usage } }
    },
  })
  const gateway = await startGateway(t, variablesFor(upstream))
  const anthropic = { 'anthropic-version': '2023-06-01' }
  const get = (path: string, headers: Record<string, string> = {}) =>
    exchange(gateway.url + path, { method: 'GET', headers })
  const check = (type: string, value: unknown, what: string) => t.same(faultsIn(type, value), [], what)

  check('PublishedOpenAiModels', (await get('/v1/models')).json, 'models')
  check('PublishedOpenAiModel', (await get('/v1/models/openai-compatible/scripted')).json, 'a model')
  check('PublishedOpenAiError', (await get('/v1/models/none')).json, 'no model')
  check('PublishedAnthropicModels', (await get('/v1/models', anthropic)).json, 'models for Anthropic')
  check('PublishedAnthropicModel', (await get('/v1/models/auto', anthropic)).json, 'a model for Anthropic')
  check('PublishedAnthropicError', (await get('/v1/models/none', anthropic)).json, 'no model for Anthropic')
  check('PublishedAnthropicError', (await get('/v1/messages/batches')).json, 'an unknown path below Messages')
  check('PublishedAnthropicError', (await get('/v1/messages')).json, 'a wrong method')
  check('PublishedOpenAiError', (await get('/v1/none')).json, 'an unknown path')
  const count = await gateway.post('/v1/messages/count_tokens', { model, messages })
  check('PublishedTokenCount', count.json, 'a count')
  const inputTokens = await gateway.post('/v1/responses/input_tokens', { model, input: 'x' })
  check('PublishedInputTokens', inputTokens.json, 'a count for Responses')
  for (const encoding_format of ['float', 'base64']) {
    const embedder = { model: 'openai-compatible/bge-m3-embedder', input: 'x', encoding_format }
    const { json } = await gateway.post('/v1/embeddings', embedder)
    if (encoding_format === 'float') check('PublishedEmbeddings', json, 'embeddings')
    else t.type(json.data[0].embedding, 'string')
  }
  const ask = { model: 'openai-compatible/scripted', prompt: 'x', stream_options: { include_usage: true } }
  check('PublishedCompletion', (await gateway.post('/v1/completions', ask)).json, 'a completion')
  const { events } = await gateway.post('/v1/completions', { ...ask, stream: true })
  t.ok(events.length > 0)
  for (const event of events) check('PublishedCompletion', event, 'a chunk of a completion')
})

t.test('the comparison finds what is missing or wrong', async t => {
  const upstream = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(upstream))
  const { json } = await gateway.ask()
  const { choices, ...without } = json
  t.same(faultsIn('PublishedChat', json), [])
  t.match(faultsIn('PublishedChat', without), [/choices/])
  t.match(faultsIn('PublishedChat', { ...json, created: 'now' }), [/created must be number/])
  const [choice] = choices
  t.match(faultsIn('PublishedChat', { ...json, choices: [{ ...choice, finish_reason: 'bored' }] }), [/finish_reason/])
  t.not(faultsIn('PublishedResponseEvent', { type: 'response.unknown', sequence_number: 1 }).length, 0)
})
