import t from 'tap'
import { interpolateHull, upperHull } from '../../src/router/hull.ts'
import { meanBound } from '../../tools/routing/bootstrap.ts'
import { fitAbilities } from '../../tools/routing/fit-abilities.ts'
import { fitGap } from '../../tools/routing/gap-model.ts'
import { duplicateKeys, type OutcomeRow } from '../../tools/routing/outcomes.ts'
import { fitRidge, score } from '../../tools/routing/ridge.ts'
import { firstByHash, folds, groupFolds } from '../../tools/routing/splits.ts'
import { strongerOf, strongFirst } from '../../tools/routing/two-model-gates.ts'
import { rankRows, twoModelMetrics } from '../../tools/routing/two-models.ts'
import { seededRandom } from '../../src/router/chance.ts'
import { readText } from '../../src/router/text/reading.ts'

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
  const rows = Array.from({ length: 60 }, (_, at) =>
    row(`${at % 7}-${at}`, `question number ${at * 7919} about topic ${at}`),
  )
  const splits = folds(rows)
  t.strictSame(splits.flatMap(({ test }) => test.map(({ id }) => id)).sort(), rows.map(({ id }) => id).sort())
  for (const { train, test } of splits) t.notOk(test.some(each => train.includes(each)))
  for (const { train, test } of groupFolds({ train: rows, test: rows }, 1)) {
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
    buckets: Int32Array.from([Math.floor(random() * 4), 4 + Math.floor(random() * 4)]),
    values: Float32Array.from([1, 1]),
    smooth: Float32Array.from([random(), random()]),
  }))
  const targets = Float64Array.from(vectors, ({ buckets, smooth }) => buckets[0]! * 0.5 + 3 * smooth[1]! + 2)
  const linear = fitRidge(vectors, targets, { buckets: 8, smooth: 2 }, 1e-6)
  const errors = vectors.map((vector, at) => Math.abs(score(linear, vector) - targets[at]!))
  t.ok(Math.max(...errors) < 0.05, `${Math.max(...errors)}`)
})

t.test('a gap that depends on words and form is learned, and the same way twice', async t => {
  const random = seededRandom(9)
  const hardWords = ['integral', 'entropy', 'theorem', 'quantum']
  const easyWords = ['kitten', 'garden', 'supper', 'window']
  const sample = Array.from({ length: 400 }, () => {
    const hard = random() < 0.5
    const words = hard ? hardWords : easyWords
    const text = Array.from({ length: 8 }, () => words[Math.floor(random() * 4)]!).join(' ')
    return { reading: readText(`${text}?`), gap: hard ? 1 : 0 }
  })
  const readings = sample.map(({ reading }) => reading)
  const gaps = Float64Array.from(sample, ({ gap }) => gap)
  const predict = fitGap(readings.slice(0, 300), gaps.slice(0, 300))
  const { apgr } = twoModelMetrics(rankRows(Float64Array.from(readings.slice(300), predict)), gaps.slice(300))
  t.ok(apgr > 0.7, `${apgr}`)
  const again = fitGap(readings.slice(0, 300), gaps.slice(0, 300))
  t.equal(again(readings[399]!), predict(readings[399]!))
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
  const { value, low, high } = meanBound(Array.from({ length: 500 }, (_, at) => at % 2))
  t.equal(value, 0.5)
  t.ok(low < 0.5 && high > 0.5 && high - low < 0.12)
})

t.test('the stronger model is found by its scores, in whatever order rows name the two', async t => {
  const rows = [row('a', 'x', 1, 0), { ...row('b', 'y'), outcomes: { weak: { score: 0 }, strong: { score: 1 } } }]
  t.equal(strongerOf(rows), 'strong')
  t.strictSame(
    strongFirst(rows, 'strong').map(({ outcomes }) => Object.keys(outcomes)),
    [
      ['strong', 'weak'],
      ['strong', 'weak'],
    ],
  )
})
