import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { simulatedLlamaServer } from '../../src/cli/demo/simulated-server.ts'
import { coreSettings } from '../../src/config/core-settings.ts'
import { readSettings } from '../../src/config/setting.ts'
import { findEndpoints } from '../../src/providers/index.ts'
import { start } from '../../src/start.ts'

const body = '{"model":"auto","messages":[{"role":"user","content":"Say hello."}]}'
const route = '/v1/chat/completions'
/** Headers that say nothing about Signalbox. */
const omitted = new Set(['date', 'connection', 'keep-alive', 'content-length', 'transfer-encoding', 'vary'])

/**
 * The first request of the README, and what a Signalbox started for it answers, with a simulated llama-server. Values
 * that differ from run to run are shown as an ellipsis.
 */
export async function firstRequest(): Promise<string> {
  const command = ['curl -i http://127.0.0.1:3001' + route + ' \\', `  -d '${body}'`]
  const reply = await replyToFirstRequest()
  return [...fenced('sh', command), '', ...fenced('http', reply)].join('\n')
}

async function replyToFirstRequest(): Promise<string[]> {
  const server = await simulatedLlamaServer()
  const root = await mkdtemp(path.join(tmpdir(), 'signalbox-readme-'))
  const endpoints = findEndpoints({
    OLLAMA_ENDPOINT: 'off',
    LM_STUDIO_ENDPOINT: 'off',
    OPENROUTER_ENDPOINT: 'off',
    LLAMA_CPP_ENDPOINT: server.url,
  })
  const values = { ...readSettings(coreSettings, {}), PORT: 0, LOG_LEVEL: 'silent' as const }
  const signalbox = await start({ root, values, endpoints, environment: {} }, 'docs')
  try {
    return await post(signalbox.url)
  } finally {
    await signalbox.close(0)
    await server.close()
    await rm(root, { recursive: true })
  }
}

/** The status line, the headers and the body, as curl shows them. */
async function post(url: string): Promise<string[]> {
  const { promise, resolve, reject } = Promise.withResolvers<string[]>()
  const sent = request(url + route, { method: 'POST', agent: false }, reply => {
    const lines = reply.rawHeaders.flatMap((name, index, all) => (index % 2 === 0 ? [[name, all[index + 1]!]] : []))
    const headers = lines
      .filter(([name]) => !omitted.has(name!.toLowerCase()))
      .map(([name, value]) => `${name}: ${repeatable(value!)}`)
    const status = `HTTP/${reply.httpVersion} ${reply.statusCode} ${reply.statusMessage}`
    text(reply).then(content => resolve([status, ...headers, '', content]), reject)
  })
  sent.on('error', reject)
  sent.end(body)
  return promise
}

function repeatable(value: string): string {
  return value.replace(/^req_[\w-]+$/, 'req_…').replaceAll(/dur=[\d.]+/g, 'dur=…')
}

function fenced(language: string, lines: readonly string[]): string[] {
  return ['```' + language, ...lines, '```']
}
