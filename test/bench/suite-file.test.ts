import { writeFileSync } from 'node:fs'
import t from 'tap'
import { openSandbox } from '../../src/bench/sandbox/sandbox.ts'
import { suiteFromFile } from '../../src/bench/suites/file.ts'
import { sealChildren } from './sealed-children.ts'

sealChildren()

const humanEval = {
  task_id: 'Own/0',
  prompt:
    'from typing import List\n\n\ndef largest_gap(values: List[int]) -> int:\n    """The largest difference between neighbours of the sorted list, 0 for short lists."""\n',
  entry_point: 'largest_gap',
  canonical_solution:
    '    values = sorted(values)\n    return max((b - a for a, b in zip(values, values[1:])), default=0)\n',
  test: 'def check(candidate):\n    assert candidate([1, 9, 3]) == 6\n    assert candidate([]) == 0\n',
}
const mbpp = {
  task_id: 7,
  text: 'Write a function to count the vowels of a text.',
  code: 'def count_vowels(text):\n    return sum(letter in "aeiou" for letter in text.lower())',
  test_setup_code: '',
  test_list: ['assert count_vowels("Oar") == 2', 'assert count_vowels("") == 0'],
}

t.test('HumanEval and MBPP lines become tasks whose own solution passes', async t => {
  const sandbox = openSandbox()
  t.teardown(() => sandbox.close())
  const file = `${t.testdir()}/own.jsonl`
  writeFileSync(file, [humanEval, mbpp].map(row => JSON.stringify(row)).join('\n'))
  const suite = suiteFromFile(file)
  t.match(suite, { name: 'own', tasks: [{ id: 'own/Own/0' }, { id: 'own/7' }] })
  for (const task of suite.tasks) {
    t.match(await task.check(task.reference, sandbox), { passed: true }, `${task.id}: its solution`)
    t.notOk((await task.check(task.wrong, sandbox)).passed, `${task.id}: a wrong one`)
    t.notOk(
      (await task.check({ content: 'import sys\nsys.exit(0)' }, sandbox)).passed,
      `${task.id}: an exit is no pass`,
    )
    t.notOk((await task.check({ content: '' }, sandbox)).passed, `${task.id}: nothing`)
  }
  const [first] = suite.tasks
  const body = { content: `\`\`\`python\n${humanEval.canonical_solution}\`\`\`` }
  t.match(await first!.check(body, sandbox), { passed: true }, 'a body alone completes the prompt')
})

t.test('a file of another format is rejected with its line number', async t => {
  const file = `${t.testdir()}/odd.jsonl`
  writeFileSync(file, `${JSON.stringify(mbpp)}\n{"task_id": 1}\n`)
  t.throws(() => suiteFromFile(file), { code: 'invalid_request', message: /odd\.jsonl:2 is neither/ })
  writeFileSync(file, 'x')
  t.throws(() => suiteFromFile(file), { message: /:1 is not valid JSON/ })
  t.throws(() => suiteFromFile('/nowhere.jsonl'), { message: /Cannot read the suite file/ })
})
