import t from 'tap'
import { createShippedPrices } from '../../src/accounting/price-list.ts'
import { ConfigError, renderEnvExample } from '../../src/config/setting.ts'
import { createProviders, findEndpoints, providerKinds, providerSettings } from '../../src/providers/index.ts'
import { createTransport } from '../../src/providers/http/transport.ts'
import { upstreamKinds } from '../helpers/scripted-upstream.ts'

const urls = (environment: Record<string, string>) =>
  findEndpoints(environment).map(({ name, url }) => `${name} ${url}`)
const off = { OLLAMA_ENDPOINT: 'off', LM_STUDIO_ENDPOINT: 'off', LLAMA_CPP_ENDPOINT: 'off' }

t.test('every kind has a scripted upstream, and so the conformance suite', async t => {
  t.same(providerKinds.map(({ kind }) => kind).sort(), [...upstreamKinds].sort())
})

t.test('tries local servers at their default addresses when nothing is set', async t => {
  t.match(findEndpoints({}), [
    { kind: 'ollama', name: 'ollama', url: 'http://127.0.0.1:11434', named: false },
    { kind: 'lm-studio', name: 'lm-studio', url: 'http://127.0.0.1:1234', named: false },
    { kind: 'llama-cpp', name: 'llama-cpp', url: 'http://127.0.0.1:8080', named: false },
  ])
  t.equal(findEndpoints({}).length, 3, 'and nowhere else')
  t.same(findEndpoints({ ...off, OLLAMA_ENDPOINT: 'OFF' }), [])
})

t.test('accepts addresses in any common form', async t => {
  const written: [string, string, string][] = [
    ['OLLAMA_ENDPOINT', 'http://localhost:11434/api', 'ollama http://localhost:11434'],
    ['OLLAMA_ENDPOINT', 'localhost:11434/', 'ollama http://localhost:11434'],
    ['OLLAMA_ENDPOINT', 'http://h/proxy/api/', 'ollama http://h/proxy'],
    ['LM_STUDIO_ENDPOINT', 'http://localhost:1234/v1', 'lm-studio http://localhost:1234'],
    ['LM_STUDIO_ENDPOINT', 'http://localhost:1234/api/v1/', 'lm-studio http://localhost:1234'],
    ['LLAMA_CPP_ENDPOINT', 'http://localhost:8080/v1', 'llama-cpp http://localhost:8080'],
    ['OPENAI_COMPATIBLE_ENDPOINT', 'http://h:8000', 'openai-compatible http://h:8000/v1'],
    ['OPENAI_COMPATIBLE_ENDPOINT', 'https://h/openai/v1/chat/completions', 'openai-compatible https://h/openai/v1'],
    ['OPENAI_COMPATIBLE_ENDPOINT', 'groq=https://api.groq.com/openai/v1', 'groq https://api.groq.com/openai/v1'],
  ]
  for (const [variable, value, expected] of written) t.same(urls({ ...off, [variable]: value }), [expected])
  const key = { OPENROUTER_API_KEY: 'k' }
  t.same(urls({ ...off, ...key }), ['openrouter https://openrouter.ai/api/v1'])
  t.same(urls({ ...off, ...key, OPENROUTER_ENDPOINT: 'http://127.0.0.1:9' }), ['openrouter http://127.0.0.1:9/api/v1'])
})

t.test('accepts several endpoints of a kind, each with its API key', async t => {
  const endpoints = findEndpoints({
    ...off,
    OLLAMA_ENDPOINT: 'http://a:1, http://b:2/api ,office=http://c:3',
    OFFICE_API_KEY: 'secret',
    OLLAMA_TIMEOUT: '90',
  })
  t.match(endpoints, [
    { name: 'ollama', url: 'http://a:1', named: true, apiKey: undefined, firstTokenTimeoutMs: 90_000 },
    { name: 'ollama-2', url: 'http://b:2' },
    { name: 'office', url: 'http://c:3', apiKey: 'secret', apiKeyVariable: 'OFFICE_API_KEY' },
  ])
})

