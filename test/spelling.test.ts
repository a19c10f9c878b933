import t from 'tap'
import { editDistance, nearestNames } from '../src/spelling.ts'

t.test('an edit inserts, deletes, replaces or swaps letters', async t => {
  for (const [a, b, edits] of [
    ['same', 'same', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['form', 'from', 1],
    ['ab', 'ba', 1],
    ['abcd', 'badc', 3],
    ['abc', 'cab', 2],
    ['word', 'words', 1],
  ] as const) {
    t.equal(editDistance(a, b), edits, `${a} ${b}`)
    t.equal(editDistance(b, a), edits, `${b} ${a}`)
  }
})

t.test('nearest names are similar ones and those that contain the name, likeliest first', async t => {
  const names = ['ollama/qwen3:8b', 'ollama/qwen3:14b', 'openrouter/qwen/qwen3-coder:free', 'ollama/llama3.1:8b']
  t.same(nearestNames('qwen3:8', names, 5).slice(0, 1), ['ollama/qwen3:8b'])
  t.same(nearestNames('ollama/qwne3:8b', names, 1), ['ollama/qwen3:8b'])
  t.same(nearestNames('coder', names, 5), ['openrouter/qwen/qwen3-coder:free'])
  t.same(nearestNames('LLAMA3.1', names, 1), ['ollama/llama3.1:8b'])
  t.same(nearestNames('gpt-4o', names, 5), [])
  t.same(nearestNames('', names, 5), [])
})
