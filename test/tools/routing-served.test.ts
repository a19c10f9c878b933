import t from 'tap'
import { loadWeights } from '../../src/router/weights.ts'
import { askServed, largestDifference } from '../../tools/bench/routing/served.ts'
import { modelsOf, productOf } from '../../tools/routing/product.ts'
import type { OutcomeRow } from '../../tools/routing/outcomes.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

const names = ['gpt-4-1106-preview', 'mixtral-8x7b-instruct']
const prompts = [
  'Let p = (1, 2, 5, 4)(2, 3) in S_5 . Find the index of <p> in S_5.\nA. 8\nB. 2\nC. 24\nD. 120\nAnswer:',
  'Which of these is a mammal?\nA. shark\nB. whale\nC. trout\nD. eel\nAnswer:',
  'Tom has 12 apples, buys 3 bags of 6 and gives 5 away. How many apples has he left?',
  'who won the world cup in 1998',
  'Write a function to find the second largest number in a list.',
  'Расскажите, пожалуйста, о погоде в Москве осенью и о том, что надеть, если поехать туда с детьми.',
  'hi',
]
const rows = prompts.map((prompt, index): OutcomeRow => ({
  id: `${index}`,
  prompt,
  outcomes: Object.fromEntries(names.map(name => [name, { score: 0 }])),
}))

t.test('a running instance predicts what the bench measures in process', async t => {
  const upstream = await scriptedUpstream(t, 'openrouter', {
    models: names.map(name => ({ name: `maker/${name}`, price: { input: 1, output: 3 } })),
  })
  const gateway = await startGateway(t, variablesFor(upstream))
  const served = await askServed(gateway.url, rows, names)
  t.ok(largestDifference(rows, served, productOf(loadWeights().weights)) < 1e-9)
})

t.test('the gap between two models that are served varies from prompt to prompt', async t => {
  const upstream = await scriptedUpstream(t, 'openrouter', {
    models: ['nobody/strange-70b', 'nobody/strange-1b'].map(name => ({ name, price: { input: 1, output: 3 } })),
  })
  const gateway = await startGateway(t, variablesFor(upstream))
  const unknown = ['strange-70b', 'strange-1b']
  const { qualities } = await askServed(gateway.url, rows, unknown)
  const models = modelsOf(unknown)
  const gaps = rows.map(({ prompt }) => {
    const [large, small] = qualities({ text: prompt }, models)
    return large! - small!
  })
  t.equal(new Set(gaps.map(gap => gap.toFixed(6))).size, gaps.length)
  t.ok(gaps.every(gap => gap > 0))
})

t.test('an instance that lacks a model of the table is named', async t => {
  const upstream = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'maker/other', price: { input: 1, output: 3 } }],
  })
  const gateway = await startGateway(t, variablesFor(upstream))
  await t.rejects(askServed(gateway.url, rows, names), /offers no model called 'gpt-4-1106-preview'/)
})
