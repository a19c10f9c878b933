import t, { type Test } from 'tap'
import { operations } from '../../src/operations/index.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'
import { agentKinds } from '../mcp/agents.ts'

const twoKeys = 'alice=a-key,bob=b-key'
const administrative = operations.filter(({ access }) => access === 'admin').map(({ name }) => name)

t.test('what changes the service, or spends on its account, is for administrators', async t => {
  t.same(administrative.sort(), [
    'benchmark_free_models',
    'benchmark_model',
    'benchmark_task',
    'benchmark_tasks',
    'clear_openrouter_tracking',
    'create_api_key',
    'delete_budget',
    'list_api_keys',
    'reconcile_usage',
    'refresh_prices',
    'reload_config',
    'retriv_init',
    'revoke_api_key',
    'rotate_api_key',
    'set_budget',
    'set_model_prompting_strategy',
    'update_server',
  ])
})

t.test('a key of several is refused every administrative operation, and told which setting is missing', async t => {
  const { call } = await setUp(t, { SIGNALBOX_API_KEY: twoKeys })
  for (const name of administrative) {
    t.match(await call(name, 'b-key'), { status: 403, json: { error: { message: /SIGNALBOX_ADMIN_KEY/ } } }, name)
  }
  t.match(await call('status', 'b-key'), { status: 200 }, 'and may do everything else')
})

t.test('an administrator’s key may administer, and other keys may not', async t => {
  const { call } = await setUp(t, { SIGNALBOX_API_KEY: 'alice=a-key', SIGNALBOX_ADMIN_KEY: 'root=r-key' })
  t.match(await call('reload_config', 'a-key'), { status: 403, json: { error: { code: 'forbidden' } } })
  t.match(await call('reload_config', 'r-key'), { status: 200, json: { changed: [] } })
  t.match(await call('reload_config', 'x-key'), { status: 401 })
})

t.test('the only key, and everybody where there is none, may administer', async t => {
  const single = await setUp(t, { SIGNALBOX_API_KEY: 'alice=a-key' })
  t.match(await single.call('reload_config', 'a-key'), { status: 200 })
  const open = await setUp(t, {})
  t.match(await open.call('reload_config'), { status: 200 })
})

t.test('an administrator’s key alone keeps everybody else out', async t => {
  const { call } = await setUp(t, { SIGNALBOX_ADMIN_KEY: 'r-key' })
  t.match(await call('status'), { status: 401 })
  t.match(await call('reload_config', 'r-key'), { status: 200 })
})

t.test('a key without a name may end in the signs that base64 ends in', async t => {
  const { call } = await setUp(t, { SIGNALBOX_API_KEY: 'c2VjcmV0MQ==' })
  t.match(await call('status', 'c2VjcmV0MQ=='), { status: 200 })
  t.match(await call('status', '='), { status: 401 })
})

t.test('over MCP the same keys are refused the same operations', async t => {
  const { url } = await setUp(t, { SIGNALBOX_API_KEY: twoKeys, SIGNALBOX_ADMIN_KEY: 'root=r-key' })
  for (const { name, connect } of agentKinds.filter(each => each.name.includes('HTTP'))) {
    const targets = { url: `${url}/mcp`, stdio: { script: '' } }
    const bob = await connect(t, { ...targets, token: 'b-key' })
    const shown = (await bob.listTools()).map(tool => tool.name)
    t.strictSame(
      shown.filter(tool => administrative.includes(tool)),
      [],
      `${name} lists none of them`,
    )
    t.ok(shown.includes('status'))
    await t.rejects(bob.callTool('reload_config'), /reload_config/, name)
    const root = await connect(t, { ...targets, token: 'r-key' })
    t.ok((await root.listTools()).some(tool => tool.name === 'reload_config'))
    t.match(await root.callTool('reload_config'), { structuredContent: { changed: [] } }, name)
  }
})

t.test('usage is a key’s own, and an administrator’s report has everybody’s', async t => {
  const { gateway, call } = await setUp(t, { SIGNALBOX_API_KEY: twoKeys, SIGNALBOX_ADMIN_KEY: 'root=r-key' })
  await gateway.ask({}, bearer('a-key'))
  await gateway.ask({}, bearer('a-key'))
  await gateway.ask({}, bearer('b-key'))
  const usage = async (key: string) => {
    const response = await fetch(`${gateway.url}/v1/usage?group_by=key`, bearer(key))
    const { rows } = (await response.json()) as { rows: { group: { key: string }; requests: number }[] }
    return rows.map(({ group, requests }) => `${group.key}: ${requests}`).sort()
  }
  t.same(await usage('a-key'), ['alice: 2'])
  t.same(await usage('b-key'), ['bob: 1'])
  t.same(await usage('r-key'), ['alice: 2', 'bob: 1'])
  t.match(await call('cost', 'b-key'), { json: { total: { requests: 1 } } })
  t.match(await call('get_system_state', 'a-key'), { json: { today: { requests: 2 } } })
  t.match(await call('cost', 'r-key'), { json: { total: { requests: 3 } } })
})

async function setUp(t: Test, variables: Record<string, string>) {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, { ...variablesFor(local), ...variables })
  return {
    gateway,
    url: gateway.url,
    call: async (name: string, key?: string) => {
      const response = await fetch(`${gateway.url}/admin/${name}`, {
        method: 'POST',
        body: '{}',
        ...(key !== undefined && bearer(key)),
      })
      return { status: response.status, json: await response.json() }
    },
  }
}

function bearer(key: string) {
  return { headers: { authorization: `Bearer ${key}` } }
}
