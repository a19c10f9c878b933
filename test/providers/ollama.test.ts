import t, { type Test } from 'tap'
import { conformance } from './conformance.ts'
import { readStream } from '../helpers/read-stream.ts'
import { type Script, scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startProvider } from '../helpers/start-provider.ts'

conformance(t, 'ollama')

async function start(t: Test, script: Script = {}) {
  const upstream = await scriptedUpstream(t, 'ollama', script)
  return { upstream, ...(await startProvider(t, upstream)) }
}
const lastBody = ({ chats }: Awaited<ReturnType<typeof scriptedUpstream>>) => chats.at(-1)!.body
const user = (content: unknown) => ({ messages: [{ role: 'user', content }] })

t.test('allocates context for prompt and output, in steps', async t => {
  const { upstream, complete, model } = await start(t, { models: [{ name: 'big', contextTokens: 131_072 }] })
  const sizes: [number, number | undefined, number][] = [
    [10, undefined, 6144],
    [10, 1000, 6144],
    [7000, 1000, 12_288],
    [20_000, 2000, 24_576],
    [100_000, undefined, 131_072],
  ]
  for (const [promptTokens, max, num_ctx] of sizes) {
    await complete(max === undefined ? {} : { max_tokens: max }, { promptTokens, model: model() })
    t.match(lastBody(upstream), { options: { num_ctx }, truncate: false, shift: false })
  }
})

t.test('requests the smallest sufficient context', async t => {
  const { upstream, complete } = await start(t)
  await complete({ max_tokens: 100 }, { promptTokens: 10 })
  t.match(lastBody(upstream), { options: { num_ctx: 4096, num_predict: 100 } })
})

t.test('rejects a long prompt with both numbers instead of truncating it', async t => {
  const { upstream, complete } = await start(t, { models: [{ name: 'small', contextTokens: 4096 }] })
  await t.rejects(complete({ max_tokens: 1000 }, { promptTokens: 3500 }), {
    code: 'context_length_exceeded',
    message: /4500 tokens.*4096 tokens/,
  })
  await t.rejects(complete({}, { promptTokens: 4000 }), { code: 'context_length_exceeded', message: /4096/ })
  t.equal(upstream.chats.length, 0)
  await complete({ max_tokens: 96 }, { promptTokens: 4000 })
  t.match(lastBody(upstream), { options: { num_ctx: 4096 } }, 'a prompt that just fits is served')
})

t.test('keeps a larger context that is loaded already', async t => {
  const { upstream, complete } = await start(t, {
    models: [{ name: 'm', contextTokens: 65_536, loadedContextTokens: 32_768 }],
  })
  await complete({}, { promptTokens: 10 })
  t.match(lastBody(upstream), { options: { num_ctx: 32_768 } })
})

t.test('does not shrink the context that its own last call made', async t => {
  const { upstream, complete } = await start(t, { models: [{ name: 'm', contextTokens: 65_536 }] })
  await complete({ max_tokens: 10 }, { promptTokens: 14_000 })
  t.match(lastBody(upstream), { options: { num_ctx: 16_384 } })
  await complete({ max_tokens: 10 }, { promptTokens: 10 })
  t.match(lastBody(upstream), { options: { num_ctx: 16_384 } })
})

t.test('translates options, format, thinking and keep_alive', async t => {
  const { upstream, complete } = await start(t, { models: [{ name: 'thinker', reasoning: true }] })
  await complete({
    temperature: 0,
    top_p: 0.9,
    top_k: 20,
    seed: 7,
    stop: 'END',
    frequency_penalty: 0.1,
    presence_penalty: 0.2,
    max_completion_tokens: 50,
    response_format: { type: 'json_object' },
    reasoning_effort: 'minimal',
    keep_alive: '10m',
    options: { mirostat: 2 },
    unknown_field: 1,
  })
  t.match(lastBody(upstream), {
    options: {
      temperature: 0,
      top_p: 0.9,
      top_k: 20,
      seed: 7,
      stop: ['END'],
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      num_predict: 50,
      mirostat: 2,
    },
    format: 'json',
    think: 'low',
    keep_alive: '10m',
    stream: true,
  })
  const efforts: [object, unknown][] = [
    [{ reasoning_effort: 'high' }, 'high'],
    [{ reasoning_effort: 'none' }, false],
    [{ reasoning: { effort: 'medium' } }, 'medium'],
    [{ reasoning: { enabled: true } }, true],
    [{ think: false }, false],
    [{}, undefined],
  ]
  for (const [request, think] of efforts) {
    await complete(request)
    t.equal(lastBody(upstream).think, think)
  }
})

t.test('requests no reasoning from a model without it', async t => {
  const { upstream, complete } = await start(t, { models: [{ name: 'plain', reasoning: false }] })
  await complete({ reasoning_effort: 'high' })
  t.notOk('think' in lastBody(upstream))
})

t.test('translates a whole conversation with tools', async t => {
  const { upstream, complete } = await start(t)
  await complete({
    messages: [
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'one' },
          { type: 'text', text: 'two' },
        ],
      },
      {
        role: 'assistant',
        content: null,
        reasoning_content: 'hm',
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'read', arguments: '{"path":"x"}' } },
          { id: 'b', type: 'function', function: { name: 'list', arguments: '' } },
          { id: 'c', type: 'function', function: { name: 'odd', arguments: 'not json' } },
        ],
      },
      { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: 'files' }] },
      { role: 'tool', tool_call_id: 'a', content: '' },
    ],
  })
  t.same(lastBody(upstream).messages, [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'one\ntwo' },
    {
      role: 'assistant',
      content: '',
      thinking: 'hm',
      tool_calls: [
        { id: 'a', function: { name: 'read', arguments: { path: 'x' } } },
        { id: 'b', function: { name: 'list', arguments: {} } },
        { id: 'c', function: { name: 'odd', arguments: { input: 'not json' } } },
      ],
    },
    { role: 'tool', content: 'files', tool_name: 'list', tool_call_id: 'b' },
    { role: 'tool', content: '', tool_name: 'read', tool_call_id: 'a' },
  ])
})

