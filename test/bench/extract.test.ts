import t from 'tap'
import { answerFrom, codeFrom, jsonFrom, lineFrom, withoutReasoning } from '../../src/bench/extract.ts'
import { applyDiff, applySearchReplace, changedLines } from '../../src/bench/patch.ts'

t.test('reasoning is not part of an answer, closed or not', async t => {
  t.equal(withoutReasoning('<think>hm</think>\n42'), '42')
  t.equal(withoutReasoning('hm, so\n</think>\n42'), '42')
  t.equal(withoutReasoning('no thoughts'), 'no thoughts')
})

t.test('code is found among prose, usage examples and unclosed fences', async t => {
  const reply =
    'First try:\n```js\nfunction f() { return 1 }\n```\nBetter:\n```js\nfunction f() { return 2 }\n```\nUse it:\n```js\nf()\n```'
  t.equal(codeFrom(reply, ['js'], /function f\b/), 'function f() { return 2 }')
  t.equal(codeFrom('```python\ndef f(): pass', ['python']), 'def f(): pass')
  t.equal(codeFrom('def f(): pass', ['python']), 'def f(): pass')
  t.equal(codeFrom('```sh\nls\n```', ['python']), '')
  t.equal(codeFrom('````md\n```js\nx\n```\n````', ['md']), '```js\nx\n```')
})

t.test('JSON is found bare, fenced or in prose, and nothing is invented', async t => {
  t.strictSame(jsonFrom('{"a": 1}'), { a: 1 })
  t.strictSame(jsonFrom('Sure:\n```json\n[1, 2]\n```'), [1, 2])
  t.strictSame(jsonFrom('It is {"a": "}"} as asked.'), { a: '}' })
  t.equal(jsonFrom('It is {a: 1}.'), undefined)
  t.equal(jsonFrom(''), undefined)
})

t.test('a line of code is found in its fence, in backticks or bare', async t => {
  t.equal(lineFrom('```sh\n$ ls -l\n```'), 'ls -l')
  t.equal(lineFrom('Use `ls -l` here.'), 'ls -l')
  t.equal(lineFrom('/a`b/g'), '/a`b/g')
})

t.test('the last answer counts, without its decoration', async t => {
  t.equal(answerFrom('Answer: 3\nNo, wait.\n**Answer:** 4.'), '4')
  t.equal(answerFrom('The answer is 12 apples'), '12 apples')
  t.equal(answerFrom('so \\boxed{49/36}'), '49/36')
  t.equal(answerFrom('Friday'), 'Friday')
  t.equal(answerFrom('I have no idea what to say\nabout that'), undefined)
})

const file = 'one\ntwo\nthree\ntwo\nfour\n'

t.test('search and replace requires text that occurs exactly once', async t => {
  const block = (search: string, replace: string) => `<<<<<<< SEARCH\n${search}=======\n${replace}>>>>>>> REPLACE`
  t.equal(applySearchReplace(file, block('three\n', 'drei\n')).text, 'one\ntwo\ndrei\ntwo\nfour\n')
  t.equal(applySearchReplace(file, `Here:\n\n\`\`\`\n${block('one\n', '')}\n\`\`\``).text, 'two\nthree\ntwo\nfour\n')
  t.match(applySearchReplace(file, block('two\n', 'x\n')), { problem: /found 2 times/ })
  t.match(applySearchReplace(file, block('five\n', 'x\n')), { problem: /not found/ })
  t.match(applySearchReplace(file, block('', 'x\n')), { problem: /where it belongs/ })
  t.match(applySearchReplace(file, 'replace three by drei'), { problem: /no search/ })
})

t.test('a diff applies by its context, whatever its line numbers say', async t => {
  const diff = '```diff\n--- a/f\n+++ b/f\n@@ -99,9 +1,1 @@\n three\n-two\n+zwei\n four\n```'
  t.equal(applyDiff(file, diff).text, 'one\ntwo\nthree\nzwei\nfour\n')
  t.equal(applyDiff(file, '@@\n-one\n+eins\n@@\n-four\n+vier').text, 'eins\ntwo\nthree\ntwo\nvier\n')
  t.match(applyDiff(file, '@@\n-two\n+zwei'), { problem: /found 2 times/ })
  t.match(applyDiff(file, '@@\n-one\nzwei'), { problem: /no sign/ })
  t.match(applyDiff(file, 'change one to eins'), { problem: /no diff/ })
})

t.test('changed lines count what was added and removed', async t => {
  t.equal(changedLines(file, file), 0)
  t.equal(changedLines(file, 'one\ntwo\nthree\n2\nfour\n'), 2)
  t.equal(changedLines(file, 'zero\none\ntwo\nthree\ntwo\nfour\n'), 1)
})
