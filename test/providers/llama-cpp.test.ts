import t from 'tap'
import { conformance } from './conformance.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'
import { startProvider } from '../helpers/start-provider.ts'

conformance(t, 'llama-cpp')

t.test('serves the context of one slot', async t => {
  const upstream = await scriptedUpstream(t, 'llama-cpp', {
    models: [{ name: 'm', contextTokens: 131_072, loadedContextTokens: 4096, vision: true }],
  })
  const { provider } = await startProvider(t, upstream)
  t.match(provider.models(), [
    {
      contextTokens: 4096,
      loaded: true,
      capabilities: { tools: true, vision: true, json: true, logprobs: true, forcedTools: true },
      parametersB: 7.6,
    },
  ])
})

t.test('reports what a router would load without making it load anything', async t => {
  const status = (value: string, ...args: string[]) => ({ status: { value, args } })
  const upstream = await scriptedUpstream(t, 'llama-cpp', {
    route({ path }) {
      if (path === '/props') return { json: { default_generation_settings: { n_ctx: 2048 } } }
      if (path !== '/v1/models') return undefined
      return {
        json: {
          data: [
            { id: 'up', ...status('loaded', '--ctx-size', '8192', '--parallel', '2') },
            { id: 'down', context_length: 131_072, ...status('unloaded', '--ctx-size', '8192', '--parallel', '2') },
            { id: 'free', context_length: 32_768, ...status('unloaded', '--parallel', '4', '--kv-unified') },
            { id: 'broken', status: { value: 'unloaded', failed: true } },
            { id: 'coming', ...status('downloading') },
          ],
        },
      }
    },
  })
  const { provider } = await startProvider(t, upstream)
  t.match(provider.models(), [
    { name: 'up', contextTokens: 2048, loaded: true },
    { name: 'down', contextTokens: 4096, loaded: false },
    { name: 'free', contextTokens: 32_768, loaded: false },
    { name: 'broken', avoid: /could not load/ },
  ])
  t.equal(provider.models().length, 4)
  t.equal(upstream.requests.filter(({ path }) => path === '/props').length, 1)
})

t.test('reports both numbers of an exceeded context', async t => {
  const upstream = await scriptedUpstream(t, 'llama-cpp', {
    answer: {
      error: {
        status: 400,
        code: 'exceed_context_size_error',
        message: 'the request exceeds the available context size, try increasing it',
        fields: { n_prompt_tokens: 20_812, n_ctx: 4096 },
      },
    },
  })
  const { complete } = await startProvider(t, upstream)
  await t.rejects(complete(), { code: 'context_length_exceeded', message: /20812 tokens.*4096 tokens/ })
})

t.test('reports an image without a vision model as unsupported', async t => {
  const upstream = await scriptedUpstream(t, 'llama-cpp', {
    answer: {
      error: { status: 500, message: 'image input is not supported - hint: you may need to provide the mmproj' },
    },
  })
  const { complete } = await startProvider(t, upstream)
  await t.rejects(complete(), { code: 'unsupported' })
})

t.test('reports that a model is still loading', async t => {
  const error = { code: 503, message: 'Loading model', type: 'unavailable_error' }
  const upstream = await scriptedUpstream(t, 'llama-cpp')
  const { provider } = await startProvider(t, upstream)
  upstream.script.route = () => ({ status: 503, json: { error } })
  await provider.refresh(new AbortController().signal)
  t.match(provider.health(), { state: 'down', reason: /still loading/ })
})

t.test('streams from the server even for a buffered response, so that a disconnect frees its slot at once', async t => {
  const upstream = await scriptedUpstream(t, 'llama-cpp', { answer: { text: ['on ', 'and '], endless: true } })
  const { complete } = await startProvider(t, upstream)
  const caller = new AbortController()
  const answer = complete({ n: 1 }, { signal: caller.signal })
  await upstream.untilChats(1)
  t.match(upstream.chats[0]!.body, { stream: true, stream_options: { include_usage: true } })
  caller.abort()
  await t.rejects(answer, { code: 'client_closed' })
  await upstream.untilHangUps(1)
})

const progressChunk = (processed: number, delta: object) =>
  `data: ${JSON.stringify({
    choices: [{ index: 0, finish_reason: null, delta, text: '' }],
    prompt_progress: { total: 100, cache: 0, processed, time_ms: processed },
  })}\n\n`
const withProgress =
  progressChunk(50, { role: 'assistant', content: null }) +
  progressChunk(100, { role: 'assistant', content: null }) +
  `data: ${JSON.stringify({ choices: [{ index: 0, finish_reason: null, delta: { content: 'read "prompt_progress":{' }, text: 'read' }] })}\n\n` +
  `data: ${JSON.stringify({ choices: [{ index: 0, finish_reason: 'stop', delta: {}, text: '' }] })}\n\ndata: [DONE]\n\n`

t.test(
  'reports of progress are requested, so that a disconnect is noticed, and reach only callers who ask',
  async t => {
    const upstream = await scriptedUpstream(t, 'llama-cpp', {
      route: ({ path }) =>
        path === '/v1/chat/completions' || path === '/v1/completions'
          ? { text: withProgress, headers: { 'content-type': 'text/event-stream' } }
          : undefined,
    })
    const gateway = await startGateway(t, variablesFor(upstream))
    const ask = (path: string, more: object) =>
      gateway.post(path, {
        model: 'auto',
        stream: true,
        prompt: 'a',
        messages: [{ role: 'user', content: 'a' }],
        ...more,
      })
    const bodies = () =>
      upstream.requests.filter(({ method }) => method === 'POST').map(({ body }) => body['return_progress'])
    for (const path of ['/v1/chat/completions', '/v1/completions']) {
      t.notMatch((await ask(path, {})).text, /"prompt_progress":\{"total/, path)
      const given = await ask(path, { return_progress: true })
      t.equal(given.text.split('"prompt_progress":{"total').length - 1, 2, path)
      await ask(path, { return_progress: false })
    }
    t.same(bodies(), [true, true, false, true, true, false])
    const whole = await ask('/v1/chat/completions', { stream: false })
    t.equal(whole.json.choices[0].message.content, 'read "prompt_progress":{')
  },
)
