import { createMCPClient } from '@ai-sdk/mcp'
import { Experimental_StdioMCPTransport as StdioTransport } from '@ai-sdk/mcp/mcp-stdio'

const { MCP_URL, MCP_COMMAND } = process.env
const transport =
  MCP_URL === undefined
    ? new StdioTransport({ ...JSON.parse(MCP_COMMAND), env: process.env })
    : { type: 'http', url: MCP_URL }
const client = await createMCPClient({ transport })
const tools = await client.tools()
const options = { toolCallId: '1', messages: [] }
const task = await tools.route_task.execute({ task: 'DELEGATED: say hello.', context_length: 0 }, options)
const { task_id } = JSON.parse(task.content[0].text)
const done = await tools.get_task_status.execute({ task_id, wait_seconds: 30 }, options)
console.log(JSON.parse(done.content[0].text).status === 'completed' ? 'DONE' : JSON.stringify(done))
await client.close()
