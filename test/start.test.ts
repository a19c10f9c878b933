import t from 'tap'
import { scriptedUpstream } from './helpers/scripted-upstream.ts'
import { createLog } from '../src/start.ts'
import { nowhere, signalbox, temporaryRoot } from './helpers/signalbox.ts'
import { exchange } from './helpers/start-gateway.ts'

t.test('the start report lists the servers found and not found and the next steps; its curl line works', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['small'] })
  const absent = await scriptedUpstream(t, 'ollama')
  await absent.stop()
  const root = temporaryRoot(t)
  const { child, output, printed, ended } = signalbox(root, ['serve'], {
    ...nowhere,
    PORT: '0',
    LLAMA_CPP_ENDPOINT: local.url,
    OLLAMA_ENDPOINT: absent.url,
  })
  t.teardown(() => child.kill('SIGKILL'))
  await printed('curl ')
  t.match(output.stdout, /✓ llama-cpp .* 1 model/)
  t.match(output.stdout, new RegExp(`– ollama .*${absent.port}`))
  t.match(output.stdout, /Base URL for clients: http:\/\/127\.0\.0\.1:\d+\/v1/)
  const [, url = '', body = ''] = /curl (\S+) -d '([^']+)'/.exec(output.stdout) ?? []
  const reply = await exchange(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  t.equal(reply.headers['x-signalbox-model'], 'llama-cpp/small')
  child.kill('SIGTERM')
  t.equal((await ended).code, 0)
})

t.test('an invalid setting is one clear line and exit code 2', async t => {
  for (const [variables, files, line] of [
    [{ PORT: 'many' }, {}, /^signalbox: PORT: .*\n$/],
    [{ OPENROUTER_FREE_ONLY: 'perhaps' }, {}, /^signalbox: OPENROUTER_FREE_ONLY: .*\n$/],
    [{ OLLAMA_ENDPOINT: 'not a url' }, {}, /^signalbox: OLLAMA_ENDPOINT: .*\n$/],
    [{ HOST: '0.0.0.0' }, {}, /^signalbox: HOST: .*SIGNALBOX_API_KEY.*\n$/],
    [{}, { 'signalbox.json': '{' }, /^signalbox: signalbox\.json is not valid JSON.*\n$/],
    [{}, { 'signalbox.json': '{"providers":[{"kind":"ollama"}]}' }, /^signalbox: signalbox\.json: providers\.0.*\n$/],
    [{}, { '.env': 'LOG_LEVEL=loud' }, /^signalbox: LOG_LEVEL: .*\n$/],
  ] as const) {
    const { ended } = signalbox(temporaryRoot(t, files), ['serve'], { ...nowhere, PORT: '0', ...variables })
    const { code, stdout, stderr } = await ended
    t.equal(code, 2, stderr)
    t.match(stderr, line)
    t.equal(stdout, '')
  }
})

t.test('a port in use is one clear line and exit code 1', async t => {
  const taken = await scriptedUpstream(t, 'ollama')
  const { ended } = signalbox(temporaryRoot(t), ['serve'], { ...nowhere, PORT: String(taken.port) })
  const { code, stderr } = await ended
  t.equal(code, 1)
  t.match(stderr, /^signalbox: .*EADDRINUSE.*PORT.*\n$/)
})

t.test('the environment overrides .env, and signalbox.json adds servers', async t => {
  const first = await scriptedUpstream(t, 'openai-compatible', { models: ['one'] })
  const second = await scriptedUpstream(t, 'openai-compatible', { models: ['two'] })
  const settings = {
    providers: [{ kind: 'openai-compatible', name: 'extra', url: second.url, apiKeyVariable: 'EXTRA_KEY' }],
  }
  const root = temporaryRoot(t, {
    '.env': `PORT=1\nOPENAI_COMPATIBLE_ENDPOINT=main=${first.url}\nEXTRA_KEY=hush\n`,
    'signalbox.json': JSON.stringify(settings),
  })
  const { child, output, printed } = signalbox(root, ['serve'], { ...nowhere, PORT: '0' })
  t.teardown(() => child.kill('SIGKILL'))
  await printed('curl ')
  t.match(output.stdout, /✓ main /)
  t.match(output.stdout, /✓ extra /)
  t.equal(second.requests[0]?.headers.authorization, 'Bearer hush')
  t.notOk(output.stdout.includes('hush'))
})

t.test('the demo shows every scenario without any model', async t => {
  const { code, stdout } = await signalbox(temporaryRoot(t), ['demo'], nowhere).ended
  t.equal(code, 0)
  t.match(stdout, /SIMULATED/)
  t.match(stdout, /short question.*\n.*→ llama-cpp\/qwen3-coder-30b/)
  t.match(stdout, /too long.*\n.*→ openrouter\/meta-llama\/llama-3.3-70b-instruct:free/)
  t.match(stdout, /an image.*\n.*→ openrouter\/anthropic\/claude-sonnet-4.5/)
  t.match(stdout, /server fails.*\n.*→ openrouter\/meta-llama\/llama-3.3-70b-instruct:free .*attempts: 2/)
  t.match(stdout, /does not exist\n {4}404/)
  t.match(stdout, /model +requests/)
})

t.test('an unexpected error is logged with its cause and without the secrets it quotes', async t => {
  const lines: string[] = []
  const log = createLog('info', { write: line => void lines.push(line) })
  const cause = Object.assign(new TypeError('cannot parse https://user:sesame-1234@host.example'), {
    headers: { authorization: 'Bearer q7Wm3ZpX9vKt2LbR8sYd' },
  })
  const err = Object.assign(new Error('it failed', { cause }), { code: 'ERR_ODD', token: 'q7Wm3ZpX9vKt2LbR8sYd' })
  log.error({ err }, 'unexpected failure')
  t.match(JSON.parse(lines.join('')), { msg: 'unexpected failure', err: { type: 'Error', code: 'ERR_ODD' } })
  t.match(lines.join(''), /it failed: cannot parse https:\/\/\*\*\*@host\.example/)
  t.notMatch(lines.join(''), /sesame|q7Wm3ZpX9vKt2LbR8sYd/)
})
