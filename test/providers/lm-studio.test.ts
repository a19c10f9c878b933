import t from 'tap'
import { conformance } from './conformance.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startProvider } from '../helpers/start-provider.ts'

conformance(t, 'lm-studio')

const models = [
  {
    name: 'loaded',
    contextTokens: 131_072,
    loadedContextTokens: 8192,
    vision: true,
    parameters: '9B',
    family: 'qwen3',
  },
  { name: 'cold', contextTokens: 32_768, tools: false },
  { name: 'vectors', embedding: true },
]

t.test('serves the context that a model is loaded with', async t => {
  const { provider } = await startProvider(t, await scriptedUpstream(t, 'lm-studio', { models }))
  t.match(provider.models(), [
    {
      contextTokens: 8192,
      loaded: true,
      capabilities: { chat: true, tools: true, vision: true },
      parametersB: 9,
      family: 'qwen3',
    },
    { contextTokens: 32_768, loaded: false, capabilities: { vision: false, tools: undefined } },
    { capabilities: { chat: false, embeddings: true } },
  ])
})

t.test('falls back to the lists of older versions', async t => {
  const upstream = await scriptedUpstream(t, 'lm-studio', {
    models,
    route: ({ path }) =>
      path === '/api/v1/models' ? { status: 404, json: { error: 'Unexpected endpoint' } } : undefined,
  })
  const { provider } = await startProvider(t, upstream)
  t.match(provider.models(), [
    { contextTokens: 8192, loaded: true, capabilities: { tools: true, vision: true } },
    { contextTokens: 32_768, loaded: false },
    { capabilities: { chat: false, embeddings: true } },
  ])
  // Before 0.3.6 an unknown path was answered with 200 and an error.
  upstream.script.route = ({ path }) =>
    path.startsWith('/api/') ? { json: { error: 'Unexpected endpoint or method' } } : undefined
  await provider.refresh(new AbortController().signal)
  t.match(provider.models(), [{ name: 'loaded', contextTokens: undefined, loaded: undefined }, {}, {}])
})

t.test('requests any JSON object through a schema', async t => {
  const upstream = await scriptedUpstream(t, 'lm-studio')
  const { complete } = await startProvider(t, upstream)
  await complete({ response_format: { type: 'json_object' }, ttl: 300 })
  t.match(upstream.chats[0]!.body, {
    response_format: { type: 'json_schema', json_schema: { schema: { type: 'object' } } },
    ttl: 300,
  })
})

t.test('forces a named tool by offering no other', async t => {
  const upstream = await scriptedUpstream(t, 'lm-studio')
  const { complete } = await startProvider(t, upstream)
  const tool = (name: string) => ({ type: 'function', function: { name } })
  await complete({ tools: [tool('f'), tool('g')], tool_choice: tool('g'), max_completion_tokens: 9 })
  const { body } = upstream.chats[0]!
  t.same(body.tools, [tool('g')])
  t.match(body, { tool_choice: 'required', max_tokens: 9 })
})

t.test('reports both numbers for every LM Studio message about a long prompt', async t => {
  const messages = [
    'Trying to keep the first 5412 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough. Try to load the model with a larger context length, or provide a shorter input',
    'The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 5412>= n_ctx: 4096). Try to load the model with a larger context length, or provide a shorter input.',
  ]
  const upstream = await scriptedUpstream(t, 'lm-studio', {
    answer: messages.map(message => ({ error: { status: 400, message, shape: 'text' } })),
  })
  const { complete } = await startProvider(t, upstream)
  for (const _ of messages) {
    await t.rejects(complete(), { code: 'context_length_exceeded', message: /5412 tokens.*4096 tokens/ })
  }
})
