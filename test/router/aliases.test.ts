import t from 'tap'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

t.test('built-in aliases route the model names that agents require', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['small'] })
  const gateway = await startGateway(t, variablesFor(local))
  for (const model of ['claude-sonnet-4-5-20250929', 'gpt-5.2-codex', 'o3']) {
    t.equal((await gateway.ask({ model })).headers['x-signalbox-model'], 'llama-cpp/small', model)
  }
})

t.test('a name that an agent insists on never becomes the paid model that an aggregator sells under it', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['small'] })
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['anthropic/claude-sonnet-4.5'] })
  const gateway = await startGateway(t, {
    ...variablesFor(local, remote),
    QUALITY_THRESHOLD: '0',
    EXPLORATION_SHARE: '0',
  })
  const reply = await gateway.ask({ model: 'claude-sonnet-4-5-20250929' })
  t.equal(reply.headers['x-signalbox-model'], 'llama-cpp/small')
  t.match(reply.headers['x-signalbox-notes'], /claude-sonnet-4-5-20250929 is taken for auto/)
  t.equal(remote.chats.length, 0)
  t.equal((await gateway.ask({ model: 'auto' })).headers['x-signalbox-notes'], undefined)
})

t.test('a list of models without a model is tried in its own order', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['small', 'other'] })
  const gateway = await startGateway(t, { ...variablesFor(local), EXPLORATION_SHARE: '0' })
  for (const models of [
    ['llama-cpp/other', 'llama-cpp/small'],
    ['llama-cpp/small', 'llama-cpp/other'],
  ]) {
    const { headers } = await gateway.ask({ model: undefined, models })
    t.equal(headers['x-signalbox-model'], models[0])
    t.equal(headers['x-signalbox-reason'], 'explicit')
  }
})

t.test('a name that is a word of JavaScript is an unknown model, and one that is too long is refused', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['small'] })
  const gateway = await startGateway(t, variablesFor(local))
  for (const model of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    const { status, json } = await gateway.ask({ model })
    t.equal(status, 404, model)
    t.equal(json.error.code, 'model_not_found')
  }
  t.equal((await gateway.ask({ model: 'x'.repeat(200) })).status, 404)
  t.equal((await gateway.ask({ model: 'x'.repeat(201) })).status, 400)
  t.equal((await gateway.ask({ models: ['x'.repeat(201)] })).status, 400)
})

t.test(
  'MODEL_ALIASES goes before that, the first that fits decides, and the small model of an agent can go another way',
  async t => {
    const local = await scriptedUpstream(t, 'llama-cpp', { models: ['small'] })
    const remote = await scriptedUpstream(t, 'openrouter', { models: ['anthropic/claude-sonnet-4.5', 'lab/other'] })
    const gateway = await startGateway(t, {
      ...variablesFor(local, remote),
      MODEL_ALIASES: 'claude-*haiku*=llama-cpp/small, claude-*=openrouter/lab/other',
    })
    const servedBy = async (model: string) => (await gateway.ask({ model })).headers['x-signalbox-model']
    t.equal(await servedBy('claude-haiku-4-5'), 'llama-cpp/small')
    t.equal(await servedBy('claude-sonnet-4-5'), 'openrouter/lab/other')
    t.equal(await servedBy('claude/llama-cpp/small'), 'llama-cpp/small', 'the second name that Claude Code lists')
  },
)

t.test('the error for an unknown name shows the alias to set, and an invalid alias is explained', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['small'] })
  const gateway = await startGateway(t, { ...variablesFor(local), MODEL_ALIASES: 'fast=nothing' })
  t.match((await gateway.ask({ model: 'mistral-9' })).json.error.message, /MODEL_ALIASES=mistral-9=auto/)
  t.match((await gateway.ask({ model: 'fast' })).json.error, { code: 'model_not_found', message: /alias of 'nothing'/ })
})
