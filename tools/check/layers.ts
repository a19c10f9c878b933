/** One level of the import order: a file imports from its own folder and from the layers below its own. */
export interface Layer {
  /** Folders and files of `src`; parts of one layer do not import each other. */
  parts: readonly string[]
  what: string
}

/** From top to bottom. The import check and the table in docs/architecture.md both read it. */
export const layers: readonly Layer[] = [
  { parts: ['cli'], what: 'the command line: one file per command' },
  { parts: ['start.ts'], what: 'the core, HTTP and listening' },
  { parts: ['proxy', 'mcp', 'dashboard', 'assistant'], what: 'how callers reach it: HTTP routes, MCP' },
  { parts: ['operations'], what: 'what people and agents can do, one file each: REST, MCP and clients follow' },
  { parts: ['telemetry'], what: 'metrics, traces and webhooks' },
  { parts: ['core.ts'], what: 'builds what lives as long as the process' },
  { parts: ['tasks'], what: 'background tasks' },
  { parts: ['gateway'], what: 'the request pipeline: decide, call, fall back, record' },
  { parts: ['router', 'ledger', 'search', 'bench'], what: 'decisions (pure), records, code search, benchmarks' },
  { parts: ['providers'], what: 'upstreams: one adapter per kind of server' },
  { parts: ['instance.ts', 'watch-settings.ts'], what: 'one instance per data directory; changed settings' },
  { parts: ['accounting'], what: 'prices and cost: pure rules' },
  { parts: ['wire', 'tokens', 'config'], what: 'protocols and their translation, token counts, settings' },
  {
    parts: [
      'errors.ts',
      'events.ts',
      'json.ts',
      'redact.ts',
      'net.ts',
      'private-files.ts',
      'spelling.ts',
      'scatter-plot.ts',
    ],
    what: 'what every layer may use',
  },
]

/** The layers as lines of cells; the first line is the table's header. */
export function layerTable(): string[][] {
  const lines = layers.map(({ parts, what }, index) => [
    String(index + 1),
    parts.map(part => `\`${part}\``).join(', '),
    what,
  ])
  return [['layer', 'folders and files', 'what'], ...lines]
}
