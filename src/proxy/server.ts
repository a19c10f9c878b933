import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Core } from '../core.ts'
import { GatewayError } from '../errors.ts'
import { isLoopback } from '../net.ts'
import { nonChatEndpoints } from '../wire/non-chat.ts'
import { writeOpenAiError } from '../wire/chat/error.ts'
import { protocols } from '../wire/protocols.ts'
import { responses } from '../wire/responses/protocol.ts'
import type { Principal } from '../operations/operation.ts'
import { registerChatRoute, type RouteParts } from './chat-routes.ts'
import { registerNonChatRoute, registerInfillRoute } from './non-chat-routes.ts'
import { registerAdmission } from './admission.ts'
import { createAuthenticate } from './authenticate.ts'
import { maxBodyBytes, readBodiesAsJson } from './body.ts'
import { registerCountTokensRoute } from './count-tokens.ts'
import { registerDecisionRoutes } from './decisions.ts'
import { registerHealthRoute } from './health.ts'
import { registerModelRoutes } from './models.ts'
import { createIdempotency } from './idempotency.ts'
import { replyError } from './reply-error.ts'
import { callerRequestId } from './request-id.ts'
import { collectRoutes, type RouteTable } from './route-table.ts'
import { createResponseStore } from './response-store.ts'
import { registerResponseRoutes } from './responses.ts'
import { registerUsageRoute } from './usage.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The owner of the API key used. */
    principal: Principal
    /** Milliseconds since the epoch. */
    receivedAt: number
  }
  interface FastifyInstance {
    routeTable: RouteTable
  }
}

/** Time limit for a request to arrive; answers have none. */
const wholeRequestMs = 300_000

/** The HTTP server, not yet listening; `instanceToken` lets other processes in. Closing it closes no part of `core`. */
export function createServer(core: Core, instanceToken?: string): FastifyInstance {
  const { HOST, SIGNALBOX_API_KEY, SIGNALBOX_ADMIN_KEY, KEEPALIVE_INTERVAL_MS, ALLOWED_ORIGINS, ALLOWED_HOSTS } =
    core.config().values
  const authenticate = createAuthenticate({
    keys: SIGNALBOX_API_KEY,
    adminKeys: SIGNALBOX_ADMIN_KEY,
    instanceToken,
  })
  const log: FastifyBaseLogger = core.log
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxBodyBytes,
    genReqId: () => core.newId('req'),
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: 500 },
    forceCloseConnections: 'idle',
    // Fastify sets none, and a body that never ends would hold its connection forever.
    requestTimeout: wholeRequestMs,
  })
  const routes = collectRoutes(app)
  app.decorate('routeTable', routes)
  readBodiesAsJson(app)
  app.decorateRequest('principal')
  app.decorateRequest('receivedAt', 0)
  app.addHook('onRequest', async (request, reply) => {
    request.receivedAt = core.now()
    void reply.headers({
      'x-signalbox-request-id': request.id,
      'x-request-id': callerRequestId(request) ?? request.id,
    })
  })
  registerAdmission(app, {
    allowedOrigins: ALLOWED_ORIGINS,
    allowedHosts: ALLOWED_HOSTS,
    loopbackOnly: isLoopback(HOST),
  })
  app.addHook('onRequest', async request => {
    request.principal = authenticate(request)
  })
  app.setErrorHandler(replyError(writeOpenAiError))
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?')
    const allowed = routes.methodsOf(path)
    if (allowed.length > 0) {
      void reply.header('allow', allowed.join(', '))
      throw new GatewayError(
        'method_not_allowed',
        `${request.method} is not allowed for ${path.slice(0, 200)}; use ${allowed.join(' or ')}.`,
      )
    }
    throw new GatewayError(
      'not_found',
      `Not found: ${request.method} ${request.url.slice(0, 200)}. The base URL for clients is http://${HOST}:${core.config().values.PORT}/v1.`,
    )
  })
  app.get('/', () => ({
    name: 'signalbox',
    version: core.version,
    base_url: '/v1',
    health: '/health',
    usage: '/v1/usage',
  }))
  registerHealthRoute(app, core)
  const store = createResponseStore()
  const parts: RouteParts = {
    gateway: core.gateway,
    idempotency: createIdempotency(core.now),
    keepAliveMs: KEEPALIVE_INTERVAL_MS,
    now: core.now,
  }
  // Some clients append /v1 to a base URL, some do not, and some users add it where it is appended as well.
  for (const prefix of ['', '/v1', '/v1/v1']) {
    app.register(
      (scope, _options, done) => {
        for (const protocol of protocols) {
          registerChatRoute(scope, protocol, {
            ...parts,
            ...(protocol === responses && { protocolOf: principal => store.of(principal).remembering(protocol) }),
          })
        }
        for (const nonChat of Object.values(nonChatEndpoints)) {
          registerNonChatRoute(scope, nonChat, parts)
        }
        registerInfillRoute(scope, parts)
        registerResponseRoutes(scope, store)
        registerDecisionRoutes(scope, core)
        registerCountTokensRoute(scope, core.tokens)
        registerModelRoutes(scope, core)
        registerUsageRoute(scope, core)
        done()
      },
      { prefix },
    )
  }
  return app
}
