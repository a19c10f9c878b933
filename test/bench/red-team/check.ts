import t from 'tap'
import { openSandbox, type Sandbox } from '../../../src/bench/sandbox/sandbox.ts'
import { sealChildren } from '../sealed-children.ts'
import { layBait } from './bait.ts'
import { redTeam, type Aim } from './index.ts'
import { putAll } from './try.ts'

/** One test for each aim, and the sandbox that it was put to. */
export async function checkAims(aims: readonly Aim[]): Promise<Sandbox> {
  sealChildren()
  const bait = await layBait()
  const sandbox = openSandbox()
  t.teardown(async () => {
    await sandbox.close()
    await bait.close()
  })
  for (const aim of aims) {
    t.test(`generated code that is after ${aim} reaches nothing`, async t => {
      for (const { attempt, language, escape } of await putAll(redTeam[aim], sandbox, bait))
        t.equal(escape, undefined, `${language}: ${attempt}`)
    })
  }
  return sandbox
}
