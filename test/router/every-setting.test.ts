import t, { type Test } from 'tap'
import { nextStep } from '../../src/router/cascade.ts'
import { coreSettings, type CoreValues } from '../../src/config/core-settings.ts'
import { readSettings } from '../../src/config/setting.ts'
import { decide } from '../../src/router/decide.ts'
import { emptyEvidence, learnAgreement, learnBenchmark, learnVerifier } from '../../src/router/evidence.ts'
import type { Need } from '../../src/router/needs.ts'
import { optionNames, readOptions } from '../../src/router/options.ts'
import { policyOf } from '../../src/router/policy.ts'
import { sessionKey } from '../../src/router/session.ts'
import { ChatRequest } from '../../src/wire/chat/schema.ts'
import {
  argumentsOf,
  freeModel,
  localModel,
  measured,
  paidModel,
  teach,
  type Situation,
} from '../helpers/router-samples.ts'

const evidence = emptyEvidence()
const small = localModel('small')
const other = localModel('other')
const cold = localModel('cold', { loaded: false })
const gift = freeModel('gift:free')
const big = paidModel('big')
const expensive = paidModel('dear', { price: { input: 10, output: 40 } })
for (const [model, score] of [
  [small, 0.75],
  [other, 0.74],
  [cold, 0.9],
  [gift, 0.75],
  [big, 0.95],
  [expensive, 0.95],
] as const) {
  teach(evidence, model, score)
}
teach(evidence, small, 0.1, 'math')
const praised = localModel('praised', { parametersB: 1 })
learnBenchmark(evidence, 'praised', 'chat', { score: 1, runs: 1, tasks: 20 })
// A model whose answers seldom pass, and a judge that was right in 7 of 10 cases.
const failing = localModel('failing')
teach(evidence, failing, 0.75)
for (let time = 0; time < 30; time++) {
  for (const check of ['parses', 'judge:big', 'tests:unit']) {
    learnVerifier(evidence, check, { model: 'failing', category: 'chat' }, time % 30 === 0, 0)
    learnAgreement(evidence, check, time % 10 < 7)
  }
}

/** Whom the router takes for each of many values of chance. */
function choices(situation: Situation, variables: Record<string, string>): (string | undefined)[] {
  const policy = policyOf(readSettings(coreSettings, { QUALITY_THRESHOLD: '0.7', ...variables }))
  return Array.from(
    { length: 100 },
    (_, index) => decide(...argumentsOf({ evidence, ...situation, policy }), 0, index / 100).ranked[0]?.id,
  )
}

/** For each variable: a situation, two values, and who is first under either. */
const variables: Readonly<
  Record<string, { situation: Situation; from: Record<string, string>; to: string; first: [string, string] }>
> = {
  QUALITY_THRESHOLD: { situation: { models: [small, big] }, from: {}, to: '0.9', first: [small.id, big.id] },
  TOKEN_THRESHOLD: { situation: { models: [cold, big] }, from: {}, to: '50', first: [big.id, cold.id] },
  COST_THRESHOLD: {
    situation: { models: [cold, expensive] },
    from: {},
    to: '0.001',
    first: [expensive.id, cold.id],
  },
  OPENROUTER_FREE_ONLY: {
    situation: { models: [gift, big], preset: 'auto:quality' },
    from: {},
    to: 'true',
    first: [big.id, gift.id],
  },
  DEFAULT_LOCAL_MODEL: { situation: { models: [small, other] }, from: {}, to: 'other', first: [small.id, other.id] },
  RELIABLE_BENCHMARK_COUNT: {
    situation: { models: [praised, big] },
    from: { RELIABLE_BENCHMARK_COUNT: '1' },
    to: '100',
    first: [praised.id, big.id],
  },
  LOCAL_WATTS: {
    situation: { models: [small, gift], options: { maxCostUsd: 1e-6 } },
    from: { ENERGY_PRICE: '0.4' },
    to: '300',
    first: [small.id, gift.id],
  },
  ENERGY_PRICE: {
    situation: { models: [small, gift], options: { maxCostUsd: 1e-6 } },
    from: { LOCAL_WATTS: '300' },
    to: '0.4',
    first: [small.id, gift.id],
  },
  VERIFY: {
    situation: { models: [failing, big] },
    from: {},
    to: 'parses',
    first: [failing.id, big.id],
  },
  MIN_VALIDATOR_SCORE: {
    situation: { models: [failing, big], options: { verify: ['judge:big'] } },
    from: { MIN_VALIDATOR_SCORE: '0.9' },
    to: '0.6',
    first: [failing.id, big.id],
  },
  EXPLORATION_SHARE: {
    situation: { models: [small, other] },
    from: { EXPLORATION_SHARE: '0' },
    to: '0.03',
    first: [small.id, other.id],
  },
}

