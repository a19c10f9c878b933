import t from 'tap'
import type { OutcomeRow } from '../../tools/routing/outcomes.ts'
import { productOf } from '../../tools/routing/product.ts'
import { savingsSvg } from '../../tools/routing/savings-svg.ts'
import { savingsOf } from '../../tools/routing/savings.ts'
import { train } from '../../tools/routing/train.ts'
import { unlabelledGate } from '../../tools/routing/unlabelled.ts'

const [strong, weak] = ['claude-opus-4-6', 'kimi-k2.5'] as const

/** The strong model is always right, the weak one only at explaining code. */
const rows = Array.from({ length: 400 }, (_, at): OutcomeRow => {
  const category = at % 2 === 0 ? 'bug_fixing' : 'code_understanding'
  return {
    id: `task-${at}`,
    category,
    outcomes: {
      [strong]: { score: 1, tokens: 1000 },
      [weak]: { score: category === 'bug_fixing' ? 0 : 1, tokens: 1000 },
    },
  }
})
const weights = train({ coding8: rows })

t.test(
  'a router that knows where the cheap model suffices saves its share of the cost, a mixture of models does not',
  async t => {
    const savings = savingsOf([{ train: rows, test: rows, product: productOf(weights) }])
    t.equal(savings.best, strong)
    const { kept, router, zeroRouter, lead } = savings.savedAt.at(-1)!
    t.equal(kept, 0.99)
    const share = 1.54 / 16.86
    t.ok(Math.abs(router.value - (1 - share) / 2) < 0.02, `${router.value}`)
    t.ok(Math.abs(zeroRouter.value - 0.02 * (1 - share)) < 0.005, `${zeroRouter.value}`)
    t.ok(lead.low > 0.3 && lead.low <= lead.value && lead.value <= lead.high)
    t.ok(savings.curve.every(({ cost, kept: { value } }) => cost <= 1 + 1e-9 && value <= 1 + 1e-9))
    const svg = savingsSvg('coding', savings)
    t.match(svg, /^<svg /)
    for (const name of [strong, weak, 'router at']) t.ok(svg.includes(name), name)
  },
)

t.test('hidden models are told apart by release and price, and by nothing where nothing is shown', async t => {
  const trials = [{ test: rows.slice(0, 100), weights }]
  const byFacts = unlabelledGate(trials, 'facts', 'auto:quality')
  const leadOf = ({ baselines }: typeof byFacts) => baselines.find(({ name }) => name === 'random')!.lead
  t.ok(byFacts.distinguishable && byFacts.regret < 0.01 && byFacts.costShare! <= 1, `${byFacts.regret}`)
  t.ok(leadOf(byFacts).low > 0)
  const byNothing = unlabelledGate(trials, 'nothing', 'auto:quality')
  t.notOk(byNothing.distinguishable)
  const { low, high } = leadOf(byNothing)
  t.ok(low < 0 && high > 0, 'no better and no worse than chance')
})
