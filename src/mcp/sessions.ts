import { randomUUID } from 'node:crypto'
import {
  WebStandardStreamableHTTPServerTransport,
  type McpHandlerRequestOptions,
  type McpServerFactory,
} from '@modelcontextprotocol/server'

export interface SessionsOptions {
  factory: McpServerFactory
  /** Maximum number of sessions. One more ends the one idle longest, and is rejected when all are busy. */
  limit: number
  /** How long a session may stay without an open request or stream. */
  idleMs: number
  maxRequestBodySize: number
  onError?: (error: Error) => void
}

export interface Sessions {
  /** Serves one HTTP request of a 2025 client. */
  fetch(request: Request, options?: McpHandlerRequestOptions): Promise<Response>
  /** Keeps a session from becoming idle until the returned function is called. Ignores an unknown id. */
  hold(id: string | string[] | undefined): () => void
  close(): Promise<void>
}

interface Session {
  transport: WebStandardStreamableHTTPServerTransport
  held: number
  idleTimer: NodeJS.Timeout | undefined
}

/** The sessions of clients of a 2025 revision. The map is ordered by last use. */
export function createSessions({ factory, limit, idleMs, maxRequestBodySize, onError }: SessionsOptions): Sessions {
  const sessions = new Map<string, Session>()

  const end = async (id: string) => {
    const session = sessions.get(id)
    sessions.delete(id)
    clearTimeout(session?.idleTimer)
    await session?.transport.close()
  }
  const startIdling = (id: string, session: Session) => {
    clearTimeout(session.idleTimer)
    session.idleTimer = setTimeout(() => void end(id), idleMs).unref()
  }

  const open = async (request: Request, options: McpHandlerRequestOptions | undefined) => {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      maxRequestBodySize,
      onsessioninitialized: id => {
        const session: Session = { transport, held: 0, idleTimer: undefined }
        sessions.set(id, session)
        startIdling(id, session)
      },
      onsessionclosed: end,
    })
    const authInfo = options?.authInfo
    const server = await factory({ era: 'legacy', requestInfo: request, ...(authInfo !== undefined && { authInfo }) })
    await server.connect(transport)
    const response = await transport.handleRequest(request, options)
    // Not an `initialize`, so it was rejected and this server stays unused.
    if (transport.sessionId === undefined) await server.close()
    return response
  }

  const makeRoom = async () => {
    if (sessions.size < limit) return true
    const idle = [...sessions].find(([, session]) => session.held === 0)
    if (idle === undefined) return false
    await end(idle[0])
    return true
  }

  return {
    async fetch(request, options) {
      const id = request.headers.get('mcp-session-id')
      if (id !== null) {
        const session = sessions.get(id)
        if (session === undefined) return refusal(404, -32_001, 'Session not found. Start a new one with initialize.')
        return await session.transport.handleRequest(request, options)
      }
      if (await makeRoom()) return await open(request, options)
      onError?.(new Error(`All ${String(limit)} MCP sessions are busy.`))
      return refusal(503, -32_000, `All ${String(limit)} MCP sessions are busy. Try again later.`)
    },
    hold(id) {
      const session = typeof id === 'string' ? sessions.get(id) : undefined
      if (session === undefined || typeof id !== 'string') return () => undefined
      session.held += 1
      clearTimeout(session.idleTimer)
      sessions.delete(id)
      sessions.set(id, session)
      return () => {
        session.held -= 1
        if (session.held === 0 && sessions.get(id) === session) startIdling(id, session)
      }
    },
    async close() {
      await Promise.all([...sessions.keys()].map(end))
    },
  }
}

function refusal(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status })
}
