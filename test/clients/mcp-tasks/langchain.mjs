import { MultiServerMCPClient } from '@langchain/mcp-adapters'

const { MCP_URL, MCP_COMMAND } = process.env
const signalbox =
  MCP_URL === undefined
    ? { transport: 'stdio', ...JSON.parse(MCP_COMMAND), env: { ...process.env } }
    : { transport: 'http', url: MCP_URL }
const client = new MultiServerMCPClient({ mcpServers: { signalbox } })
const tools = await client.getTools()
const call = async (name, input) => {
  const result = await tools.find(tool => tool.name === name).invoke(input)
  return typeof result === 'string' ? JSON.parse(result) : (result.structuredContent ?? JSON.parse(result[0].text))
}
const { task_id } = await call('route_task', { task: 'DELEGATED: say hello.', context_length: 0 })
const done = await call('get_task_status', { task_id, wait_seconds: 30 })
console.log(done.status === 'completed' ? 'DONE' : JSON.stringify(done))
await client.close()
