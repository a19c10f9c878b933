import * as fc from 'fast-check'
import t from 'tap'
import { createLineSplitter } from '../../src/wire/ndjson.ts'

t.test('lines are the same however the network splits them', async t => {
  const line = fc.string({ unit: 'grapheme', minLength: 1 }).filter(text => text.trim() !== '' && !/[\r\n]/.test(text))
  fc.assert(
    fc.property(fc.array(line), fc.integer({ min: 1, max: 9 }), fc.boolean(), (lines, size, ended) => {
      const bytes = Buffer.from(lines.join('\n') + (ended ? '\r\n' : ''))
      const splitter = createLineSplitter()
      const read: string[] = []
      for (let index = 0; index < bytes.length; index += size)
        read.push(...splitter.push(bytes.subarray(index, index + size)))
      read.push(...splitter.end())
      t.same(read, lines)
    }),
    { numRuns: 100, seed: 1 },
  )
})

t.test('an endless line is not buffered forever', async t => {
  const splitter = createLineSplitter()
  const megabyte = Buffer.alloc(1024 * 1024, 'x')
  t.throws(
    () => {
      for (let count = 0; count < 20; count++) splitter.push(megabyte)
    },
    { code: 'upstream_error' },
  )
})
