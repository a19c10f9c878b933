import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Command } from 'commander'
import { request as send } from 'undici'
import { coreSettings } from '../config/core-settings.ts'
import { readSettings } from '../config/setting.ts'
import { findEndpoints } from '../providers/index.ts'
import type { UsageReport } from '../ledger/usage.ts'
import { start } from '../start.ts'
import { simulatedLlamaServer, simulatedServer } from './demo/simulated-server.ts'
import { version } from './root.ts'
import { renderTable } from './table.ts'

interface Scene {
  title: string
  body: Record<string, unknown>
  before?: () => void
}

export function define(command: Command): void {
  command
    .description('Send a few requests through Signalbox to simulated servers, and show which one answers each and why.')
    .addHelpText('after', '\nNo model, key or network is needed. Example:\n  signalbox demo')
    .action(() => demo(version(), text => process.stdout.write(text)))
}

/** Shows, without any real model, which simulated server answers each of a few requests and why, and the ledger's totals. */
async function demo(version: string, print: (text: string) => void): Promise<void> {
  const local = await simulatedLlamaServer()
  const remote = await simulatedServer({
    label: 'a remote OpenRouter',
    tokensPerSecond: 200,
    described: {
      '/api/v1/key': { data: { label: 'simulated' } },
      '/api/v1/models': {
        data: [
          remoteModel('meta-llama/llama-3.3-70b-instruct:free', 65_536, '0', '0', ['text']),
          remoteModel('anthropic/claude-sonnet-4.5', 200_000, '0.000003', '0.000015', ['text', 'image']),
        ],
      },
    },
  })
  const root = await mkdtemp(path.join(tmpdir(), 'signalbox-demo-'))
  const environment = {
    OLLAMA_ENDPOINT: 'off',
    LM_STUDIO_ENDPOINT: 'off',
    LLAMA_CPP_ENDPOINT: local.url,
    OPENROUTER_ENDPOINT: remote.url,
    OPENROUTER_API_KEY: 'simulated',
  }
  // The long prompt is filler: what it is about is unknown, and no model would be sure to do it well.
  const values = { ...readSettings(coreSettings, { QUALITY_THRESHOLD: '0' }), PORT: 0, LOG_LEVEL: 'silent' as const }
  const running = await start({ root, values, endpoints: findEndpoints(environment), environment }, version)
  try {
    print(`Signalbox ${version} at ${running.url} with two SIMULATED servers (no real model is involved):\n`)
    print('  llama-cpp   local, 8,192 tokens of context, costs nothing\n')
    print('  openrouter  remote: one free model, one at $3 / $15 per million tokens\n\n')
    for (const scene of scenes(() => local.setWorking(false))) print(await play(scene, running.url))
    print('The usage ledger (signalbox usage, or GET /v1/usage?group_by=model):\n\n')
    const usage = await send(`${running.url}/v1/usage?period=today&group_by=model`)
    print(ledger((await usage.body.json()) as UsageReport))
    print('\nTo use it with your own servers: signalbox serve (in a checkout: npm start)\n')
  } finally {
    await running.close(0)
    await Promise.all([local.close(), remote.close()])
    await rm(root, { recursive: true })
  }
}

function remoteModel(id: string, context: number, prompt: string, completion: string, input: string[]) {
  return {
    id,
    context_length: context,
    pricing: { prompt, completion },
    architecture: { input_modalities: input, output_modalities: ['text'] },
    supported_parameters: ['tools', 'max_tokens', 'response_format'],
  }
}

function scenes(breakLocal: () => void): Scene[] {
  const user = (content: unknown) => [{ role: 'user', content }]
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }
  return [
    { title: 'a short question, model "auto"', body: { model: 'auto', messages: user('What is a semaphore?') } },
    { title: 'the same, streamed', body: { model: 'auto', stream: true, messages: user('What is a mutex?') } },
    {
      title: 'a prompt too long for the local context',
      body: { model: 'auto', messages: user('All the log lines. '.repeat(3000)) },
    },
    {
      title: 'a question about an image',
      body: { model: 'auto', messages: user([{ type: 'text', text: 'What is it?' }, image]) },
    },
    {
      title: 'a model named by the caller',
      body: { model: 'openrouter/anthropic/claude-sonnet-4.5', messages: user('Hello.') },
    },
    {
      title: 'the local server fails',
      before: breakLocal,
      body: { model: 'auto', messages: user('Are you still there?') },
    },
    { title: 'a model that does not exist', body: { model: 'qwen3-codr', messages: user('Hello?') } },
  ]
}

async function play({ title, body, before }: Scene, url: string): Promise<string> {
  before?.()
  const startedAt = performance.now()
  const reply = await send(`${url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body) })
  const text = await reply.body.text()
  const ms = Math.round(performance.now() - startedAt)
  if (reply.statusCode !== 200) {
    return `• ${title}\n    ${reply.statusCode} ${(JSON.parse(text) as { error: { message: string } }).error.message}\n\n`
  }
  const header = (name: string) => String(reply.headers[`x-signalbox-${name}`])
  return `• ${title}\n    → ${header('model')}  (${header('reason')}, attempts: ${header('attempts')}, ${ms} ms)\n\n`
}

function ledger({ rows }: UsageReport): string {
  const lines = rows.map(({ group, requests, input_tokens, output_tokens, cost_usd }) => [
    group.model ?? '(no model answered)',
    ...[requests, input_tokens, output_tokens, `$${cost_usd.toFixed(6)}`].map(String),
  ])
  return (
    renderTable([['model', 'requests', 'input tokens', 'output tokens', 'cost'], ...lines])
      .replace(/^/gm, '  ')
      .trimEnd() + '\n'
  )
}
