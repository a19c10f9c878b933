import t from 'tap'
import { decideCell, defaultStopping } from '../../src/bench/stopping.ts'

const count = (passed: number, total: number) => ({ passed, total })

t.test('a cell continues until it has seen a batch', async t => {
  t.equal(decideCell(count(3, 3), [count(0, 3)], defaultStopping), 'go on')
  t.equal(decideCell(count(4, 4), [count(0, 4)], defaultStopping), 'ranking decided')
})

t.test('a ranking is decided only against every other model, and only when all were measured', async t => {
  t.equal(decideCell(count(4, 4), [count(0, 4), count(4, 4)], defaultStopping), 'go on')
  t.equal(decideCell(count(4, 4), [count(0, 4), count(0, 0)], defaultStopping), 'go on')
})

t.test('a narrow interval ends a cell', async t => {
  t.equal(decideCell(count(12, 12), [], defaultStopping), 'narrow enough')
  t.equal(decideCell(count(8, 8), [], defaultStopping), 'go on')
  t.equal(decideCell(count(6, 12), [], defaultStopping), 'go on')
})

t.test('equally good models are called different in fewer than five of a hundred runs', async t => {
  for (const rate of [0.1, 0.3, 0.5, 0.7, 0.9]) {
    const share = probabilityOfRanking(rate)
    t.ok(share > 0 && share < 0.05, `pass rate ${rate}: ${(share * 100).toFixed(2)} %`)
  }
})

/** Exactly, over all ways in which two models of the same pass rate can do at the looks after 4, 8 and 12 items. */
function probabilityOfRanking(rate: number): number {
  let open = new Map([['0 0', 1]])
  let ranked = 0
  for (const looked of [4, 8, 12]) {
    const next = new Map<string, number>()
    for (const [state, probability] of open) {
      const [first = 0, second = 0] = state.split(' ').map(Number)
      for (let a = 0; a <= 4; a++) {
        for (let b = 0; b <= 4; b++) {
          const key = `${first + a} ${second + b}`
          next.set(key, (next.get(key) ?? 0) + probability * binomial(a, rate) * binomial(b, rate))
        }
      }
    }
    open = new Map()
    for (const [state, probability] of next) {
      const [first = 0, second = 0] = state.split(' ').map(Number)
      const decision = decideCell(count(first, looked), [count(second, looked)], defaultStopping)
      if (decision === 'ranking decided') ranked += probability
      else if (decision === 'go on') open.set(state, probability)
    }
  }
  return ranked
}

function binomial(passed: number, rate: number): number {
  return [1, 4, 6, 4, 1][passed]! * rate ** passed * (1 - rate) ** (4 - passed)
}
