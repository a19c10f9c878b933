import { hostHeaderValidation, originValidation } from '@modelcontextprotocol/fastify'
import { toNodeHandler } from '@modelcontextprotocol/node'
import {
  createMcpHandler,
  isLegacyRequest,
  localhostAllowedHostnames,
  type AuthInfo,
  type McpServerFactory,
  type ServerEventBus,
} from '@modelcontextprotocol/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { maxBodyBytes } from '../operations/http-failure.ts'
import { takeOver } from '../operations/take-over.ts'
import { commentFrame } from '../wire/protocol.ts'
import { boundUnread } from './bound-unread.ts'
import { ownerOf } from './auth-info.ts'
import { createSessions } from './sessions.ts'

export interface EndpointParts {
  /** Creates a server for one session of a 2025 client, or for one request of a 2026 client. */
  factory: McpServerFactory
  /** What 2026 clients subscribe to. */
  bus?: ServerEventBus
  /** Host names (no ports) that a request may carry in `Host` and `Origin`, which is what stops DNS rebinding. Left out, this machine’s. */
  allowedHosts?: readonly string[] | 'any'
  sessionLimit?: number
  sessionsPerKey?: number
  sessionIdleMs?: number
  bodyLimitBytes?: number
  onError?: (error: Error) => void
}

/** MCP over Streamable HTTP, for clients of all revisions. */
export interface McpEndpoint {
  /** Rejects a request from or to a host that is not allowed. */
  admit(request: FastifyRequest, reply: FastifyReply): Promise<void>
  serve(request: FastifyRequest, reply: FastifyReply): Promise<void>
  close(): Promise<void>
}

const stuckReaderMs = 60_000
const maxUnreadBytes = 1024 * 1024

/**
 * Clients of 2026-07-28 are stateless; older ones get a session each, because only a session routes their
 * `notifications/cancelled` to the right handler.
 */
export function openEndpoint(parts: EndpointParts): McpEndpoint {
  const { factory, bus, onError } = parts
  const allowedHosts = parts.allowedHosts ?? localhostAllowedHostnames()
  const maxRequestBodySize = parts.bodyLimitBytes ?? maxBodyBytes
  const checks =
    allowedHosts === 'any' ? [] : [hostHeaderValidation, originValidation].map(make => make([...allowedHosts]))
  const modern = createMcpHandler(factory, {
    legacy: 'reject',
    maxRequestBodySize,
    ...(bus !== undefined && { bus }),
    ...(onError !== undefined && { onerror: onError }),
  })
  const sessions = createSessions({
    factory,
    limit: parts.sessionLimit ?? 256,
    perOwner: parts.sessionsPerKey ?? 32,
    idleMs: parts.sessionIdleMs ?? 30 * 60_000,
    maxRequestBodySize,
    ...(onError !== undefined && { onError }),
  })

  return {
    async admit(request, reply) {
      for (const check of checks) if (!reply.sent) await check(request, reply)
    },
    async serve(request, reply) {
      const raw = takeOver(reply)
      const { auth } = request.raw as typeof request.raw & { auth?: AuthInfo }
      const release = sessions.hold(request.headers['mcp-session-id'], ownerOf(auth))
      raw.once('close', release)
      const handler = toNodeHandler(
        {
          fetch: async (webRequest, options) => {
            const legacy = await isLegacyRequest(webRequest, undefined, { maxRequestBodySize })
            const response = await (legacy ? sessions : modern).fetch(webRequest, options)
            if (!isStream(response)) return response
            dropStuckReader(reply)
            return boundUnread(response, {
              limitBytes: maxUnreadBytes,
              // Without it a stream that has no event yet would have no headers either.
              first: request.method === 'GET' ? commentFrame : '',
              onTooSlow: () => raw.destroy(),
            })
          },
        },
        { maxRequestBodySize, ...(onError !== undefined && { onerror: onError }) },
      )
      await handler(request.raw, raw)
    },
    async close() {
      await Promise.all([modern.close(), sessions.close()])
    },
  }
}

function isStream(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('text/event-stream') === true
}

/** Streams send a comment every 15 s, so a socket without traffic for a minute has no reader. */
function dropStuckReader(reply: FastifyReply): void {
  reply.raw.setTimeout(stuckReaderMs, () => reply.raw.destroy())
}
