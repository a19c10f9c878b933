import type { Command } from 'commander'

/** What a command's file exports: a function that adds its options, help and action to an empty commander command. */
export interface CommandModule {
  define: (command: Command) => void
}

export interface CommandEntry {
  /** One line for `signalbox --help`. */
  summary: string
  /** A command's file is loaded only when it is called: loading the server's code takes most of the startup time. */
  load: () => Promise<CommandModule>
}

/** The command that runs if none is named. */
export const defaultCommand = 'serve'

/** Every command, in the order of the help. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  serve: { summary: 'answer requests on http://127.0.0.1:3001 (default)', load: () => import('./serve.ts') },
  mcp: { summary: 'serve a coding agent as an MCP server over stdio', load: () => import('./mcp.ts') },
  demo: { summary: 'show requests being routed between simulated servers', load: () => import('./demo.ts') },
  benchmark: { summary: 'measure your models', load: () => import('./benchmark.ts') },
  replay: { summary: 'compare policies on your recorded requests', load: () => import('./replay.ts') },
  usage: { summary: 'show requests, tokens and cost from the ledger', load: () => import('./usage.ts') },
  keys: { summary: 'create, list, rotate and revoke API keys', load: () => import('./keys.ts') },
  budgets: { summary: 'limit what may be spent, and show what was', load: () => import('./budgets.ts') },
  settings: { summary: 'print every setting with its default', load: () => import('./settings.ts') },
}
