import { InMemoryServerEventBus } from '@modelcontextprotocol/server'
import { inProcessClient } from '../../src/operations/client.ts'
import { createMonitoring } from '../../src/mcp/monitoring.ts'
import type { ResourceDefinition } from '../../src/mcp/resources.ts'
import { createMcpFactory, type McpParts } from '../../src/mcp/server.ts'
import { openShop, shopOperations } from '../operations/bare-operations.ts'

const items: ResourceDefinition = {
  uri: 'shop://items',
  name: 'items',
  description: 'All items.',
  read: ask => ask('list_items'),
}

const item: ResourceDefinition = {
  uri: 'shop://item/{id}',
  name: 'item',
  description: 'One item.',
  read: (ask, { id }) => ask('buy_item', { id }),
  complete: {
    id: async ask => ((await ask('list_items'))['items'] as { id: string }[]).map(({ id }) => id),
  },
}

const beads: ResourceDefinition = {
  uri: 'shop://beads',
  name: 'beads',
  description: 'What the abacus shows.',
  needs: 'abacus',
  read: ask => ask('count_to', { number: 2 }),
}

/** The shop as an MCP server, with a backend that comes when `fetch_abacus` is called. */
export function openShopMcp(options: Partial<McpParts> = {}) {
  const shop = openShop()
  const backends = new Set<string>()
  const bus = new InMemoryServerEventBus()
  shop.onAbacus = () => {
    backends.add('abacus')
    bus.publish({ kind: 'tools_list_changed' })
    bus.publish({ kind: 'resources_list_changed' })
  }
  shop.onItems = () => {
    bus.publish({ kind: 'resource_updated', uri: 'shop://items' })
  }
  const factory = createMcpFactory({
    version: '0.0.0',
    operations: shopOperations,
    client: inProcessClient(shopOperations, shop),
    resources: [items, item, beads],
    skills: [
      {
        name: 'shop-well',
        description: 'How to shop.',
        arguments: { item: 'What to buy.' },
        text: 'Look first, then buy {{item}}.',
      },
    ],
    backends: () => backends,
    monitoring: createMonitoring({ url: () => 'http://127.0.0.1:3001', now: () => 0 }),
    bus,
    ...options,
  })
  return { shop, factory, bus }
}
