import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { WebSocket, request as send } from 'undici'
import { fuzzKey } from './play.ts'
import type { ScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { answerTexts, promptTexts, repeated } from './adversarial-texts.ts'

/** Something that might hold the event loop of a served Signalbox. */
export interface LoopCase {
  name: string
  run: () => Promise<unknown>
}

export interface LoopTarget {
  url: string
  /** Serves the model `scripted`. */
  upstream: ScriptedUpstream
  /** A folder that may be indexed. */
  folder: string
}

const weather = {
  type: 'function',
  function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}
const hello = [{ role: 'user', content: 'What is the weather in Oslo?' }]

/** Every case, one group after the other. */
export function loopCases(target: LoopTarget): LoopCase[] {
  return [
    ...answerCases(target),
    ...promptCases(target),
    ...bodyCases(target),
    ...searchCases(target),
    ...liveCases(target),
  ]
}

function poster({ url }: LoopTarget) {
  return async (route: string, body: object | string) => {
    const reply = await send(`${url}${route}`, {
      method: 'POST',
      headers: { 'x-api-key': fuzzKey },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headersTimeout: 120_000,
      bodyTimeout: 120_000,
    })
    await reply.body.dump({ limit: Number.MAX_SAFE_INTEGER })
    return reply.statusCode
  }
}

function answerCases(target: LoopTarget): LoopCase[] {
  const post = poster(target)
  const ways = [
    ['whole', false, (text: string) => [text]],
    ['streamed at once', true, (text: string) => [text]],
    ['streamed in pieces', true, (text: string) => text.match(/[^]{1,400}/g) ?? []],
  ] as const
  return Object.entries(answerTexts).flatMap(([what, text]) =>
    ways.map(([way, stream, pieces]) => ({
      name: `answer, ${way}: ${what}`,
      run() {
        target.upstream.script = { models: ['scripted'], answer: { text: pieces(text) } }
        return post('/v1/chat/completions', { model: 'scripted', messages: hello, tools: [weather], stream })
      },
    })),
  )
}

function promptCases(target: LoopTarget): LoopCase[] {
  const post = poster(target)
  const short = () => {
    target.upstream.script = { models: ['scripted'], answer: { text: ['Yes.'] } }
  }
  const ask = (name: string, route: string, body: object): LoopCase => ({
    name,
    run() {
      short()
      return post(route, body)
    },
  })
  return Object.entries(promptTexts).flatMap(([what, content]) => [
    ask(`prompt: ${what}`, '/v1/chat/completions', { model: 'auto', messages: [{ role: 'user', content }] }),
    ask(`system prompt of Messages: ${what}`, '/v1/messages', {
      model: 'auto',
      max_tokens: 9,
      system: content,
      messages: hello,
    }),
    ask(`input of Responses: ${what}`, '/v1/responses', { model: 'auto', input: content }),
    ask(`completion: ${what}`, '/v1/completions', { model: 'scripted', prompt: content }),
    ask(`count_tokens: ${what}`, '/v1/messages/count_tokens', { model: 'auto', messages: [{ role: 'user', content }] }),
    ask(`cost estimate: ${what}`, '/api/get_cost_estimate', { model: 'scripted', prompt: content }),
  ])
}

function bodyCases(target: LoopTarget): LoopCase[] {
  const post = poster(target)
  const many = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at))
  const bodies: Record<string, [string, object | string]> = {
    '20,000 messages': [
      '/v1/chat/completions',
      {
        model: 'auto',
        messages: many(20_000, at => ({ role: at % 2 ? 'assistant' : 'user', content: `Message ${at}` })),
      },
    ],
    '20,000 text parts': [
      '/v1/chat/completions',
      {
        model: 'auto',
        messages: [{ role: 'user', content: many(20_000, at => ({ type: 'text', text: `Part ${at}` })) }],
      },
    ],
    '1,000 tools': [
      '/v1/chat/completions',
      {
        model: 'auto',
        messages: hello,
        tools: many(1_000, at => ({
          type: 'function',
          function: {
            name: `tool_${at}`,
            description: repeated('Says what. ', 500),
            parameters: { type: 'object', properties: { a: { type: 'string' } } },
          },
        })),
      },
    ],
    '20,000 blocks of Messages': [
      '/v1/messages',
      {
        model: 'auto',
        max_tokens: 9,
        messages: [{ role: 'user', content: many(20_000, at => ({ type: 'text', text: `Part ${at}` })) }],
      },
    ],
    '20,000 items of Responses': [
      '/v1/responses',
      { model: 'auto', input: many(20_000, at => ({ role: 'user', content: `Message ${at}` })) },
    ],
    '10,000 tool results': [
      '/v1/chat/completions',
      {
        model: 'auto',
        messages: many(10_000, at =>
          at % 2
            ? { role: 'tool', tool_call_id: `c${at - 1}`, content: 'x' }
            : {
                role: 'assistant',
                content: null,
                tool_calls: [{ id: `c${at}`, type: 'function', function: { name: 'weather', arguments: '{}' } }],
              },
        ),
      },
    ],
    'an image of 1 MB': [
      '/v1/chat/completions',
      {
        model: 'auto',
        messages: [
          {
            role: 'user',
            content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${repeated('TWFu')}` } }],
          },
        ],
      },
    ],
    'a schema of 1 MB': [
      '/v1/chat/completions',
      {
        model: 'auto',
        messages: hello,
        response_format: {
          type: 'json_schema',
          json_schema: {
            name: 'a',
            schema: {
              type: 'object',
              properties: Object.fromEntries(many(20_000, at => [`p${at}`, { type: 'string' }])),
            },
          },
        },
      },
    ],
    '100,000 unknown fields': [
      '/v1/chat/completions',
      { model: 'auto', messages: hello, ...Object.fromEntries(many(100_000, at => [`field_${at}`, at])) },
    ],
    '2,000 embedding inputs': [
      '/v1/embeddings',
      { model: 'scripted', input: many(2_000, at => `Text ${at} ${'word '.repeat(90)}`) },
    ],
    '10,000 models': ['/v1/chat/completions', { models: many(10_000, at => `model-${at}`), messages: hello }],
    'a model name of 8 MB': ['/v1/chat/completions', { model: repeated('m', 8_000_000), messages: hello }],
    'a task of 1 MB': [
      '/api/route_task',
      { task: repeated('Explain the plan. '), context_length: 1_000, model: 'scripted' },
    ],
    'MCP arguments of 1 MB': [
      '/mcp',
      {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'search', arguments: { query: repeated('walrus ') } },
      },
    ],
    'invalid JSON of 1 MB': ['/v1/chat/completions', repeated('[')],
    'a body of 32 MB, one text': [
      '/v1/chat/completions',
      { model: 'auto', messages: [{ role: 'user', content: repeated('word ', 32_000_000) }] },
    ],
    'a body of 32 MB, numbers': [
      '/v1/chat/completions',
      `{"model":"auto","messages":[],"x":[${repeated('1,', 32_000_000)}1]}`,
    ],
    'a body of 32 MB, small objects': [
      '/v1/chat/completions',
      `{"model":"auto","messages":[],"x":[${repeated('{"a":"b"},', 32_000_000)}1]}`,
    ],
  }
  return Object.entries(bodies).map(([what, [route, body]]) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return {
      name: `body: ${what}`,
      run() {
        target.upstream.script = { models: ['scripted'], answer: { text: ['Yes.'] } }
        return post(route, text)
      },
    }
  })
}

function searchCases(target: LoopTarget): LoopCase[] {
  const post = poster(target)
  const search = (what: string, query: string, more: object = {}): LoopCase => ({
    name: `search: ${what}`,
    run: () => post('/admin/search', { query, limit: 100, ...more }),
  })
  return [
    {
      name: 'index: a folder with long names, exclude_patterns of twenty stars',
      run() {
        writeSources(target.folder)
        return post('/admin/retriv_init', {
          directories: [target.folder],
          exclude_patterns: [`${'*a'.repeat(20)}*b`, `**/${'*a/'.repeat(20)}b`, `${'**/a'.repeat(20)}/b`],
        })
      },
    },
    search('a path of twenty stars', `walrus path:${'*a'.repeat(20)}*b`),
    search('a path of twenty double stars', `walrus path:${'**a/'.repeat(20)}b`),
    search('sixteen phrases', Array.from({ length: 16 }, (_, at) => `"walrus   ${at}"`).join(' ')),
    search('a phrase of many words', `"${'walrus '.repeat(500)}"`),
    search('a query of 4,000 characters', repeated('walrus seal ', 4_000)),
    search('sixty words with typing errors', Array.from({ length: 60 }, (_, at) => `walruss${at}x`).join(' ')),
    search('200 filters', repeated('-path:zz ', 3_900) + 'walrus'),
    search('all with 50 lines around', 'walrus', { context_lines: 50 }),
    search('a budget of tokens', 'walrus', { max_tokens: 5_000, context_lines: 50 }),
  ]
}

/** Files that are found by many words; some have paths and lines that are slow for globs, patterns and excerpts. */
function writeSources(folder: string): void {
  const long = path.join(folder, 'a'.repeat(200), 'a'.repeat(200), 'a'.repeat(200))
  mkdirSync(long, { recursive: true })
  for (let at = 0; at < 60; at++) {
    writeFileSync(path.join(long, `${'a'.repeat(150)}${at}.ts`), `export function walrus${at}() {\n  return seal\n}\n`)
  }
  for (let at = 0; at < 500; at++) {
    const lines = Array.from(
      { length: 200 },
      (_, line) => `const walrus${at}x${line} = seal(${line}) // walrus ${line}`,
    )
    writeFileSync(path.join(folder, `walrus-${at}.ts`), lines.join('\n'))
  }
  for (let at = 0; at < 20; at++) {
    const lines = Array.from({ length: 2_000 }, (_, line) =>
      line === 7 ? repeated('walrus ', 700_000) : `walrus(${line})`,
    )
    writeFileSync(path.join(folder, `long-${at}.ts`), lines.join('\n'))
  }
  writeFileSync(path.join(folder, '.gitignore'), `${'*a'.repeat(20)}*b\n${'[!b]*'.repeat(30)}b\n`)
}

const readers = 550

function openSocket(url: string): WebSocket {
  return new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers: { 'x-api-key': fuzzKey } })
}

function liveCases(target: LoopTarget): LoopCase[] {
  const post = poster(target)
  return [
    {
      name: `live: ${readers} readers of /ws while 20 tasks are queued and done`,
      async run() {
        target.upstream.script = { models: ['scripted'], answer: { text: ['Yes.'] } }
        const sockets = Array.from({ length: readers }, () => openSocket(target.url))
        let received = 0
        for (const socket of sockets) socket.addEventListener('message', () => received++)
        await Promise.all(sockets.map(socket => new Promise(resolve => socket.addEventListener('open', resolve))))
        for (let at = 0; at < 20; at++) {
          await post('/api/route_task', { task: `Say yes ${at}.`, context_length: 10, model: 'scripted' })
        }
        await new Promise(resolve => setTimeout(resolve, 1_500))
        for (const socket of sockets) socket.close()
        return received
      },
    },
  ]
}
