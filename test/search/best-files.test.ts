import { array, assert, asyncProperty, constantFrom, integer, record, uniqueArray } from 'fast-check'
import t from 'tap'
import { startSearch } from '../helpers/search.ts'

const word = constantFrom('gauge', 'ledger', 'relay', 'beacon', 'timer', 'queue', 'add', 'test', 'token')
// Long enough for several chunks, few enough words for every file to be rivalled by many.
const lines = array(array(word, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 90 })
const file = record({ directory: word, name: word, ending: constantFrom('.ts', '.md', '.test.ts', '.json'), lines })

t.test('the best files equal the top of an exhaustive ranking', async t => {
  const cases = record({
    files: uniqueArray(file, {
      minLength: 5,
      maxLength: 40,
      selector: each => `${each.directory}/${each.name}${each.ending}`,
    }),
    queries: array(array(word, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 }),
    limit: integer({ min: 1, max: 6 }),
  })
  await assert(
    asyncProperty(cases, async ({ files, queries, limit }) => {
      const project = files.map(each => {
        const text = each.lines.map(words => `${words.join(' ')}\n`).join('')
        return [`${each.directory}/${each.name}${each.ending}`, text] as const
      })
      const { init, ask, search } = startSearch(t, Object.fromEntries(project))
      await init()
      for (const words of queries) {
        // With room for every file none is passed over, so that this is the exhaustive ranking.
        const all = await ask(words.join(' '), { limit: 100 })
        const few = await ask(words.join(' '), { limit })
        t.strictSame(few.hits, all.hits.slice(0, limit))
        const scores = all.hits.map(hit => hit.score)
        t.strictSame(
          scores,
          scores.toSorted((a, b) => b - a),
        )
        for (const filter of ['lang:ts', 'symbol:gauge']) {
          const filtered = await ask(`${words.join(' ')} ${filter}`, { limit: 100 })
          t.strictSame((await ask(`${words.join(' ')} ${filter}`, { limit })).hits, filtered.hits.slice(0, limit))
        }
      }
      await search.close()
    }),
    { numRuns: 25 },
  )
})
