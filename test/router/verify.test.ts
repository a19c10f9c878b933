import fc from 'fast-check'
import t from 'tap'
import {
  acceptRate,
  cascadePays,
  fewestObjections,
  nextStep,
  scoreOfPass,
  trustsJudge,
} from '../../src/router/cascade.ts'
import { checksNamed, refuseUnknownChecks, verifiers, type Verdict } from '../../src/router/verify.ts'
import { ChatRequest, type ChatCompletion } from '../../src/wire/chat/schema.ts'

const answer = (
  content: string | null,
  changes: Partial<ChatCompletion['choices'][number]['message']> = {},
  finish_reason = 'stop',
) =>
  ({
    choices: [{ index: 0, message: { role: 'assistant', content, ...changes }, finish_reason }],
  }) satisfies ChatCompletion
const ask = (changes: object = {}) => ChatRequest.parse({ messages: [{ role: 'user', content: 'x' }], ...changes })
const check = (name: string, request: ChatRequest, reply: ChatCompletion): Verdict =>
  verifiers.find(verifier => verifier.name === name)!.check(request, reply)

t.test('an ordinary answer passes every applicable check', async t => {
  for (const text of [
    'Paris is the capital of France.',
    'Sorry for the delay: here is the code.\n```ts\nconst a = 1\n```',
    'I cannot overstate how useful this is.',
    `${'| a | b |\n'.repeat(3)}done`,
    'no '.repeat(20),
  ]) {
    for (const { name } of verifiers) t.not(check(name, ask(), answer(text))?.accepted, false, `${name}: ${text}`)
  }
})

t.test('a truncated, empty, declined or looping answer is rejected with its reason', async t => {
  t.match(check('not_truncated', ask(), answer('half a', {}, 'length')), { accepted: false, why: /cut off/ })
  t.match(check('not_empty', ask(), answer('  \n')), { accepted: false, why: /empty/ })
  t.match(check('not_empty', ask(), { choices: [] }), { accepted: false })
  for (const text of [
    "I'm sorry, but I can't help with that.",
    'I cannot assist with that request.',
    'As an AI language model, I cannot say.',
  ]) {
    t.match(check('not_refusal', ask(), answer(text)), { accepted: false, why: /declines/ }, text)
  }
  t.match(check('not_refusal', ask(), answer(null, { refusal: 'no' })), { accepted: false })
  t.match(check('not_loop', ask(), answer(`It begins. ${'and then the cat sat on the mat. '.repeat(12)}`)), {
    accepted: false,
  })
  t.match(check('not_loop', ask(), answer('x'.repeat(1_000_000))), { accepted: false })
})

t.test('requested JSON must parse, fenced or not', async t => {
  const json = ask({ response_format: { type: 'json_object' } })
  t.equal(check('parses', ask(), answer('not json')), undefined)
  t.match(check('parses', json, answer('{"a": 1}')), { accepted: true })
  t.match(check('parses', json, answer('```json\n{"a": 1}\n```')), { accepted: true })
  t.match(check('parses', json, answer('Here it is: {"a": 1}')), { accepted: false, why: /not JSON/ })
})

t.test('an answer must match the requested schema; an invalid schema rejects no answer', async t => {
  const withSchema = (schema: object) =>
    ask({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } })
  const person = withSchema({ type: 'object', properties: { age: { type: 'integer' } }, required: ['age'] })
  t.match(check('schema', person, answer('{"age": 3}')), { accepted: true })
  t.match(check('schema', person, answer('{"age": "three"}')), { accepted: false, why: /\/age must be integer/ })
  t.match(check('schema', person, answer('{}')), { accepted: false, why: /required property 'age'/ })
  t.equal(check('schema', withSchema({ type: 'nonsense' }), answer('{}')), undefined)
  t.equal(check('schema', ask(), answer('{}')), undefined)
})

t.test('a pattern that could run forever is not run', async t => {
  const evil = ask({
    response_format: { type: 'json_schema', json_schema: { schema: { type: 'string', pattern: '^(a+)+$' } } },
  })
  t.match(check('schema', evil, answer(JSON.stringify(`${'a'.repeat(50_000)}b`))), { accepted: true })
})

t.test('tool calls must name an offered tool and fit its parameters', async t => {
  const request = ask({
    tools: [
      {
        type: 'function',
        function: {
          name: 'weather',
          parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        },
      },
    ],
  })
  const call = (name: string, text: string) =>
    answer(null, { tool_calls: [{ id: '1', type: 'function', function: { name, arguments: text } }] })
  t.match(check('tool_arguments', request, call('weather', '{"city": "Oslo"}')), { accepted: true })
  t.match(check('tool_arguments', request, call('weather', '{"town": "Oslo"}')), { accepted: false, why: /city/ })
  t.match(check('tool_arguments', request, call('weather', '{"city": ')), { accepted: false, why: /not JSON/ })
  t.match(check('tool_arguments', request, call('wether', '{}')), { accepted: false, why: /not offered/ })
  t.equal(check('tool_arguments', request, answer('no call')), undefined)
})

