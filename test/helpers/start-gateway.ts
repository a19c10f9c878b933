import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { request as send, type Dispatcher } from 'undici'
import type { Endpoint } from '../../src/config/config.ts'
import { coreSettings } from '../../src/config/core-settings.ts'
import { readSettings } from '../../src/config/setting.ts'
import { findEndpoints, providerKinds } from '../../src/providers/index.ts'
import { seededRandom } from '../../src/router/chance.ts'
import type { ScriptedUpstream } from './scripted-upstream.ts'
import { start, type Running, type StartOptions } from '../../src/start.ts'

export type Teardown = { teardown(undo: () => Promise<void>): void }

/** A Signalbox on a free port with its own empty data folder, and what a test asks of it. */
export interface TestGateway extends Running {
  /** POST /v1/chat/completions with `auto` and one user message, unless `body` says otherwise. */
  ask(body?: Record<string, unknown>, options?: AskOptions): Promise<Reply>
  get(path: string): Promise<Reply>
  post(path: string, body: object): Promise<Reply>
}

export interface AskOptions {
  headers?: Record<string, string>
  signal?: AbortSignal
}

export interface Reply {
  status: number
  headers: Dispatcher.ResponseData['headers']
  text: string
  // eslint-disable-next-line typescript/no-explicit-any
  json: any
  /** The JSON payloads of an event stream, `[DONE]` left out. */
  // eslint-disable-next-line typescript/no-explicit-any
  events: any[]
}

/** No server is looked for unless `variables` names it. */
export async function startGateway(
  t: Teardown,
  variables: Record<string, string> = {},
  endpoints: Endpoint[] = [],
  options: Pick<StartOptions, 'log' | 'now'> = {},
): Promise<TestGateway> {
  const root = mkdtempSync(path.join(tmpdir(), 'signalbox-test-'))
  const environment = {
    PORT: '0',
    LOG_LEVEL: 'silent',
    OLLAMA_ENDPOINT: 'off',
    LM_STUDIO_ENDPOINT: 'off',
    LLAMA_CPP_ENDPOINT: 'off',
    // Trying other models by chance would make tests depend on it.
    EXPLORATION_SHARE: '0',
    ...variables,
  }
  const values = readSettings(coreSettings, environment)
  const config = { root, values, endpoints: findEndpoints(environment, endpoints), environment }
  const running = await start(config, '0.0.0-test', {
    random: seededRandom(1),
    ...options,
  })
  t.teardown(async () => {
    await running.close(0)
    rmSync(root, { recursive: true, force: true })
  })
  return {
    ...running,
    ask: (body = {}, options = {}) =>
      exchange(`${running.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hello?' }], ...body }),
        ...options,
      }),
    post: (where, body) => exchange(`${running.url}${where}`, { method: 'POST', body: JSON.stringify(body) }),
    get: where => exchange(`${running.url}${where}`, { method: 'GET' }),
  }
}

/** The variables that point at scripted upstreams, all of whose models are good enough unless a test says otherwise. */
export function variablesFor(...upstreams: ScriptedUpstream[]): Record<string, string> {
  const variables: Record<string, string> = { QUALITY_THRESHOLD: '0' }
  for (const { kind, url } of upstreams) {
    const prefix = kind.toUpperCase().replaceAll('-', '_')
    const name = `${prefix}_ENDPOINT`
    variables[name] = variables[name] === undefined ? url : `${variables[name]},${url}`
    const needsKey = providerKinds.some(each => each.kind === kind && each.needsKey === true)
    if (needsKey) variables[`${prefix}_API_KEY`] = 'test-key'
  }
  return variables
}

export async function exchange(
  url: string,
  options: { method: 'GET' | 'POST' | 'PUT' | 'HEAD'; body?: string | Buffer } & AskOptions,
): Promise<Reply> {
  const { statusCode, headers, body } = await send(url, options)
  const text = await body.text()
  const isJson = String(headers['content-type']).startsWith('application/json')
  const events = text
    .split('\n')
    .filter(line => line.startsWith('data: ') && line !== 'data: [DONE]')
    .map(line => JSON.parse(line.slice(6)) as unknown)
  return { status: statusCode, headers, text, json: isJson && text !== '' ? JSON.parse(text) : undefined, events }
}
