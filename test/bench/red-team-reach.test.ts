import t from 'tap'
import { checkAims } from './red-team/check.ts'
import { redTeam } from './red-team/index.ts'
import { needs } from './red-team/needs.ts'

const sandbox = await checkAims(['bridges to the host', 'files', 'network, processes and environment', 'outcomes'])

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