t.test('each check runs once, in the order of cost', async t => {
  t.equal(checksNamed(['all']).length, verifiers.length)
  t.strictSame(checksNamed(['judge:big', 'tests:unit', 'schema', 'not_empty', 'schema', 'tests:unit']), [
    'not_empty',
    'schema',
    'tests:unit',
    'judge:big',
  ])
  t.strictSame(checksNamed(['none']), [])
})

t.test('an unknown check is rejected with the list of known ones', async t => {
  refuseUnknownChecks(['all', 'parses', 'tests:unit', 'judge:big'], ['unit'])
  for (const name of ['vibes', 'judge:', 'tests:other', 'tests:']) {
    t.throws(() => refuseUnknownChecks(['parses', name], ['unit']), {
      code: 'invalid_request',
      message: /not_empty.*schema.*tests:unit.*judge:<model>/,
    })
  }
})

t.test('a cascade escalates within VALIDATION_RETRY_BUDGET and then returns the best answer', async t => {
  const failed = {
    model: 'small',
    verdicts: [{ verifier: 'parses', verdict: { accepted: false, why: 'it is not JSON' } as const, binding: true }],
  }
  const passed = {
    model: 'small',
    verdicts: [{ verifier: 'parses', verdict: { accepted: true } as const, binding: true }],
  }
  t.match(nextStep(passed, { attempts: 1, retryBudget: 1, candidatesLeft: 3 }), { step: 'accept' })
  t.match(nextStep(failed, { attempts: 1, retryBudget: 1, candidatesLeft: 3 }), {
    step: 'escalate',
    why: 'small failed parses: it is not JSON',
  })
  t.match(nextStep(failed, { attempts: 2, retryBudget: 1, candidatesLeft: 3 }), { step: 'give_up', why: /no retries/ })
  t.match(nextStep(failed, { attempts: 1, retryBudget: 1, candidatesLeft: 0 }), {
    step: 'give_up',
    why: /no better model/,
  })
  t.match(nextStep(failed, { attempts: 1, retryBudget: 0, candidatesLeft: 3 }), { step: 'give_up' })
})

t.test('a judge is binding only once its agreement was measured and reaches MIN_VALIDATOR_SCORE', async t => {
  const judge = (agreed: number, compared: number) => ({ accepted: 0, rejected: 0, agreed, compared })
  t.notOk(trustsJudge(undefined, 0.6))
  t.notOk(trustsJudge(judge(5, 5), 0.6), 'five comparisons are luck')
  t.ok(trustsJudge(judge(13, 20), 0.6))
  t.notOk(trustsJudge(judge(13, 20), 0.7))
})

t.test('a verdict that is not binding rejects nothing', async t => {
  const doubted = { verifier: 'judge:big', verdict: { accepted: false, why: 'no' } as const, binding: false }
  t.match(nextStep({ model: 'small', verdicts: [doubted] }, { attempts: 1, retryBudget: 1, candidatesLeft: 1 }), {
    step: 'accept',
  })
})

t.test(
  'of answers that all failed, the one with the fewest objections is handed over, then the better model’s',
  async t => {
    const objection = { verifier: 'x', verdict: { accepted: false, why: 'no' } as const, binding: true }
    const answer = (model: string, quality: number, objections: number) => ({
      quality,
      checked: { model, verdicts: Array.from({ length: objections }, () => objection) },
    })
    t.equal(fewestObjections([answer('a', 0.5, 1), answer('b', 0.9, 2)])?.checked.model, 'a')
    t.equal(fewestObjections([answer('a', 0.5, 1), answer('b', 0.9, 1)])?.checked.model, 'b')
    t.equal(fewestObjections([]), undefined)
  },
)

t.test('a cascade is worth it if the cheap model is accepted often enough', async t => {
  const belief = (good: number, count: number) => ({ good, count, updatedAt: 0 })
  t.ok(cascadePays(acceptRate(belief(80, 100), 0), 0.01, 0.05))
  t.notOk(cascadePays(acceptRate(belief(10, 100), 0), 0.01, 0.05))
  t.equal(acceptRate(undefined, 0), 0.5)
  t.ok(acceptRate(belief(0, 100), 365 * 86_400_000) > 0.1, 'what is long ago counts less')
})

t.test('passes and rejections do not change a prediction unless fewer pass than predicted', async () => {
  const rate = fc.double({ min: 0.01, max: 1, noNaN: true })
  fc.assert(
    fc.property(rate, rate, (quality, passes) => {
      const expected = passes * scoreOfPass(quality, passes)
      return Math.abs(expected - Math.min(quality, passes)) < 1e-9
    }),
  )
})
