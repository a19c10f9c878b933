import t from 'tap'
import { interpolateHull, upperHull } from '../../src/router/hull.ts'
import { meanBound } from '../../tools/routing/bootstrap.ts'
import { fitAbilities } from '../../tools/routing/fit-abilities.ts'
import { duplicateKeys, type OutcomeRow } from '../../tools/routing/outcomes.ts'
import { fitRidges, score } from '../../tools/routing/ridge.ts'
import { firstByHash, foldsOf, groupFolds, splitOf } from '../../tools/routing/tables.ts'
import { productOf, modelsOf } from '../../tools/routing/product.ts'
import { train as trainWeights } from '../../tools/routing/train.ts'
import { strongerOf } from '../../tools/routing/two-model-gates.ts'
import { rankRows, twoModelMetrics } from '../../tools/routing/two-models.ts'
import { seededRandom } from '../../src/router/chance.ts'

const row = (id: string, prompt: string, strong = 1, weak = 0): OutcomeRow => ({
  id,
  prompt,
  group: id.slice(0, 1),
  outcomes: { strong: { score: strong }, weak: { score: weak } },
})

t.test('APGR and CPT are what the definitions say', async t => {
  const gaps = Float64Array.from([1, 0, 0, 1])
  const perfect = twoModelMetrics(rankRows(Float64Array.from([9, 1, 2, 8])), gaps)
  t.strictSame(perfect, { apgr: 0.75, cpt50: 25, cpt80: 50 })
  const worst = twoModelMetrics(rankRows(Float64Array.from([1, 9, 8, 2])), gaps)
  t.strictSame(worst, { apgr: 0.25, cpt50: 75, cpt80: 100 })
  const even = twoModelMetrics(rankRows(new Float64Array(1000)), new Float64Array(1000).fill(1))
  t.strictSame(even, { apgr: 0.5, cpt50: 50, cpt80: 80 })
})

t.test('counting a row twice is having it twice', async t => {
  const doubled = twoModelMetrics(
    rankRows(Float64Array.from([3, 2, 1])),
    Float64Array.from([1, -1, 1]),
    Uint8Array.from([2, 1, 0]),
  )
  const written = twoModelMetrics(rankRows(Float64Array.from([3, 3, 2])), Float64Array.from([1, 1, -1]))
  t.strictSame(doubled, written)
})

t.test('the hull never falls, and mixing two policies gives what lies between them', async t => {
  const hull = upperHull([
    { cost: 4, quality: 0.5 },
    { cost: 1, quality: 0.2 },
    { cost: 2, quality: 0.1 },
    { cost: 3, quality: 0.3 },
    { cost: 9, quality: 0.4 },
  ])
  t.strictSame(hull, [
    { cost: 1, quality: 0.2 },
    { cost: 4, quality: 0.5 },
  ])
  t.ok(Math.abs(interpolateHull(hull, 0.3) - 2) < 1e-9)
  t.equal(interpolateHull(hull, 0.6), Infinity)
})

t.test('near-duplicates fall into the same fold, other prompts do not share a key', async t => {
  const long =
    'The quick brown fox jumps over the lazy dog while the band plays on and everybody in the village listens to it'
  const rows = [
    row('a1', long),
    row('b2', `${long}!!`),
    row('c3', `${long} again`),
    row('d4', 'What is the derivative of the sine of x with respect to x at zero?'),
  ]
  const keys = duplicateKeys(rows)
  t.equal(keys[0], keys[1])
  t.equal(keys[0], keys[2])
  t.not(keys[0], keys[3])
})

t.test('every row is judged once, never by a model that saw it', async t => {
  const rows = Array.from({ length: 60 }, (_, index) =>
    row(`${index % 7}-${index}`, `question number ${index * 7919} about topic ${index}`),
  )
  const splits = foldsOf({ mmlu: rows }).map(({ train, test }) => ({ train: train.mmlu!, test: test.mmlu! }))
  t.strictSame(splits.flatMap(({ test }) => test.map(({ id }) => id)).sort(), rows.map(({ id }) => id).sort())
  for (const { train, test } of splits) t.notOk(test.some(each => train.includes(each)))
  for (const { train, test } of groupFolds(rows, rows, 1)) {
    t.notOk(test.some(({ group }) => train.some(each => each.group === group)))
  }
  const { first, rest } = firstByHash(rows, 20, 0)
  t.equal(first.length, 20)
  t.equal(new Set([...first, ...rest]).size, 60)
  t.notSame(first, firstByHash(rows, 20, 1).first)
})

