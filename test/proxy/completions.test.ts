import OpenAI from 'openai'
import t from 'tap'
import { scriptedUpstream, type Script, type UpstreamKind } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

async function setUp(t: Teardown, kind: UpstreamKind, script: Script) {
  const upstream = await scriptedUpstream(t, kind, script)
  const gateway = await startGateway(t, variablesFor(upstream))
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
  const post = (path: string, body: object) =>
    exchange(gateway.url + path, { method: 'POST', body: JSON.stringify(body) })
  const asked = (path: string) => upstream.requests.filter(request => request.path === path).map(({ body }) => body)
  return { upstream, client, post, asked }
}

const completion = {
  choices: [{ index: 0, text: '1', finish_reason: 'stop' }],
  usage: { prompt_tokens: 7, completion_tokens: 1 },
}

for (const kind of ['openai-compatible', 'openrouter'] as const) {
  t.test(`${kind}: where a server has no completions its chat continues the text, whole and streamed`, async t => {
    const { client, upstream, asked } = await setUp(t, kind, { answer: { text: ['the', 're'] } })
    const ask = { model: `${kind}/scripted`, prompt: 'Hello ', max_tokens: 9 }
    const whole = await client.completions.create(ask)
    t.match(whole, {
      object: 'text_completion',
      choices: [{ text: 'there', finish_reason: 'stop' }],
      usage: { prompt_tokens: 12 },
    })
    t.match(upstream.chats[0]?.body, {
      max_tokens: 9,
      messages: [{ role: 'system' }, { role: 'user', content: 'Hello ' }],
    })
    const said: string[] = []
    let reason: string | undefined
    for await (const chunk of await client.completions.create({ ...ask, stream: true })) {
      said.push(chunk.choices[0]!.text)
      reason = chunk.choices[0]!.finish_reason
    }
    t.equal(said.join(''), 'there')
    t.equal(reason, 'stop')
    const path = kind === 'openrouter' ? '/api/v1/completions' : '/v1/completions'
    t.equal(asked(path).length, 1, 'the missing endpoint is not called again')
    await client.completions.create({ ...ask, suffix: '!' })
    t.match(upstream.chats[2]?.body['messages'], [{ content: /<gap\/>/ }, { content: 'Hello <gap/>!' }])
  })
}

t.test('a missing model is still reported as missing', async t => {
  const { post } = await setUp(t, 'openai-compatible', {
    answer: { error: { status: 404, message: 'model not found', code: 'model_not_found' } },
  })
  t.match(await post('/v1/completions', { prompt: 'a' }), { status: 404, json: { error: { code: 'model_not_found' } } })
})

t.test('a suffix becomes fill-in-the-middle tokens where the server would ignore it', async t => {
  for (const [kind, name, prompt] of [
    ['lm-studio', 'qwen2.5-coder-7b', '<|fim_prefix|>let a = <|fim_suffix|>;\n<|fim_middle|>'],
    ['openai-compatible', 'deepseek-coder-6.7b', '<｜fim▁begin｜>let a = <｜fim▁hole｜>;\n<｜fim▁end｜>'],
    ['openai-compatible', 'codestral-22b', '[SUFFIX];\n[PREFIX]let a = '],
  ] as const) {
    const { post, asked } = await setUp(t, kind, {
      models: [name],
      route: ({ path }) => (path === '/v1/completions' ? { json: completion } : undefined),
    })
    t.equal((await post('/v1/completions', { prompt: 'let a = ', suffix: ';\n' })).json.choices[0].text, '1')
    t.match(asked('/v1/completions'), [{ prompt, stop: [/./] }])
    t.notOk('suffix' in asked('/v1/completions')[0]!)
  }
  const { post, asked } = await setUp(t, 'lm-studio', {
    models: ['some-model'],
    route: ({ path }) => (path === '/v1/completions' ? { json: completion } : undefined),
  })
  await post('/v1/completions', { prompt: 'let a = ', suffix: ';\n' })
  t.match(
    asked('/v1/completions'),
    [{ prompt: 'let a = ', suffix: ';\n' }],
    'an unknown model gets the request unchanged',
  )
})

const infill = { input_prefix: 'let ', prompt: 'a = ', input_suffix: ';\n', n_predict: 8, input_extra: [{ text: 'x' }] }

t.test('infill requests are answered by llama-server', async t => {
  const answer = { content: '1', stop: true, stop_type: 'limit', tokens_predicted: 1, tokens_evaluated: 7 }
  const { post, asked } = await setUp(t, 'llama-cpp', {
    route: ({ path, body }) => {
      if (path !== '/infill') return undefined
      if (body['stream'] !== true) return { json: answer }
      const text = `data: {"content":"1","stop":false}\n\ndata: ${JSON.stringify({ ...answer, content: '' })}\n\n`
      return { text, headers: { 'content-type': 'text/event-stream' } }
    },
  })
  for (const path of ['/infill', '/v1/infill']) t.match((await post(path, infill)).json, answer)
  t.match(asked('/infill')[0], {
    input_prefix: 'let a = ',
    input_suffix: ';\n',
    n_predict: 8,
    input_extra: [{ text: 'x' }],
  })
  const { events } = await post('/infill', { ...infill, stream: true })
  t.match(events, [
    { content: '1', stop: false },
    { content: '', stop: true, stop_type: 'limit', tokens_predicted: 1 },
  ])
})

t.test('and by any other server in the same shape', async t => {
  const { post, asked } = await setUp(t, 'ollama', {
    route: ({ path }) =>
      path === '/api/generate'
        ? { json: { response: '1', done: true, done_reason: 'stop', prompt_eval_count: 7, eval_count: 1 } }
        : undefined,
  })
  t.match((await post('/infill', infill)).json, { content: '1', stop: true, stop_type: 'eos', tokens_evaluated: 7 })
  t.match(asked('/api/generate'), [{ prompt: 'let a = ', suffix: ';\n', options: { num_predict: 8 } }])
  t.match(await post('/infill', { n_predict: 'many' }), { status: 400, json: { error: { param: 'n_predict' } } })
})
