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
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { asGatewayError } from '../errors.ts'
import type { Principal } from '../operations/operation.ts'
import { boundUnread } from './bound-unread.ts'
import { createSessions } from './sessions.ts'

export interface McpMount {
  /** Makes a server for one session of a 2025 client, or for one request of a 2026 client. */
  factory: McpServerFactory
  /** What 2026 clients subscribe to. */
  bus?: ServerEventBus
  path?: string
  /** Who sent the request; throws `unauthorized` or `forbidden`. Left out, everybody may. */
  authorize?: (request: FastifyRequest) => Principal | Promise<Principal>
  /** Host names (no ports) that a request may carry in `Host` and `Origin`, which is what stops DNS rebinding. Left out, this machine’s. */
  allowedHosts?: readonly string[] | 'any'
  sessionLimit?: number
  sessionIdleMs?: number
  bodyLimitBytes?: number
  onError?: (error: Error) => void
}

const stuckReaderMs = 60_000
const mostUnreadBytes = 1024 * 1024

/**
 * Serves MCP over Streamable HTTP to clients of all revisions. Those of 2026-07-28 are stateless; older ones get a session
 * each, because only a session carries their `notifications/cancelled` to the handler it is meant for.
 */
export function mountMcp(app: FastifyInstance, mount: McpMount): void {
  const { factory, bus, authorize, path = '/mcp', onError } = mount
  const allowedHosts = mount.allowedHosts ?? localhostAllowedHostnames()
  const maxRequestBodySize = mount.bodyLimitBytes ?? 32 * 1024 * 1024
  const modern = createMcpHandler(factory, {
    legacy: 'reject',
    maxRequestBodySize,
    ...(bus !== undefined && { bus }),
    ...(onError !== undefined && { onerror: onError }),
  })
  const sessions = createSessions({
    factory,
    limit: mount.sessionLimit ?? 256,
    idleMs: mount.sessionIdleMs ?? 30 * 60_000,
    maxRequestBodySize,
    ...(onError !== undefined && { onError }),
  })

  const serve = async (request: FastifyRequest, reply: FastifyReply) => {
    reply.hijack()
    const release = sessions.hold(request.headers['mcp-session-id'])
    reply.raw.once('close', release)
    const handler = toNodeHandler(
      {
        fetch: async (webRequest, options) => {
          const legacy = await isLegacyRequest(webRequest, undefined, { maxRequestBodySize })
          const response = await (legacy ? sessions : modern).fetch(webRequest, options)
          if (!isStream(response)) return response
          dropStuckReader(reply)
          return boundUnread(response, mostUnreadBytes, () => reply.raw.destroy())
        },
      },
      { maxRequestBodySize, ...(onError !== undefined && { onerror: onError }) },
    )
    await handler(request.raw, reply.raw)
  }

  void app.register((scope, _options, done) => {
    // The body stays unread: the SDK reads it within its own bound and answers bad JSON in JSON-RPC.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, parsed) => {
      parsed(null)
    })
    if (allowedHosts !== 'any') {
      scope.addHook('onRequest', hostHeaderValidation([...allowedHosts]))
      scope.addHook('onRequest', originValidation([...allowedHosts]))
    }
    scope.addHook('onRequest', async request => {
      const principal = await authorize?.(request)
      if (principal !== undefined) Object.assign(request.raw, { auth: authInfoOf(principal) })
    })
    scope.setErrorHandler((error, _request, reply) => refuse(reply, error))
    scope.addHook('preClose', async () => {
      await Promise.all([modern.close(), sessions.close()])
    })
    scope.all(path, serve)
    done()
  })
}

/** Who sent the message that a handler was given; none where the mount asks nobody. */
export function principalOf(authInfo: AuthInfo | undefined): Principal | undefined {
  return authInfo?.extra?.['principal'] as Principal | undefined
}

function authInfoOf(principal: Principal): AuthInfo {
  return { token: '', clientId: principal.name, scopes: [], extra: { principal } }
}

function isStream(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('text/event-stream') === true
}

/** Streams carry a comment every 15 s, so a socket that moves nothing for a minute has nobody reading at its other end. */
function dropStuckReader(reply: FastifyReply): void {
  reply.raw.setTimeout(stuckReaderMs, () => reply.raw.destroy())
}

function refuse(reply: FastifyReply, thrown: unknown): void {
  const error = asGatewayError(thrown)
  if (error.code === 'unauthorized') void reply.header('www-authenticate', 'Bearer')
  void reply
    .code(error.failure.status)
    .send({ jsonrpc: '2.0', error: { code: -32_000, message: error.message, data: { code: error.code } }, id: null })
}