t.test('ridge regression finds the weights that made its targets', async t => {
  const random = seededRandom(4)
  const vectors = Array.from({ length: 300 }, () => ({
    features: Int32Array.from([Math.floor(random() * 4), 4 + Math.floor(random() * 4)]),
    values: Float32Array.from([1, 1]),
    waves: Float32Array.from([random(), random()]),
    style: Float32Array.from([random()]),
    plain: new Float32Array(0),
  }))
  const targets = Float64Array.from(vectors, ({ features, waves }) => features[0]! * 0.5 + 3 * waves[1]! + 2)
  const [linear] = fitRidges(vectors, [{ targets, part: 'both', penalty: 1e-6 }], 8)
  const errors = vectors.map((vector, index) => Math.abs(score(linear!, vector) - targets[index]!))
  t.ok(Math.max(...errors) < 0.05, `${Math.max(...errors)}`)
})

t.test('the product predicts a wider gap where training showed one, and is trained the same way twice', async t => {
  const random = seededRandom(9)
  const hardWords = ['integral', 'entropy', 'theorem', 'quantum']
  const easyWords = ['kitten', 'garden', 'supper', 'window']
  const rows = Array.from({ length: 400 }, (_, index): OutcomeRow => {
    const hard = random() < 0.5
    const words = Array.from({ length: 8 }, () => (hard ? hardWords : easyWords)[Math.floor(random() * 4)]!)
    return {
      id: `${index}`,
      prompt: `${words.join(' ')}?`,
      group: 'all',
      outcomes: { big: { score: random() < 0.9 ? 1 : 0 }, small: { score: random() < (hard ? 0.3 : 0.9) ? 1 : 0 } },
    }
  })
  const weights = trainWeights({ mmlu: rows.slice(0, 300) })
  const { qualities } = productOf(weights)
  const models = modelsOf(['big', 'small'])
  const test = rows.slice(300)
  const predicted = test.map(({ prompt }) => {
    const [big, small] = qualities({ text: prompt }, models)
    return big! - small!
  })
  const gaps = Float64Array.from(test, ({ outcomes }) => outcomes['big']!.score - outcomes['small']!.score)
  const { apgr } = twoModelMetrics(rankRows(Float64Array.from(predicted)), gaps)
  t.ok(apgr > 0.65, `${apgr}`)
  t.equal(JSON.stringify(trainWeights({ mmlu: rows.slice(0, 300) })), JSON.stringify(weights))
})

t.test('near-duplicates of training rows are left out of a test part, whichever table they are in', async t => {
  const long = 'A train leaves the station at noon and travels at sixty miles an hour for three hours before it stops.'
  const other = row('b', 'Which planet of the solar system has the largest number of moons that are known today?')
  const { test } = splitOf({ mmlu: [row('a', long)] }, { gsm8k: [row('c', `${long}!`), other] })
  t.strictSame(test.gsm8k, [other])
})

t.test('abilities and difficulties come apart, also between tables that share nothing', async t => {
  const cells = [
    { model: 'good', category: 'easy', rate: 0.9, count: 500 },
    { model: 'good', category: 'hard', rate: 0.5, count: 500 },
    { model: 'poor', category: 'easy', rate: 0.5, count: 500 },
    { model: 'poor', category: 'hard', rate: 0.1, count: 500 },
    { model: 'new', category: 'other', rate: 0.3, count: 500 },
  ]
  const { ability, difficulty } = fitAbilities(cells)
  t.ok(ability.get('good')! > ability.get('poor')! + 1)
  t.ok(difficulty.get('hard')! > difficulty.get('easy')! + 1)
  t.ok(ability.get('new')! > ability.get('good')!)
})

t.test('a bootstrap interval holds the mean', async t => {
  const { value, low, high } = meanBound(Array.from({ length: 500 }, (_, index) => index % 2))
  t.equal(value, 0.5)
  t.ok(low < 0.5 && high > 0.5 && high - low < 0.12)
})

t.test('the stronger model is found by its scores, in whatever order rows name the two', async t => {
  const rows = [row('a', 'x', 1, 0), { ...row('b', 'y'), outcomes: { weak: { score: 0 }, strong: { score: 1 } } }]
  t.equal(strongerOf(rows), 'strong')
})
