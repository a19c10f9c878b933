import * as fc from 'fast-check'
import t from 'tap'
import { createTokenRatios } from '../../src/tokens/ratio.ts'

t.test('before anything was learned a model has the ratio of its family', async t => {
  const ratios = createTokenRatios()
  t.equal(ratios.ratioOf('openai/gpt-4o-mini'), 1)
  t.equal(ratios.ratioOf('qwen2.5-coder:7b'), 1.02)
  t.equal(ratios.ratioOf('meta-llama/Llama-3.1-8B-Instruct'), 1)
  t.equal(ratios.ratioOf('nobody/knows'), 1.1)
})

t.test('reported usage moves the ratio to the truth', async t => {
  const ratios = createTokenRatios()
  for (let n = 0; n < 50; n++) ratios.learn('m', 2000, 2600)
  t.ok(Math.abs(ratios.ratioOf('m') - 1.3) < 0.01, `${ratios.ratioOf('m')}`)
})

t.test('a name that gets another model behind it is learned again', async t => {
  const ratios = createTokenRatios()
  for (let n = 0; n < 500; n++) ratios.learn('m', 2000, 2600)
  for (let n = 0; n < 200; n++) ratios.learn('m', 2000, 1800)
  t.ok(Math.abs(ratios.ratioOf('m') - 0.9) < 0.02, `${ratios.ratioOf('m')}`)
})

t.test('reports that are not about the tokenizer are ignored', async t => {
  const ratios = createTokenRatios()
  const strange = [
    [2000, 12],
    [2000, 0],
    [2000, 90_000],
    [10, 30],
    [0, 0],
    [NaN, 5],
    [2000, Infinity],
    [-5, -5],
  ] as const
  for (const [counted, reported] of strange) ratios.learn('m', counted, reported)
  t.same(ratios.rows(), [])
})

t.test('whatever is reported, the ratio stays within bounds', async () => {
  const report = fc.tuple(fc.double({ min: -10, max: 1e7 }), fc.double({ min: -10, max: 1e7 }))
  fc.assert(
    fc.property(fc.array(report, { maxLength: 50 }), reports => {
      const ratios = createTokenRatios()
      for (const [counted, reported] of reports) ratios.learn('m', counted, reported)
      return ratios.ratioOf('m') >= 0.5 && ratios.ratioOf('m') <= 3
    }),
    { seed: 1 },
  )
})

t.test('what was learned survives as rows, in order of use, and only so many models are kept', async t => {
  const ratios = createTokenRatios({ maxModels: 3 })
  for (const model of ['a', 'b', 'c', 'd']) ratios.learn(model, 1000, 1200)
  ratios.learn('b', 1000, 1200)
  t.same(
    ratios.rows().map(row => row.model),
    ['b', 'd', 'c'],
  )

  const again = createTokenRatios({ maxModels: 3 })
  const broken = { model: 'x', counted: 100, reported: NaN, missed: 0 }
  again.restore([broken, ...(JSON.parse(JSON.stringify(ratios.rows())) as ReturnType<typeof ratios.rows>)])
  t.same(again.rows(), ratios.rows())
  t.equal(again.ratioOf('b'), ratios.ratioOf('b'))
})
