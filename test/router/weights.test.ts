import { writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { createAbilities } from '../../src/router/abilities.ts'
import { loadAbilityTable } from '../../src/router/ability-table.ts'
import { decide } from '../../src/router/decide.ts'
import { createPublicAbilities } from '../../src/router/public-ability.ts'
import { createTextJudge } from '../../src/router/text/judge.ts'
import { loadWeights, shippedWeightsFile } from '../../src/router/weights.ts'
import { argumentsOf, localModel, measured, paidModel } from '../helpers/router-samples.ts'

const shipped = loadWeights().weights!

t.test('a missing, stale or broken weights file is named, and decisions go on without it', async t => {
  const folder = t.testdir({})
  const missing = loadWeights(path.join(folder, 'none.json'))
  t.match(missing, { weights: undefined, problem: /none\.json cannot be read .*train:router/ })
  const stale = path.join(folder, 'stale.json')
  writeFileSync(stale, JSON.stringify({ ...shipped, version: 0 }))
  t.match(loadWeights(stale), { weights: undefined, problem: /version 0, but 4 is needed/ })
  const broken = path.join(folder, 'broken.json')
  writeFileSync(broken, '{"version": 1')
  t.match(loadWeights(broken), { weights: undefined, problem: /cannot be read/ })
  const decision = decide(...argumentsOf({ models: [localModel('small'), paidModel('big')] }), 0, 0)
  t.equal(decision.ranked[0]?.id, 'ollama/small')
})

t.test('the shipped weights tell kinds of tasks apart', async t => {
  const judge = createTextJudge(shipped.text)
  const likeliest = (text: string) => Object.entries(judge(text).categories).sort(([, a], [, b]) => b - a)[0]![0]
  t.equal(likeliest('Which of these is a mammal?\nA. shark\nB. whale\nC. trout\nD. eel\nAnswer:'), 'knowledge')
  t.equal(likeliest('who won the world cup in 1998'), 'facts')
  t.equal(
    likeliest(
      'Anna has 12 apples and buys 3 bags with 6 apples each. She gives 5 to Tom. How many apples does she have left?',
    ),
    'arithmetic',
  )
  t.equal(likeliest('Write a function to find the second largest number in a list.'), 'programming')
  t.equal(likeliest('Hello.'), 'chat')
})

t.test('a judgement is a distribution, for any text', async t => {
  const judge = createTextJudge(shipped.text)
  for (const text of ['', ' ', '\u0000', '你好，世界', 'x'.repeat(200_000), '{}[]();'.repeat(5_000)]) {
    const { categories, effect } = judge(text)
    const sum = Object.values(categories).reduce((all, share) => all + share, 0)
    t.ok(Math.abs(sum - 1) < 1e-9)
    t.ok([effect.level, effect.slope, ...effect.skills].every(value => Number.isFinite(value) && Math.abs(value) < 1))
  }
})

t.test('the weights are small', async t => {
  t.ok(JSON.stringify(shipped).length < 2_000_000, shippedWeightsFile)
})

t.test('weights of two models only keep both where their own results put them, on average', async t => {
  const [strong, weak] = ['gpt-4-1106-preview', 'mixtral-8x7b-instruct']
  const [better, worse] = Object.entries(shipped.models).filter(([name]) => /^(?:gpt-4-turbo|mixtral-8x7b)$/.test(name))
  const models = Object.fromEntries(
    [better!, worse!].map(([name, facts], at) => [name, { ...facts, ability: 0.3 - 0.6 * at }]),
  )
  const abilityOf = createAbilities({ ...shipped, models }, createPublicAbilities(loadAbilityTable()))
  const [high, low] = [abilityOf(paidModel(strong)).ability, abilityOf(paidModel(weak)).ability]
  t.ok(high > low)
  t.ok(Math.abs((high + low) / 2) < 0.1, `${high} ${low}`)
})

t.test('a model nobody measured is judged by its size, its price and its quantization', async t => {
  const abilityOf = createAbilities(shipped, createPublicAbilities(loadAbilityTable()))
  const sized = (parametersB: number, quantization?: string) =>
    abilityOf(localModel('new', { parametersB, quantization }))
  t.equal(sized(8).source, 'size')
  t.ok(sized(1).ability < sized(8).ability && sized(8).ability < sized(70).ability)
  t.ok(sized(8, 'Q2_K').ability < sized(8, 'Q4_K_M').ability && sized(8, 'Q4_K_M').ability < sized(8, 'Q8_0').ability)
  t.equal(abilityOf(localModel('another-32b', { parametersB: undefined })).ability, sized(32).ability)
  t.equal(abilityOf(paidModel('new')).source, 'price')
  t.equal(abilityOf(localModel('new', { parametersB: undefined })).source, 'nothing')
})

t.test('a model of the public data is known under the names that servers give it', async t => {
  const abilityOf = createAbilities(shipped, createPublicAbilities(loadAbilityTable()))
  for (const name of [
    'llama-3.1-8b-instruct',
    'meta-llama/llama-3.1-8b-instruct:free',
    'Llama-3.1-8B-Instruct-Q8_0.gguf',
  ]) {
    t.equal(abilityOf(localModel(name)).source, 'measured in public data', name)
  }
})

t.test('a kind of task nobody measured gets the estimate of an average one', async t => {
  const models = [localModel('small')]
  const decision = decide(
    ...argumentsOf({ models, weights: shipped, measured: measured({ categories: { basket_weaving: 1 } }) }),
    0,
    0,
  )
  const [candidate] = decision.candidates
  t.ok(candidate!.quality > 0.15 && candidate!.quality < 0.9)
  t.ok(candidate!.plusMinus > 0.3)
})
