/** Opens an MCP session of a 2025 revision over HTTP; returns the headers that its further requests need. `caller`: the API key's header. */
export async function startMcpSession(
  url: string,
  caller: Record<string, string> = {},
): Promise<Record<string, string>> {
  const protocolVersion = '2025-06-18'
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...caller }
  const post = (message: object, more: Record<string, string> = {}) =>
    fetch(`${url}/mcp`, { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(message) })
  const params = { protocolVersion, capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  const opened = await post({ jsonrpc: '2.0', id: 1, method: 'initialize', params })
  await opened.body?.cancel()
  const session = {
    ...caller,
    'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
    'mcp-protocol-version': protocolVersion,
  }
  await post({ jsonrpc: '2.0', method: 'notifications/initialized' }, session)
  return session
}
