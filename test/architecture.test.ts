import path from 'node:path'
import t from 'tap'
import { importProblems } from '../tools/check/imports.ts'

t.test('a file imports only from its own folder and from the layers below it', async t => {
  t.strictSame(importProblems(path.resolve(import.meta.dirname, '..')), [])
})
