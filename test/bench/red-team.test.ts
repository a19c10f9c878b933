import t from 'tap'
import { openSandbox } from '../../src/bench/sandbox/sandbox.ts'
import { layBait } from './red-team/bait.ts'
import { redTeam } from './red-team/index.ts'
import { needs } from './red-team/needs.ts'
import { putAll } from './red-team/try.ts'
import { sealChildren } from './sealed-children.ts'

sealChildren()

const bait = await layBait()
const sandbox = openSandbox()
t.teardown(async () => {
  await sandbox.close()
  await bait.close()
})

for (const [aim, list] of Object.entries(redTeam)) {
  t.test(`generated code that is after ${aim} reaches nothing`, async t => {
    for (const { attempt, language, escape } of await putAll(list, sandbox, bait))
      t.equal(escape, undefined, `${language}: ${attempt}`)
  })
}

t.test('what right answers need goes on working', async t => {
  for (const [language, need, source, value] of needs) {
    const run =
      language === 'sql'
        ? await sandbox.sql({ setup: '', source })
        : await sandbox[language]({ source, cases: ['need()'] })
    t.strictSame(run, { outcomes: [{ value }] }, `${language}: ${need}`)
  }
})

t.test('at least 150 ways out are tried, none twice', async t => {
  const attempts = Object.values(redTeam).flatMap(list => list.map(({ language, attempt }) => `${language} ${attempt}`))
  t.ok(attempts.length >= 150, `${attempts.length} tries`)
  t.equal(new Set(attempts).size, attempts.length)
})
