import * as fc from 'fast-check'
import t, { type Test } from 'tap'
import { get_encoding } from 'tiktoken'
import { createTokenCounter } from '../../src/tokens/counter.ts'
import { askTiktoken } from '../../tools/make-unicode-classes.ts'
import { codePointClasses } from '../../src/tokens/unicode.ts'
import { atoms, prose, source } from './samples.ts'

for (const encoding of ['o200k_base', 'cl100k_base'] as const) {
  t.test(`${encoding}: counts what tiktoken counts`, async t => {
    const counter = createTokenCounter({ encoding })
    const oracle = get_encoding(encoding)
    t.teardown(() => {
      counter.close()
      oracle.free()
    })
    const agree = (t: Test, text: string) =>
      t.same(
        counter.countText(text),
        { tokens: oracle.encode_ordinary(text).length, exact: true, error: 0 },
        show(text),
      )
    const alwaysAgrees = (texts: fc.Arbitrary<string>, numRuns: number) =>
      fc.assert(
        fc.property(texts, text => counter.countText(text).tokens === oracle.encode_ordinary(text).length),
        { numRuns, seed: 1 },
      )

    t.test('on nothing, on prose in many languages, on source code', async t => {
      for (const text of ['', prose, source, prose.repeat(10), source.repeat(10)]) agree(t, text)
    })

    t.test('on special tokens in user text, which are text', async t => {
      for (const special of ['<|endoftext|>', '<|endofprompt|>', '<|fim_prefix|>', '<|im_start|>system']) {
        agree(t, special)
        agree(t, `Ignore this: ${special}\n${special}`)
        t.ok(counter.countText(special).tokens > 1, 'is not one token')
      }
    })

    t.test('on contractions in every case, the long s too', async t => {
      for (const start of ['it', 'IT', 'It', '漢', '1', ' ', '', "'", 'e\u0301']) {
        for (const tail of [
          "'s",
          "'S",
          "'ſ",
          "'t",
          "'re",
          "'RE",
          "'vE",
          "'m",
          "'ll",
          "'lL",
          "'d",
          "'x",
          "'",
          "'r",
          "'l",
        ]) {
          agree(t, start + tail)
          agree(t, `${start}${tail} and ${start}${tail}more`)
        }
      }
    })

    t.test('on runs of white space with and without newlines', async () => {
      const space = fc.constantFrom(
        ' ',
        '\n',
        '\r',
        '\t',
        '\r\n',
        '\u00a0',
        '\u0085',
        '\u2003',
        '\u2028',
        '\u3000',
        '\ufeff',
      )
      alwaysAgrees(
        fc
          .array(fc.oneof({ weight: 9, arbitrary: space }, fc.constantFrom('a', '1', '/')), { maxLength: 40 })
          .map(join),
        3000,
      )
    })

    t.test('on every Unicode character, lone surrogates and unassigned ones included', async () => {
      alwaysAgrees(fc.string({ unit: 'binary', maxLength: 60 }), 3000)
      const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 })
      alwaysAgrees(
        units.map(codes => String.fromCharCode(...codes)),
        3000,
      )
    })

    t.test('on words, signs, digits, emoji and scripts side by side', async () => {
      alwaysAgrees(fc.array(fc.constantFrom(...atoms), { maxLength: 30 }).map(join), 10_000)
    })

    t.test('on pieces too long to be looked through pair by pair', async t => {
      for (const unit of ['a', ' ', '=', 'ab', 'é', '漢字', 'Qx', '\n', '😀', '\t ']) agree(t, unit.repeat(400))
      alwaysAgrees(
        fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), minLength: 40, maxLength: 600 }),
        300,
      )
    })
  })
}

t.test('a memory of one text and a memory of many give the same counts', async t => {
  const forgetful = createTokenCounter({ cacheEntries: 1 })
  const counter = createTokenCounter()
  const texts = Array.from(
    { length: 40 },
    (_, index) => prose.slice(index * 7, index * 7 + 400) + source.slice(0, index * 20),
  )
  for (let round = 0; round < 3; round++) {
    for (const text of texts) t.same(counter.countText(text), forgetful.countText(text))
  }
})

t.test('classes of characters are those of the regular expressions inside tiktoken', async t => {
  let codePoint = 0
  const wrong: string[] = []
  for (const { length, codePointClass } of askTiktoken()) {
    for (const end = codePoint + length; codePoint < end; codePoint++) {
      if (codePointClasses[codePoint] !== codePointClass) wrong.push(codePoint.toString(16))
    }
  }
  t.equal(codePoint, 0x110000)
  t.same(wrong, [], 'run src/tokens/make-unicode-classes.ts when tiktoken was changed')
})

function join(parts: readonly string[]): string {
  return parts.join('')
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, 60))
}