/** What these change is not who is first. */
const others: Readonly<Record<string, (t: Pick<Test, 'match' | 'throws' | 'strictSame'>) => void>> = {
  VALIDATION_RETRY_BUDGET: t => {
    for (const [budget, step] of [
      ['0', 'give_up'],
      ['1', 'escalate'],
    ] as const) {
      const policy = policyOf(readSettings(coreSettings, { VERIFY: 'parses', VALIDATION_RETRY_BUDGET: budget }))
      const { cascade } = decide(...argumentsOf({ models: [small, big], evidence, policy }), 0, 0)
      const verdict = { accepted: false, why: 'it is not JSON' } as const
      const rejected = { model: small.id, verdicts: [{ verifier: 'parses', verdict, binding: true }] }
      t.match(nextStep(rejected, { attempts: 1, candidatesLeft: 1, retryBudget: cascade!.retryBudget }), { step })
    }
  },
  VERIFY_COMMANDS: t => {
    const variables = { VERIFY: 'tests:unit' }
    t.throws(() => policyOf(readSettings(coreSettings, variables)), /VERIFY: .*tests:unit/)
    const allowed = { ...variables, VERIFY_COMMANDS: '{"unit": {"run": ["/bin/true"], "cwd": "/"}}' }
    t.strictSame(policyOf(readSettings(coreSettings, allowed)).verify, ['tests:unit'])
  },
}

t.test('every variable that the router reads changes some decision', async t => {
  const read = new Set<string>()
  const values = readSettings(coreSettings, {})
  policyOf(
    new Proxy(values, {
      get: (target, name) => {
        read.add(String(name))
        return target[name as keyof CoreValues]
      },
    }),
  )
  t.strictSame([...read].sort(), [...Object.keys(variables), ...Object.keys(others)].sort(), 'each has a case')
  for (const show of Object.values(others)) show(t)
  for (const [name, { situation, from, to, first }] of Object.entries(variables)) {
    const before = choices(situation, { EXPLORATION_SHARE: '0', ...from })
    const after = choices(situation, { EXPLORATION_SHARE: '0', ...from, [name]: to })
    t.strictSame(new Set(before), new Set([first[0]]), `before ${name}`)
    t.ok(after.includes(first[1]), `${name}=${to}`)
  }
})

/** For each option: a header's value, and who is first without and with it. */
const options: Readonly<Record<string, { value: string; models: Situation['models']; first: [string, string] }>> = {
  priority: { value: 'quality', models: [small, big], first: [small.id, big.id] },
  max_cost: { value: '0.0001', models: [big, localModel('poor', { parametersB: 1 })], first: [big.id, 'ollama/poor'] },
  min_quality: { value: '0.9', models: [small, big], first: [small.id, big.id] },
  local_only: { value: 'true', models: [localModel('poor', { parametersB: 1 }), big], first: [big.id, 'ollama/poor'] },
  session: { value: 'mine', models: [small, other], first: [small.id, other.id] },
  verify: { value: 'parses', models: [failing, big], first: [failing.id, big.id] },
  tags: { value: 'urgent, math', models: [small, big], first: [small.id, big.id] },
}
/** Names what a budget counts; see test/gateway/budgets.test.ts. */
const forBudgets = ['task']
t.test('every option of a request changes some decision', async t => {
  t.strictSame([...optionNames].sort(), [...Object.keys(options), ...forBudgets].sort(), 'each has a case')
  const request = ChatRequest.parse({ messages: [{ role: 'user', content: 'Hello.' }] })
  const conversations = new Map([['session:mine', { modelId: other.id, cachedTokens: 50 }]])
  const decideWith = (models: Situation['models'], headers: Record<string, string>) => {
    const read = readOptions(headers, undefined)
    const conversation = conversations.get(sessionKey(request, read.session) ?? '')
    const [asked, ...others] = argumentsOf({
      models,
      evidence,
      options: read,
      measured: measured({}, 'Hello.', read.tags),
      conversation,
    })
    return decide(asked, ...others, 0, 0.5)
  }
  const headerOf = (name: string) => `x-signalbox-${name.replaceAll('_', '-')}`
  for (const [name, { value, models, first }] of Object.entries(options)) {
    t.equal(decideWith(models, {}).ranked[0]?.id, first[0], `without ${name}`)
    t.equal(decideWith(models, { [headerOf(name)]: value }).ranked[0]?.id, first[1], `${name}: ${value}`)
  }
})

t.test('every need of a request rules out the model that cannot meet it', async t => {
  const needs: Readonly<Record<Need[0], true>> = {
    tools: true,
    forcedTools: true,
    vision: true,
    json: true,
    logprobs: true,
    logitBias: true,
    manyChoices: true,
  }
  for (const need of Object.keys(needs)) {
    const models = [localModel('without', { capabilities: { [need]: false } }), localModel('with')]
    const unable = (wanted: boolean) =>
      decide(...argumentsOf({ models, evidence, measured: measured({ [need]: wanted }) }), 0, 0).excluded
    t.strictSame(unable(false), [], need)
    t.match(unable(true), [{ model: { name: 'without' }, exclusion: { code: need } }])
    t.equal(unable(true).length, 1)
  }
})
