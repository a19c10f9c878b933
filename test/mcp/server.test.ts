import Fastify from 'fastify'
import t from 'tap'
import { mountMcp } from '../../src/mcp/http.ts'
import { createMonitoring } from '../../src/mcp/monitoring.ts'
import { selectTools } from '../../src/mcp/select-tools.ts'
import { shopOperations } from '../operations/bare-operations.ts'
import { agentKinds } from './agents.ts'
import { openShopMcp } from './bare-mcp.ts'

for (const { name, revision, connect } of agentKinds) {
  t.test(name, async t => {
    const { shop, factory, bus } = openShopMcp()
    const app = Fastify({ forceCloseConnections: true })
    mountMcp(app, { factory, bus })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    t.teardown(() => app.close())
    const agent = await connect(t, { url: `${url}/mcp`, stdio: { script: 'test/mcp/bare-stdio.ts' } })
    t.equal(agent.revision, revision)

    await t.test('each operation is a tool with both schemas and the annotations of its effect', async t => {
      const tools = await agent.listTools()
      t.same(
        tools.map(({ name }) => name),
        ['list_items', 'buy_item', 'fetch_abacus', 'wait', 'break_down', 'forget_field'],
      )
      t.match(tools[0], {
        annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
        inputSchema: { properties: { limit: { type: 'integer', minimum: 1, maximum: 10 } } },
        outputSchema: { properties: { items: { type: 'array' } } },
      })
      t.match(tools[1], { annotations: { readOnlyHint: false, idempotentHint: false, openWorldHint: true } })
      t.match(tools[4], { annotations: { destructiveHint: true } })
    })

    await t.test('a result comes structured and as the same text; a failure as text alone', async t => {
      const { content, structuredContent, isError } = await agent.callTool('list_items', { limit: 1 })
      t.same(structuredContent, { items: [{ id: 'pear', price: 2 }] })
      t.same(JSON.parse(content[0]?.text ?? ''), structuredContent)
      t.not(isError, true)
      const failed = await agent.callTool('buy_item', { id: 'sold_out' })
      t.equal(failed.isError, true)
      t.equal(failed.structuredContent, undefined)
      t.match(failed.content[0]?.text, 'queue_full: All sold out. Try again in 7 s.')
      const broken = await agent.callTool('break_down')
      t.match(broken.content[0]?.text, /^internal: Internal error; see the Signalbox log/)
      const wrong = await agent.callTool('list_items', { limit: 'many' })
      t.match(wrong, { isError: true, content: [{ text: /limit/ }] })
    })

    await t.test(
      'a tool whose backend is missing is not listed, and its client is notified when it appears',
      async t => {
        t.notOk((await agent.listTools()).some(({ name }) => name === 'count_to'))
        t.notOk((await agent.listResources()).includes('shop://beads'))
        const { changed } = await agent.watchTools()
        await agent.callTool('fetch_abacus')
        await changed
        t.ok((await agent.listTools()).some(({ name }) => name === 'count_to'))
        t.same(await agent.read('shop://beads'), { counted: 2 })
      },
    )

    await t.test('of progress the first arrives at once and the newest a second later, before the result', async t => {
      await agent.callTool('fetch_abacus')
      const steps: number[] = []
      // The result waits for a purchase: clients drop the last steps of a call when they arrive together with its result.
      const onprogress = ({ progress }: { progress: number }) => {
        steps.push(progress)
        if (progress === 20) void agent.callTool('buy_item', { id: 'fig' })
      }
      const result = await agent.callTool('count_to', { number: 20, until_bought: true }, { onprogress })
      t.same(result.structuredContent, { counted: 20 })
      t.same(steps, [1, 20])
    })

    await t.test('cancelling a call reaches the operation, in every revision', async t => {
      const controller = new AbortController()
      const call = agent.callTool('wait', {}, { signal: controller.signal })
      if (name.includes('stdio')) {
        // The shop is in a child process. Its only sign is that the client hears the end of its own call.
        setTimeout(() => {
          controller.abort()
        }, 50)
        await t.rejects(call)
        return
      }
      await shop.waiting
      controller.abort()
      await t.rejects(call)
      await shop.aborted
    })

    await t.test('resources and templates are read, completed and watched', async t => {
      t.same(await agent.listResources(), ['shop://items', 'shop://beads'])
      t.same(await agent.listTemplates(), ['shop://item/{id}'])
      t.match(await agent.read('shop://items'), { items: [{ id: 'pear' }, { id: 'fig' }] })
      t.match(await agent.read('shop://item/pear'), { id: 'pear' })
      t.same(await agent.complete('shop://item/{id}', 'id', 'p'), ['pear'])
      await t.rejects(agent.read('shop://item/no/such%20thing'), { message: /There is no no\/such thing here/ })
      const { changed } = await agent.watchResource('shop://items')
      await agent.callTool('buy_item', { id: 'fig' })
      await changed
    })

    await t.test('skills are prompts with their arguments filled in', async t => {
      t.same(await agent.listPrompts(), ['shop-well'])
      t.equal(await agent.getPrompt('shop-well', { item: 'a fig' }), 'Look first, then buy a fig.')
    })
  })
}

t.test('_meta says where to monitor: with started work, else every half hour', t => {
  let now = 0
  const monitoring = createMonitoring({ url: () => 'http://127.0.0.1:3001', now: () => now })
  const [read, spend] = shopOperations
  t.match(monitoring.metaFor(read!), { _server_reminder: { kind: 'monitoring-reminder', lastCheckedAt: 0 } })
  t.equal(monitoring.metaFor(read!), undefined)
  t.same(Object.keys(monitoring.metaFor(spend!) ?? {}), ['monitoring'])
  t.match(monitoring.metaFor(spend!), { monitoring: { websocketUrl: 'ws://127.0.0.1:3001/ws' } })
  now = 30 * 60_000
  t.match(monitoring.metaFor(read!), { _server_reminder: { monitoringUrl: 'http://127.0.0.1:3001' } })
  t.end()
})

t.test('SIGNALBOX_TOOLS limits the listed tools', t => {
  const names = (selection: string) => selectTools(selection, shopOperations).map(({ name }) => name)
  t.same(names('core'), ['list_items'])
  t.same(names('wait, buy_item'), ['buy_item', 'wait'])
  t.same(names('all').length, shopOperations.length)
  t.throws(() => names('wait,nothing'), { name: 'ConfigError', message: /no tool named nothing/ })
  t.end()
})
