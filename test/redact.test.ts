import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { hideSecret, redact } from '../src/redact.ts'

const hide = (text: string) => redact(text, 1_000)

t.test('hides credentials of every common shape', async t => {
  const secret = 'q7Wm3ZpX9vKt2LbR8sYd'
  for (const text of [
    `Authorization: Bearer ${secret}`,
    `authorization: Basic ${secret}==`,
    `sent "Bearer ${secret}" upstream`,
    `{"api_key":"${secret}"}`,
    `{\\"apiKey\\": \\"${secret}\\"}`,
    `x-api-key: ${secret}`,
    `OPENROUTER_API_KEY=${secret}`,
    `GET /v1/models?key=${secret}&page=2`,
    `{"token":"${secret}"}`,
    `password='${secret} with a space'`,
    `https://user:${secret}@host.example/v1`,
    `Incorrect API key provided: sk-proj-${secret}.`,
    `sk-ant-api03-${secret}-AA`,
    `ghp_${secret}`,
    `hf_${secret}`,
    `xoxb-1234-${secret}`,
    `AIza${secret}abc`,
    `AKIAIOSFODNN7EXAMPLE${secret.toUpperCase()}`,
    `eyJhbGciOiJIUzI1NiJ9.${secret}.${secret}`,
    `-----BEGIN RSA PRIVATE KEY-----\n${secret}\n-----END RSA PRIVATE KEY-----`,
    `-----BEGIN PRIVATE KEY-----\n${secret}\n and cut off`,
  ]) {
    t.notMatch(hide(text), new RegExp(secret, 'i'), text)
  }
})

t.test('leaves ordinary messages as they are', async t => {
  for (const text of [
    '',
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
    'Unexpected token: } in JSON at position 12',
    'model "qwen3:8b" not found, try pulling it first (http://127.0.0.1:11434/api/chat)',
    'max_tokens: 4096 is more than 2048; input_tokens=12',
    'connect ECONNREFUSED 127.0.0.1:1234',
    'task-based-routing-is-fine and risk-averse-strategies-too',
  ]) {
    t.equal(hide(text), text)
  }
})

t.test('keeps the text around a secret, so that the message stays readable', async t => {
  t.equal(
    hide('GET https://a.example/v1?key=abc123&page=2 gave 401'),
    'GET https://a.example/v1?key=***&page=2 gave 401',
  )
  t.equal(hide('{"error":{"api_key":"abc","code":401}}'), '{"error":{"api_key":***,"code":401}}')
})

t.test('no key survives in any context', async t => {
  const key = fc.stringMatching(/^[A-Za-z0-9]{24,48}$/)
  const around = fc.string({ maxLength: 60 })
  const carrier = fc.constantFrom(
    'sk-',
    'sk-or-v1-',
    'Bearer ',
    'api_key=',
    'Authorization: Bearer ',
    'password: ',
    'gsk_',
  )
  const holds = fc.property(around, carrier, key, around, (before, prefix, secret, after) => {
    assert.ok(!hide(`${before} ${prefix}${secret} ${after}`).includes(secret))
  })
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 500 }))
})

t.test('the result is never longer than allowed and always well-formed', async t => {
  const text = fc.string({ maxLength: 300, unit: 'binary' })
  const holds = fc.property(text, fc.integer({ min: 1, max: 100 }), (text, maxChars) => {
    const result = redact(text, maxChars)
    assert.ok(result.length <= maxChars)
    assert.ok(result.isWellFormed())
  })
  t.doesNotThrow(() => fc.assert(holds))
})

t.test('no part of a known secret survives, in any case, encoding or context', async t => {
  const secret = fc
    .string({ minLength: 12, maxLength: 60 })
    .filter(text => (text.match(/[a-z0-9]/gi) ?? []).length >= 10)
  const encode = fc.constantFrom<((text: string) => string)[]>(
    text => text,
    text => text.toUpperCase(),
    text => text.replaceAll(/(.{3})/g, '$1-'),
    text => encodeURIComponent(text),
    text => Buffer.from(text).toString('base64'),
    text => Buffer.from(`user:${text}`).toString('base64url'),
  )
  const holds = fc.property(fc.string(), secret, encode, fc.string(), (before, secret, encode, after) => {
    const hidden = hideSecret(`${before} ${encode(secret)} ${after}`, secret)
    const letters = (text: string) => text.replaceAll(/[^a-z0-9]/gi, '').toLowerCase()
    assert.ok(!letters(hidden).includes(letters(encode(secret)).slice(-12, -2)))
  })
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 500 }))
})

t.test('a known secret is hidden and nothing else', async t => {
  t.equal(hideSecret('Incorrect key my-key-0123456789 given', 'my-key-0123456789'), 'Incorrect key *** given')
  t.equal(hideSecret('my-key-0123456789', 'my-key-0123456789'), '***')
  t.equal(hideSecret('no such model as qwen3:8b', 'my-key-0123456789'), 'no such model as qwen3:8b')
  t.equal(hideSecret('a local key is local', 'local'), 'a local key is local')
})
