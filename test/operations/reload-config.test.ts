import t, { type Test } from 'tap'
import type { Config } from '../../src/config/config.ts'
import { coreSettings } from '../../src/config/core-settings.ts'
import { readSettings } from '../../src/config/setting.ts'
import { inProcessClient } from '../../src/operations/client.ts'
import { operations } from '../../src/operations/index.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

t.test('what changed is applied to everything that is running', async t => {
  const { client, write, core } = await startChangeable(t)
  t.equal(core.slotsOf('llama-cpp').limits().slots, 1)
  write({
    PROVIDER_MAX_CONCURRENT_LOCAL: '3',
    TASK_RETENTION_DAYS: '7',
    EXPLORATION_SHARE: '0',
    QUALITY_THRESHOLD: '0',
  })
  t.same(await client.call('reload_config'), { changed: ['PROVIDER_MAX_CONCURRENT_LOCAL', 'TASK_RETENTION_DAYS'] })
  t.equal(core.slotsOf('llama-cpp').limits().slots, 3)
  t.match(await client.call('get_system_state'), { settings: { TASK_RETENTION_DAYS: 7 } })
  t.same(await client.call('reload_config'), { changed: [] })
})

t.test('a change that requires a restart is rejected entirely and names the setting', async t => {
  const { client, write, core } = await startChangeable(t)
  write({ PROVIDER_MAX_CONCURRENT_LOCAL: '3', HOST: 'localhost' })
  await t.rejects(client.call('reload_config'), {
    code: 'conflict',
    message: /HOST can only change at a restart/,
  })
  t.equal(core.slotsOf('llama-cpp').limits().slots, 1)
})

t.test('an invalid setting changes nothing', async t => {
  const { client, write, core } = await startChangeable(t)
  write({ PROVIDER_MAX_CONCURRENT_LOCAL: 'many' })
  await t.rejects(client.call('reload_config'), {
    code: 'invalid_request',
    message: /Nothing was changed\. PROVIDER_MAX_CONCURRENT_LOCAL: /,
  })
  t.equal(core.slotsOf('llama-cpp').limits().slots, 1)
})

t.test('unknown checks change nothing', async t => {
  const { client, write, core } = await startChangeable(t)
  write({ PROVIDER_MAX_CONCURRENT_LOCAL: '3', EXPLORATION_SHARE: '0', VERIFY: 'vibes' })
  await t.rejects(client.call('reload_config'), {
    code: 'invalid_request',
    message: /Nothing was changed\. VERIFY: .*vibes/,
  })
  t.equal(core.slotsOf('llama-cpp').limits().slots, 1)
})

/** A Signalbox whose settings can be written while it runs. */
async function startChangeable(t: Test) {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const { core } = await startGateway(t, variablesFor(local))
  let written: Record<string, string> = {}
  const readConfig = (): Config => {
    const values = readSettings(coreSettings, { ...written, PORT: '0', LOG_LEVEL: 'silent' })
    return { ...core.config(), values }
  }
  const changeable = Object.create(core, { readConfig: { value: readConfig } }) as typeof core
  return {
    core,
    client: inProcessClient(operations, changeable),
    write: (variables: Record<string, string>) => {
      written = variables
    },
  }
}
