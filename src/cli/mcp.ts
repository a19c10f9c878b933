import type { Command } from 'commander'

interface McpOptions {
  target?: string
  apiKey?: string
  readOnly?: boolean
}

export function define(command: Command): void {
  command
    .description('Serve a coding agent as an MCP server over stdio. The agent starts this command.')
    .option('--target <url>', 'use the Signalbox at this address (SIGNALBOX_TARGET)')
    .option('--api-key <key>', 'the API key to send there (SIGNALBOX_API_KEY)')
    .option('--read-only', 'offer only tools that change nothing')
    .addHelpText(
      'after',
      `
Without --target, the first instance on a data directory runs Signalbox itself, HTTP included. Later ones use
that one, and when it ends one of them takes over. A URL works too: http://127.0.0.1:3001/mcp.

SIGNALBOX_ROOT is the folder of .env, signalbox.json and the data; agents with the same one share a Signalbox.
SIGNALBOX_TOOLS=core, or tool names separated by commas, limits the tools that the agent sees.
Only JSON-RPC is written to stdout; logs go to stderr. It ends when stdin does.

Example, .mcp.json of Claude Code (docs/mcp.md has a block for each agent):
  { "mcpServers": { "signalbox": { "command": "signalbox", "args": ["mcp"] } } }`,
    )
    .action(async ({ target, apiKey, readOnly }: McpOptions) => {
      const environment = process.env
      const address = target ?? environment['SIGNALBOX_TARGET']
      const key = apiKey ?? environment['SIGNALBOX_API_KEY']
      if (address !== undefined && !isAddress(address)) {
        command.error(`--target: ${address} is not an address such as http://127.0.0.1:3001`)
      }
      const { serveAgent } = await import('./mcp/serve-agent.ts')
      await serveAgent({
        environment,
        ...(address !== undefined && { target: address }),
        ...(key !== undefined && { apiKey: key }),
        readOnly: readOnly ?? false,
      })
      // An idle handle of a library must not delay our exit.
      process.exit(0)
    })
}

function isAddress(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text)
}
