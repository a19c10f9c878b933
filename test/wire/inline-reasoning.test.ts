import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import type { TextSegment } from '../../src/wire/inline-calls/text-reader.ts'
import { startsInReasoning, createInlineReasoningReader } from '../../src/wire/inline-calls/reasoning-reader.ts'
import { cuts } from './answers.ts'

function read(text: string, { within = false, cut = () => text.length, whole = true } = {}) {
  const reader = createInlineReasoningReader(within)
  const meant: TextSegment[] = []
  for (let index = 0; index < text.length;) {
    const length = Math.max(1, cut())
    meant.push(...reader.push(text.slice(index, index + length)))
    index += length
  }
  meant.push(...reader.end(whole))
  return {
    reasoning: meant.map(each => ('reasoning' in each ? each.reasoning : '')).join(''),
    content: meant.map(each => ('content' in each ? each.content : '')).join(''),
  }
}

const words = fc.string({ unit: 'grapheme' }).filter(text => !/<\/?think>|\[\/?THINK\]/.test(text))

t.test('reasoning at the start is separated from the answer, wherever the text is split', async () => {
  const tags = fc.constantFrom(
    { opening: '<think>\n', closing: '\n</think>\n\n', within: false },
    { opening: '[THINK]', closing: '[/THINK]', within: false },
    { opening: '', closing: '\n</think>\n', within: true },
    { opening: '<think>', closing: '</think>', within: true },
  )
  fc.assert(
    fc.property(tags, words, words, cuts, ({ opening, closing, within }, thought, answer, cut) => {
      const partial = /<[a-z/]*$|\[[A-Z/]*$/
      fc.pre(!partial.test(thought) && !/^\s*[<[]/.test(thought))
      const { reasoning, content } = read(opening + thought + closing + answer, { within, cut })
      assert.equal(reasoning, thought.trim())
      assert.equal(content, answer.trimStart())
    }),
  )
})

t.test('an answer that does not start with reasoning is unchanged, including tags', async () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(words, fc.constantFrom('<think>', '</think>', '`<think>`'))), cuts, (parts, cut) => {
      const text = parts.join('')
      fc.pre(!/^\s*(<think>|\[THINK\])/.test(text))
      assert.deepEqual(read(text, { cut }), { reasoning: '', content: text })
    }),
  )
})

t.test('empty reasoning is ignored', async t => {
  t.same(read('<think>\n\n</think>\n\nHello'), { reasoning: '', content: 'Hello' })
})

t.test('truncated reasoning is still reasoning', async t => {
  t.same(read('<think>I wonder </th', { whole: false }), { reasoning: 'I wonder </th', content: '' })
  t.same(read('I wonder', { within: true, whole: false }), { reasoning: 'I wonder', content: '' })
})

t.test('a model expected to reason may answer directly', async t => {
  t.equal(read('Four.', { within: true }).content, 'Four.')
})

t.test('text of a server that separates reasoning itself is unchanged', async t => {
  const reader = createInlineReasoningReader(true)
  t.same(reader.served('reasoning'), [])
  t.same(reader.push('Four </think>'), [{ content: 'Four </think>' }])
  t.ok(reader.settled())
})

t.test('models whose template opens the reasoning are recognized by name', async t => {
  for (const name of ['qwq-32b', 'DeepSeek-R1-Distill-Qwen-7B-GGUF', 'qwen3-30b-a3b-thinking-2507', 'qwq:latest']) {
    t.ok(startsInReasoning(name), name)
  }
  for (const name of ['qwen3-coder-30b', 'deepseek-v3', 'gpt-oss-20b', 'phi-non-thinking'])
    t.notOk(startsInReasoning(name), name)
})
