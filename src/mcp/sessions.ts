import { randomUUID } from 'node:crypto'
import {
  WebStandardStreamableHTTPServerTransport,
  type McpHandlerRequestOptions,
  type McpServerFactory,
} from '@modelcontextprotocol/server'
import { ownerOf } from './auth-info.ts'

export interface SessionsOptions {
  factory: McpServerFactory
  /** Maximum number of sessions, of all owners together. */
  limit: number
  /**
   * Maximum number of sessions of one owner. A further one, here or over all, ends the owner's session idle longest, and is
   * rejected if none of theirs is idle: no caller ends another caller's session.
   */
  perOwner: number
  /** How long a session may stay without an open request or stream. */
  idleMs: number
  maxRequestBodySize: number
  onError?: (error: Error) => void
}

export interface Sessions {
  /** Serves one HTTP request of a 2025 client. Another owner's session counts as unknown. */
  fetch(request: Request, options?: McpHandlerRequestOptions): Promise<Response>
  /** Keeps an owner's session from becoming idle until the returned function is called. Ignores an unknown id. */
  hold(id: string | string[] | undefined, owner: string): () => void
  close(): Promise<void>
}

interface Session {
  owner: string
  transport: WebStandardStreamableHTTPServerTransport
  held: number
  idleTimer: NodeJS.Timeout | undefined
}

/** The sessions of clients of a 2025 revision. The map is ordered by last use. */
export function createSessions(options: SessionsOptions): Sessions {
  const { factory, limit, perOwner, idleMs, maxRequestBodySize, onError } = options
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
    const authInfo = options?.authInfo
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      maxRequestBodySize,
      onsessioninitialized: id => {
        const session: Session = { owner: ownerOf(authInfo), transport, held: 0, idleTimer: undefined }
        sessions.set(id, session)
        startIdling(id, session)
      },
      onsessionclosed: end,
    })
    const server = await factory({ era: 'legacy', requestInfo: request, ...(authInfo !== undefined && { authInfo }) })
    await server.connect(transport)
    const response = await transport.handleRequest(request, options)
    // Not an `initialize`, so it was rejected and this server stays unused.
    if (transport.sessionId === undefined) await server.close()
    return response
  }

  /** Undefined when the owner may open a session now, or the reason why not. */
  const makeRoom = async (owner: string): Promise<string | undefined> => {
    const own = [...sessions].filter(([, session]) => session.owner === owner)
    if (sessions.size < limit && own.length < perOwner) return undefined
    const idle = own.find(([, session]) => session.held === 0)
    if (idle !== undefined) {
      await end(idle[0])
      return undefined
    }
    return own.length < perOwner
      ? `All ${String(limit)} MCP sessions are in use (MCP_SESSION_LIMIT).`
      : `All ${String(perOwner)} MCP sessions of this API key are busy (MCP_SESSIONS_PER_KEY).`
  }

  return {
    async fetch(request, options) {
      const owner = ownerOf(options?.authInfo)
      const id = request.headers.get('mcp-session-id')
      if (id !== null) {
        const session = sessions.get(id)
        const isThere = session !== undefined && session.owner === owner
        if (isThere) return await session.transport.handleRequest(request, options)
        return refusal(404, -32_001, 'Session not found. Start a new one with initialize.')
      }
      const full = await makeRoom(owner)
      if (full === undefined) return await open(request, options)
      onError?.(new Error(full))
      return refusal(503, -32_000, `${full} End one, or try again later.`)
    },
    hold(id, owner) {
      const session = typeof id === 'string' ? sessions.get(id) : undefined
      if (session?.owner !== owner || typeof id !== 'string') return () => undefined
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
