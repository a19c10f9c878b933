import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { McpServer } from '@modelcontextprotocol/server'
import type { CardName } from '../operations/operation.ts'

/** Of MCP Apps, revision 2026-01-26. */
const mimeType = 'text/html;profile=mcp-app'
/** What the extension of MCP Apps calls itself in capabilities. */
export const appsExtension = 'io.modelcontextprotocol/ui'

const cards: Readonly<Record<CardName, { title: string; description: string }>> = {
  decision: { title: 'Decision', description: 'Shows which model was chosen, at what cost, and why not the others.' },
  task: { title: 'Task', description: 'Shows the progress of a task and its result.' },
}

const folder = path.resolve(import.meta.dirname, 'cards')
const place = "/* The card's own `render` stands here. */"
const dayMs = 24 * 60 * 60 * 1000

/** In `_meta` of a tool: what shows its result. */
export function cardMeta(name: CardName): Record<string, unknown> {
  return { ui: { resourceUri: cardUri(name) } }
}

/** Registers cards: pages in which a client with a display shows the results of tools. They load nothing from elsewhere. */
export function registerCards(server: McpServer, names: ReadonlySet<CardName>): void {
  for (const name of names) {
    const { title, description } = cards[name]
    const _meta = { ui: { prefersBorder: true } }
    server.registerResource(
      `${name}-card`,
      cardUri(name),
      { title, description, mimeType, _meta, cacheHint: { ttlMs: dayMs, cacheScope: 'public' } },
      uri => ({ contents: [{ uri: uri.href, mimeType, text: pageOf(name), _meta }] }),
    )
  }
}

function cardUri(name: CardName): string {
  return `ui://signalbox/${name}`
}

/** The card's page: the frame that all share, with its own script. */
function pageOf(name: CardName): string {
  const [frame, own] = ['card', name].map(file => readFileSync(path.join(folder, `${file}.html`), 'utf8'))
  const script = own!.replace(/^<script>\n|<\/script>\n?$/g, '')
  return frame!.replace(place, () => script)
}
