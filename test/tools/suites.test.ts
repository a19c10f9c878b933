import t from 'tap'
import { selfCheckRows } from '../../tools/bench/suites.ts'
import { labelledAnswers } from '../../tools/bench/suites/labelled.ts'
import { openSandbox } from '../../src/bench/sandbox/sandbox.ts'
import { suites } from '../../src/bench/suites/index.ts'
import { sealChildren } from '../bench/sealed-children.ts'

sealChildren()

t.test('every reference passes, every wrong answer fails, and no labelled answer is misjudged', async t => {
  const sandbox = openSandbox()
  t.teardown(() => sandbox.close())
  const { rows, complaints } = await selfCheckRows(suites, sandbox)
  t.strictSame(complaints, [])
  t.strictSame(
    rows.map(({ name }) => name),
    ['tasks', 'reference_failures', 'wrong_passes', 'labelled_errors'],
  )
})

t.test('sixty answers are labelled: correct, subtly wrong, and junk with the right keywords', async t => {
  const kinds = Map.groupBy(labelledAnswers, ({ kind }) => kind)
  t.strictSame(
    [...kinds].map(([kind, answers]) => [kind, answers.length]),
    [
      ['correct', 20],
      ['subtly wrong', 20],
      ['junk', 20],
    ],
  )
})

t.test('every category has at least fifteen tasks over three difficulties, with unique names', async t => {
  for (const { name, tasks } of suites) {
    t.ok(tasks.length >= 15, `${name} has ${tasks.length} tasks`)
    t.same(new Set(tasks.map(({ difficulty }) => difficulty)), new Set(['easy', 'medium', 'hard']), name)
    t.ok(
      tasks.every(({ id }) => id.startsWith(`${name}/`)),
      `tasks of ${name} carry its name`,
    )
  }
  const ids = suites.flatMap(({ tasks }) => tasks.map(({ id }) => id))
  t.equal(new Set(ids).size, ids.length)
})

t.test('an apology, an empty reply and a reply without content fail every task', async t => {
  const sandbox = openSandbox()
  t.teardown(() => sandbox.close())
  const offline = suites.filter(
    ({ name }) => !['python', 'sql', 'javascript', 'test-writing', 'bug-fixing'].includes(name),
  )
  for (const task of offline.flatMap(({ tasks }) => tasks)) {
    for (const content of ['I am sorry, I cannot help with that. What do you mean by this?', '', null]) {
      // Where the right thing is to ask back, asking back is no junk.
      if (task.id === 'tool-calls/missing-argument' && content?.includes('?')) continue
      t.notOk((await task.check({ content }, sandbox)).passed, `${task.id}: ${content}`)
    }
  }
})
