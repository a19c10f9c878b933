import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Core } from '../core.ts'
import { isObject } from '../json.ts'
import { hostInUrl, isLoopback } from '../net.ts'
import { maxBodyBytes } from '../operations/http-failure.ts'
import { createWebSockets, type WebSockets } from '../operations/web-sockets.ts'
import { nonChatEndpoints } from '../wire/non-chat.ts'
import { protocols } from '../wire/protocols.ts'
import { responses } from '../wire/responses/protocol.ts'
import type { Principal } from '../operations/operation.ts'
import { registerChatRoute, type RouteParts } from './chat-routes.ts'
import { registerNonChatRoute, registerInfillRoute } from './non-chat-routes.ts'
import { registerAdmission } from './admission.ts'
import { createAuthenticate } from './authenticate.ts'
import { readBodiesAsJson } from './body.ts'
import { createConnections, wholeRequestMs } from './connections.ts'
import { registerBatchRoutes } from './batches.ts'
import { registerCountTokensRoute } from './count-tokens.ts'
import { registerDecisionRoutes } from './decisions.ts'
import { registerFileRoutes } from './files.ts'
import { registerHealthRoute } from './health.ts'
import { registerUnknownRoutes } from './unknown-routes.ts'
import { createMemoryBudget } from './memory-budget.ts'
import { registerMediaRoutes } from './media-routes.ts'
import { registerModelRoutes } from './models.ts'
import { createIdempotency } from './idempotency.ts'
import { registerGeminiRoutes } from './gemini-routes.ts'
import { registerOllamaRoutes } from './ollama-routes.ts'
import { deploymentIn, withoutAlias } from './path-aliases.ts'
import { registerOpenRouterAccountRoutes } from './openrouter-account.ts'
import { registerOrganizationRoutes } from './organization-usage.ts'
import { replyError } from './reply-error.ts'
import { callerRequestId, idHeaders } from './request-id.ts'
import { collectRoutes, type RouteTable } from './route-table.ts'
import { createResponseStore } from './response-store.ts'
import { createResponsesSockets } from './responses-socket.ts'
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
    webSockets: WebSockets
  }
  interface FastifyContextConfig {
    /** The route answers without an API key too; it has no `principal`. */
    keyOptional?: boolean
  }
}

/** The HTTP server, not yet listening; `instanceToken` lets other processes in. Closing it closes no part of `core`. */
export function createServer(core: Core, instanceToken?: string): FastifyInstance {
  const {
    HOST,
    PORT,
    SIGNALBOX_API_KEY,
    SIGNALBOX_ADMIN_KEY,
    KEEPALIVE_INTERVAL_MS,
    CLIENT_STALL_TIMEOUT_MS,
    REQUEST_MEMORY_MB,
    ALLOWED_ORIGINS,
    ALLOWED_HOSTS,
    RESPONSES_WEBSOCKETS,
  } = core.config().values
  const authenticate = createAuthenticate({
    keys: SIGNALBOX_API_KEY,
    adminKeys: SIGNALBOX_ADMIN_KEY,
    issued: core.accounting.apiKeys,
    instanceToken,
  })
  const log: FastifyBaseLogger = core.log
  const connections = createConnections(CLIENT_STALL_TIMEOUT_MS, () => core.newId('req'))
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxBodyBytes,
    genReqId: () => core.newId('req'),
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: 500 },
    forceCloseConnections: 'idle',
    http: connections.serverOptions,
    // Fastify would remove the limit.
    requestTimeout: wholeRequestMs,
    clientErrorHandler: (error, socket) => connections.refuse(error, socket),
    frameworkErrors: replyError,
    rewriteUrl: ({ url = '/' }) => withoutAlias(url),
  })
  const routes = collectRoutes(app)
  app.decorate('routeTable', routes)
  const webSockets = createWebSockets(app)
  app.decorate('webSockets', webSockets)
  const memory = createMemoryBudget(REQUEST_MEMORY_MB * 1024 * 1024)
  readBodiesAsJson(app, memory)
  app.decorateRequest('principal')
  app.decorateRequest('receivedAt', 0)
  app.addHook('onRequest', async (request, reply) => {
    request.receivedAt = core.now()
    void reply.headers(idHeaders(request.id, callerRequestId(request)))
  })
  registerAdmission(app, {
    allowedOrigins: ALLOWED_ORIGINS,
    allowedHosts: ALLOWED_HOSTS,
    loopbackOnly: isLoopback(HOST),
  })
  connections.watch(app)
  // Before the key is checked: a client of MCP that gets 401 for `/.well-known/oauth-…` starts OAuth.
  const refuse = registerUnknownRoutes(app, routes, `http://${hostInUrl(HOST)}:${PORT}/v1`)
  app.addHook('onRequest', async request => {
    if (request.routeOptions.config.keyOptional !== true) request.principal = authenticate.caller(request)
  })
  app.addHook('preValidation', async request => {
    const model = deploymentIn(request.originalUrl)
    if (model !== undefined && isObject(request.body) && !Buffer.isBuffer(request.body)) request.body['model'] = model
  })
  app.setErrorHandler(replyError)
  app.get('/', () => ({
    name: 'signalbox',
    version: core.version,
    base_url: '/v1',
    health: '/health',
    usage: '/v1/usage',
  }))
  registerHealthRoute(app, core, authenticate)
  const store = createResponseStore()
  const parts: RouteParts = {
    gateway: core.gateway,
    accounting: core.accounting,
    idempotency: createIdempotency(core.now),
    keepAliveMs: KEEPALIVE_INTERVAL_MS,
    now: core.now,
  }
  registerOllamaRoutes(app, core, parts)
  registerGeminiRoutes(app, core, parts)
  const socketAt = createResponsesSockets({ ...parts, store, memory, newId: core.newId, refuse })
  // Some clients append /v1 to a base URL, some do not, and some users add it where it is appended as well.
  for (const prefix of ['', '/v1', '/v1/v1']) {
    app.register(
      (scope, _options, done) => {
        for (const protocol of protocols.filter(({ unprefixed }) => unprefixed !== true)) {
          registerChatRoute(scope, protocol, {
            ...parts,
            ...(protocol === responses && { protocolOf: principal => store.of(principal).remembering(protocol) }),
          })
        }
        for (const nonChat of Object.values(nonChatEndpoints)) {
          registerNonChatRoute(scope, nonChat, parts)
        }
        registerInfillRoute(scope, parts)
        registerResponseRoutes(scope, { store, core, parts })
        registerMediaRoutes(scope, parts)
        registerFileRoutes(scope, core)
        registerBatchRoutes(scope, core)
        registerDecisionRoutes(scope, core)
        registerCountTokensRoute(scope, core)
        registerModelRoutes(scope, core)
        registerUsageRoute(scope, core)
        registerOrganizationRoutes(scope, core)
        registerOpenRouterAccountRoutes(scope, core)
        done()
      },
      { prefix },
    )
    if (RESPONSES_WEBSOCKETS) webSockets.add(socketAt(prefix + responses.path))
  }
  return app
}
