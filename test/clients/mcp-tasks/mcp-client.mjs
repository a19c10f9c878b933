import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

const { MCP_URL, MCP_COMMAND } = process.env
const transport =
  MCP_URL === undefined
    ? new StdioClientTransport({ ...JSON.parse(MCP_COMMAND), env: process.env })
    : new StreamableHTTPClientTransport(new URL(MCP_URL))
const client = new Client({ name: 'check', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } })
await client.connect(transport)
const { structuredContent } = await client.callTool({
  name: 'route_task',
  arguments: { task: 'DELEGATED: say hello.', context_length: 0 },
})
const done = await client.callTool({
  name: 'get_task_status',
  arguments: { task_id: structuredContent.task_id, wait_seconds: 30 },
})
console.log(done.structuredContent.status === 'completed' ? 'DONE' : JSON.stringify(done))
await client.close()
