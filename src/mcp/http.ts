import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../errors.ts'
import { asHttpFailure } from '../operations/http-failure.ts'
import type { Principal } from '../operations/operation.ts'
import { authInfoOf } from './auth-info.ts'
import type { McpEndpoint, EndpointParts } from './endpoint.ts'

export interface McpPlace {
  path?: string
  /** Authenticates the request; throws `unauthorized` or `forbidden`. Omitted, every request is allowed. */
  authorize?: (request: FastifyRequest) => Principal | Promise<Principal>
}

export interface McpMount extends McpPlace, EndpointParts {}

/** Those of Streamable HTTP. */
const methods = ['GET', 'POST', 'DELETE']

/** Serves MCP over Streamable HTTP to clients of all revisions. */
export function mountMcp(app: FastifyInstance, mount: McpMount): void {
  mountMcpLazily(app, mount, () => Promise.resolve(mount))
}

/** The same, loaded and created at the first request: most instances never receive an MCP request. */
export function mountMcpLazily(
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
    // The body stays unread: the SDK reads it within its own limit and reports bad JSON in JSON-RPC.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, parsed) => {
      parsed(null)
    })
    scope.addHook('onRequest', async ({ method }, reply) => {
      if (methods.includes(method)) return
      void reply.header('allow', methods.join(', '))
      throw new GatewayError('method_not_allowed', `${method} is not allowed for ${path}; use ${methods.join(' or ')}.`)
    })
    scope.addHook('onRequest', async (request, reply) => (await endpoint()).admit(request, reply))
    scope.addHook('onRequest', async request => {
      const principal = await authorize?.(request)
      if (principal !== undefined) Object.assign(request.raw, { auth: authInfoOf(principal) })
    })
    scope.setErrorHandler((error, _request, reply) => refuse(reply, error))
    scope.addHook('preClose', async () => (await opening)?.close())
    scope.all(path, { config: { readsBodyItself: true } }, async (request, reply) =>
      (await endpoint()).serve(request, reply),
    )
    done()
  })
}

function refuse(reply: FastifyReply, thrown: unknown): void {
  const error = asHttpFailure(thrown)
  if (error.code === 'unauthorized') void reply.header('www-authenticate', 'Bearer')
  void reply
    .code(error.failure.status)
    .send({ jsonrpc: '2.0', error: { code: -32_000, message: error.message, data: { code: error.code } }, id: null })
}