t.test('gives every call an id of its own, also when the same request comes again', async t => {
  const toolCalls = [{ name: 'f', arguments: { a: 1 } }]
  const { complete } = await start(t, { answer: { toolCalls } })
  const idOf = async (request: object) => (await complete(request)).choices[0]?.message.tool_calls?.[0]?.id
  const first = await idOf({})
  t.match(first, /^\w{9}$/)
  t.not(await idOf({}), first)
})

t.test('keeps the ids that newer servers give', async t => {
  const { complete } = await start(t, { answer: { toolCalls: [{ name: 'f', arguments: {}, id: 'theirs' }] } })
  t.equal((await complete()).choices[0]?.message.tool_calls?.[0]?.id, 'theirs')
})

t.test('leaves the tools out when none may be called', async t => {
  const { upstream, complete } = await start(t)
  const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }]
  await complete({ tools, tool_choice: 'none' })
  t.notOk('tools' in lastBody(upstream))
  await complete({ tools })
  t.same(lastBody(upstream).tools, tools)
})

t.test('passes images in base64 and rejects image URLs', async t => {
  const { upstream, complete } = await start(t)
  const image = (url: string) => user([{ type: 'image_url', image_url: { url } }])
  await complete(image('data:image/png;base64,AAAA'))
  t.match(lastBody(upstream).messages, [{ role: 'user', content: '', images: ['AAAA'] }])
  await t.rejects(complete(image('https://example.com/a.png')), { code: 'unsupported', message: /data: URL/ })
  await t.rejects(complete(user([{ type: 'input_audio', input_audio: {} }])), { code: 'unsupported' })
  t.equal(upstream.chats.length, 1)
})

t.test('rejects what Ollama would silently ignore', async t => {
  const { upstream, complete, model } = await start(t)
  const demands: [object, string][] = [
    [{ n: 2 }, 'n'],
    [{ logprobs: true }, 'logprobs'],
    [{ logit_bias: { 50: -100 } }, 'logit_bias'],
  ]
  for (const [request, param] of demands) {
    await t.rejects(complete(request), { code: 'unsupported', param, message: new RegExp(param) })
  }
  t.equal(upstream.chats.length, 0)
  t.match(model().capabilities, { manyChoices: false, logprobs: false, logitBias: false, forcedTools: true })
  await complete({ n: 1, logprobs: false, logit_bias: {}, tool_choice: 'auto' })
})

t.test('describes its models as Ollama does', async t => {
  const { provider, upstream } = await start(t, {
    models: [
      {
        name: 'qwen3:8b',
        contextTokens: 40_960,
        loadedContextTokens: 8192,
        reasoning: true,
        parameters: '8.2B',
        quantization: 'Q4_K_M',
        family: 'qwen3',
        digest: 'abc',
        sizeBytes: 5_200_000_000,
      },
      { name: 'nomic', embedding: true, tools: false, parameters: '137M' },
      { name: 'gpt-oss:120b-cloud', remoteHost: 'https://ollama.com' },
    ],
  })
  t.match(provider.models(), [
    {
      id: 'ollama/qwen3:8b',
      tier: 'local',
      free: true,
      contextTokens: 40_960,
      loaded: true,
      capabilities: { chat: true, tools: true, vision: false, reasoning: true, embeddings: false, json: true },
      family: 'qwen3',
      parametersB: 8.2,
      quantization: 'Q4_K_M',
      digest: 'abc',
      sizeBytes: 5_200_000_000,
    },
    { loaded: false, parametersB: 0.137, capabilities: { chat: false, embeddings: true, tools: false } },
    { tier: 'remote', free: false, price: undefined },
  ])
  const shows = () => upstream.requests.filter(({ path }) => path === '/api/show').length
  const before = shows()
  await provider.refresh(new AbortController().signal)
  t.equal(shows(), before, 'digest-dependent data is not fetched again')
  await provider.refresh(new AbortController().signal, { fresh: true })
  t.equal(shows(), 2 * before)
})

t.test('lists the other models when one cannot be shown', async t => {
  const { provider } = await start(t, {
    models: ['good', 'gone'],
    route: ({ path, body }) =>
      path === '/api/show' && body.model === 'gone' ? { status: 404, json: { error: 'not found' } } : undefined,
  })
  t.match(provider.models(), [
    { name: 'good', contextTokens: 8192 },
    { name: 'gone', contextTokens: undefined },
  ])
})

t.test('does not invent usage that Ollama omitted', async t => {
  const { complete } = await start(t, { answer: { text: 'x', usageIn: 'nowhere' } })
  t.equal((await complete()).usage, undefined)
})

t.test('does not treat a stream without its end marker as complete', async t => {
  const line =
    '{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"a"},"done":false}\n'
  const { stream } = await start(t, { answer: [{ raw: { body: line } }, { raw: { body: '' } }] })
  t.match((await readStream(await stream())).failure, {
    code: 'upstream_error',
    message: /before the answer was complete/,
  })
  t.match((await readStream(await stream())).failure, { code: 'upstream_error' })
})

t.test('recognizes an error about an unsupported feature', async t => {
  const { complete } = await start(t, {
    answer: { error: { status: 400, message: 'registry.ollama.ai/library/phi:latest does not support tools' } },
  })
  await t.rejects(complete(), { code: 'unsupported' })
})
