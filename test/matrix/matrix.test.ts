import t from 'tap'
import { nameOf, playMatrix } from './matrix.ts'

// Hundreds of requests, one after the other.
t.setTimeout(180_000)

t.test('every protocol works with every kind of server', async t => {
  for await (const { cell, failure } of playMatrix(t)) {
    const reason = failure instanceof Error ? failure.message : failure
    t.equal(reason, undefined, nameOf(cell))
  }
})
