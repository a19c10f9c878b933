import path from 'node:path'
import t from 'tap'
import { readSkills } from '../../src/mcp/prompts.ts'

t.test('each shipped skill describes its purpose and its arguments', t => {
  const skills = readSkills(path.resolve('src/mcp/skills'))
  t.same(
    skills.map(({ name }) => name),
    ['compare-models', 'delegate-to-local', 'search-before-reading'],
  )
  for (const { name, description, arguments: described, text } of skills) {
    t.ok(description.length > 20, `${name} is described`)
    for (const argument of Object.keys(described)) t.ok(text.includes(`{{${argument}}}`), `${name} uses ${argument}`)
  }
  t.end()
})

t.test('an invalid skill file is named at the start', t => {
  const folder = t.testdir({
    headless: { 'a.md': 'Just text.' },
    open: { 'b.md': '---\ndescription: B.\n---\nDo {{it}}.' },
  })
  t.throws(() => readSkills(path.join(folder, 'headless')), { message: /Skill a has no front matter/ })
  t.throws(() => readSkills(path.join(folder, 'open')), { message: /Skill b uses \{\{it\}\} without describing it/ })
  t.end()
})
