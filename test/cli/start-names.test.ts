import t from 'tap'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { nowhere, signalbox, temporaryRoot } from '../helpers/signalbox.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

t.test('the start tells what names stand for, which default is missing, and that auto may spend money', async t => {
  const local = await scriptedUpstream(t, 'ollama', { models: [{ name: 'qwen3:8b', loadedContextTokens: 8192 }] })
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'anthropic/claude-sonnet-4.5', price: { input: 3, output: 15 } }, 'openai/gpt-oss-120b:free'],
  })
  const serving = signalbox(temporaryRoot(t), ['serve', '--port', '0'], {
    ...nowhere,
    ...variablesFor(local, remote),
    MODEL_ALIASES: 'fast=qwen3:8b,best=openrouter/no/such-model',
    DEFAULT_LOCAL_MODEL: 'llama3.2:1b',
  })
  await serving.printed('Try it:')
  const { stdout } = serving.output
  serving.child.kill('SIGINT')
  await serving.ended
  t.match(stdout, 'auto: 1 local, 1 free and 1 paid models; OPENROUTER_FREE_ONLY=true keeps it from spending money')
  t.match(stdout, 'fast: ollama/qwen3:8b')
  t.match(stdout, 'best: openrouter/no/such-model, which no server offers')
  t.match(
    stdout,
    'claude-*, gpt-*, codex-*, gemini-*, o1*, o3*, o4*: auto, unless a server offers a model of that very name',
  )
  t.match(stdout, 'DEFAULT_LOCAL_MODEL: llama3.2:1b, which no local server offers')
})

t.test('x-signalbox-notes tells what a client’s name was taken for, and it is not the paid model', async t => {
  const local = await scriptedUpstream(t, 'ollama', { models: [{ name: 'qwen3:8b', loadedContextTokens: 8192 }] })
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'anthropic/claude-sonnet-4.5', price: { input: 3, output: 15 } }],
  })
  const gateway = await startGateway(t, { ...variablesFor(local, remote), MODEL_ALIASES: 'fast=ollama/qwen3:8b' })
  for (const model of ['claude-sonnet-4-5-20250929', 'gpt-5.4', 'o3-mini']) {
    const { headers } = await gateway.ask({ model })
    t.match(headers, { 'x-signalbox-model': 'ollama/qwen3:8b', 'x-signalbox-notes': `${model} is taken for auto` })
  }
  const { headers } = await gateway.ask({ model: 'fast' })
  t.match(headers['x-signalbox-notes'], 'fast is taken for ollama/qwen3:8b')
  t.equal((await gateway.ask({ model: 'auto' })).headers['x-signalbox-notes'], undefined)
})
