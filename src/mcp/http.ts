import type { AuthInfo } from '@modelcontextprotocol/server'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { asGatewayError } from '../errors.ts'
import type { Principal } from '../operations/operation.ts'
import type { McpEndpoint, EndpointParts } from './endpoint.ts'

export interface McpPlace {
  path?: string
  /** Who sent the request; throws `unauthorized` or `forbidden`. Left out, everybody may. */
  authorize?: (request: FastifyRequest) => Principal | Promise<Principal>
}

export interface McpMount extends McpPlace, EndpointParts {}

/** Serves MCP over Streamable HTTP to clients of all revisions. */
export function mountMcp(app: FastifyInstance, mount: McpMount): void {
  mountMcpWhenAsked(app, mount, () => Promise.resolve(mount))
}

/** The same, of which nothing is loaded or made before the first request: most of those who run Signalbox have no agent ask. */
export function mountMcpWhenAsked(
  app: FastifyInstance,
  { authorize, path = '/mcp' }: McpPlace,
  makeParts: () => Promise<EndpointParts>,
): void {
  let opening: Promise<McpEndpoint> | undefined
  const open = async (): Promise<McpEndpoint> => {
    const [{ openEndpoint }, parts] = await Promise.all([import('./endpoint.ts'), makeParts()])
    return openEndpoint(parts)
  }
  const endpoint = () => (opening ??= open())

  void app.register((scope, _options, done) => {
    // The body stays unread: the SDK reads it within its own bound and answers bad JSON in JSON-RPC.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, parsed) => {
      parsed(null)
    })
    scope.addHook('onRequest', async (request, reply) => (await endpoint()).admit(request, reply))
    scope.addHook('onRequest', async request => {
      const principal = await authorize?.(request)
      if (principal !== undefined) Object.assign(request.raw, { auth: authInfoOf(principal) })
    })
    scope.setErrorHandler((error, _request, reply) => refuse(reply, error))
    scope.addHook('preClose', async () => (await opening)?.close())
    scope.all(path, async (request, reply) => (await endpoint()).serve(request, reply))
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

function refuse(reply: FastifyReply, thrown: unknown): void {
  const error = asGatewayError(thrown)
  if (error.code === 'unauthorized') void reply.header('www-authenticate', 'Bearer')
  void reply
    .code(error.failure.status)
    .send({ jsonrpc: '2.0', error: { code: -32_000, message: error.message, data: { code: error.code } }, id: null })
}
