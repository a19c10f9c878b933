import t from 'tap'
import { featureNames } from '../../src/router/kinds/features.ts'
import { everydayKinds, shippedKindWeights } from '../../src/router/kinds/model.ts'
import { readEveryday } from '../../src/router/kinds.ts'
import { shapeOf } from '../../src/router/kinds/shape.ts'
import { ChatRequest } from '../../src/wire/chat/schema.ts'
import { evaluateKinds } from '../../tools/routing/kinds/evaluate.ts'
import { halves, labelledRequests } from '../../tools/routing/kinds/labelled.ts'
import { trainKinds } from '../../tools/routing/kinds/train.ts'

const requests = labelledRequests()
const { development, heldOut } = halves(requests)

t.test('there are three hundred labelled requests and more, of every kind, in several languages', async t => {
  t.ok(requests.length >= 300, `${requests.length}`)
  for (const kind of everydayKinds) {
    const count = requests.filter(request => request.kind === kind).length
    t.ok(count >= 10, `${kind}: ${count}`)
  }
  const languages = new Set(requests.map(({ language }) => language))
  t.ok(languages.size >= 8, [...languages].join(' '))
  const foreign = requests.filter(({ language }) => language !== 'en').length
  t.ok(foreign >= requests.length / 5, `${foreign}`)
})

t.test('no request is in both halves, or twice in one', async t => {
  t.equal(development.length + heldOut.length, requests.length)
  const texts = requests.map(({ client, turns, system }) => JSON.stringify([client, turns, system]))
  t.equal(new Set(texts).size, texts.length)
})

t.test('what the router sorts requests by is what the development half teaches', async t => {
  t.strictSame(shippedKindWeights.features, featureNames)
  t.strictSame(trainKinds(development), shippedKindWeights)
})

t.test('held-out requests are mostly sorted right, those of agents nearly always', async t => {
  const all = evaluateKinds(heldOut)
  t.ok(all.accuracy >= 0.7, `${all.accuracy}`)
  t.ok(all.macroF1 >= 0.7, `${all.macroF1}`)
  const agents = evaluateKinds(heldOut.filter(({ kind }) => kind.startsWith('agent_') || kind === 'title'))
  t.ok(agents.accuracy >= 0.85, `${agents.accuracy}`)
})

t.test('a word problem is one to calculate, whatever it is about', t => {
  for (const content of [
    'A ship carries 300 crates of medicine. Half of them are unloaded in Lisbon and 40 in Porto. How many are left?',
    'Paula writes four emails every hour and each takes her 6 minutes. How much of an 8 hour day is left for phone calls?',
    'Un bus transporte 52 passagers. 17 descendent, puis 9 montent. Combien y en a-t-il maintenant ?',
  ]) {
    const { kinds } = readEveryday(shapeOf(ChatRequest.parse({ messages: [{ role: 'user', content }] })))
    t.equal(everydayKinds[kinds.indexOf(Math.max(...kinds))], 'math', content)
  }
  t.end()
})