t.test('ignores a remote provider without its API key', async t => {
  t.same(findEndpoints({ ...off, OPENROUTER_ENDPOINT: 'https://openrouter.ai/api/v1' }), [])
  t.same(findEndpoints({ ...off, OPENROUTER_API_KEY: 'k', OPENROUTER_ENDPOINT: 'off' }), [])
  t.match(findEndpoints({ ...off, OPENROUTER_API_KEY: 'k' }), [{ apiKey: 'k', apiKeyVariable: 'OPENROUTER_API_KEY' }])
})

t.test('lets signalbox.json replace the default address', async t => {
  const own = { kind: 'ollama', name: 'cellar', url: 'http://10.0.0.7:11434/api/', named: true }
  t.match(findEndpoints({ LM_STUDIO_ENDPOINT: 'off', LLAMA_CPP_ENDPOINT: 'off' }, [own]), [
    { name: 'cellar', url: 'http://10.0.0.7:11434' },
  ])
  t.equal(findEndpoints({ OLLAMA_ENDPOINT: 'http://h:1' }, [own]).filter(({ kind }) => kind === 'ollama').length, 2)
})

t.test('rejects invalid endpoints with a one-line error', async t => {
  const refuse = (environment: Record<string, string>, file: Parameters<typeof findEndpoints>[1], message: RegExp) => {
    try {
      findEndpoints(environment, file)
      t.fail('accepted')
    } catch (error) {
      t.ok(error instanceof ConfigError)
      t.match((error as Error).message, message)
      t.notMatch((error as Error).message, /\n/)
    }
  }
  refuse({ OLLAMA_ENDPOINT: 'http://' }, [], /^OLLAMA_ENDPOINT: "http:\/\/" is not an address/)
  refuse({ OLLAMA_ENDPOINT: 'ftp://host' }, [], /OLLAMA_ENDPOINT/)
  refuse({ OLLAMA_ENDPOINT: 'http://me:secret@host' }, [], /must not contain a password/)
  refuse({ OPENAI_COMPATIBLE_ENDPOINT: 'My Server=http://h' }, [], /lower-case/)
  refuse({ OPENAI_COMPATIBLE_ENDPOINT: 'ollama=http://h' }, [], /Two endpoints are called ollama/)
  refuse({ OLLAMA_TIMEOUT: 'soon' }, [], /^OLLAMA_TIMEOUT/)
  refuse({}, [{ kind: 'vllm', name: 'v', url: 'http://h', named: true }], /unknown kind "vllm"; use one of ollama/)
})

t.test('classifies a server as local or remote by its address', async t => {
  const transport = createTransport({ connectTimeoutMs: 1000 })
  t.teardown(() => transport.close())
  const tierAt = (url: string, tier?: 'local' | 'remote') => {
    const endpoint = { kind: 'openai-compatible', name: 'x', url, named: true, ...(tier && { tier }) }
    return createProviders([endpoint], { transport, prices: createShippedPrices(), now: Date.now })[0]?.tier
  }
  for (const host of [
    'localhost',
    '127.0.0.1',
    '[::1]',
    '192.168.1.2',
    '10.1.2.3',
    '172.20.0.1',
    '[fd00::1]',
    'nas',
    'nas.local',
  ]) {
    t.equal(tierAt(`http://${host}/v1`), 'local', host)
  }
  for (const host of ['api.groq.com', '8.8.8.8', '172.32.0.1', '[2001:db8::1]'])
    t.equal(tierAt(`https://${host}/v1`), 'remote', host)
  t.equal(tierAt('http://localhost/v1', 'remote'), 'remote')
})

t.test('documents its variables in .env.example', async t => {
  const text = renderEnvExample([{ title: 'Servers', settings: providerSettings }])
  for (const name of Object.keys(providerSettings)) t.match(text, `# ${name}=`)
})
