import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../errors.ts'
import { isLoopback } from '../net.ts'

export interface AdmissionRules {
  /** Origins whose pages may use Signalbox, as browsers write them: `https://chat.example.com`. */
  allowedOrigins: readonly string[]
  /** Host names, without ports, that requests may use besides this machine's own. */
  allowedHosts: readonly string[]
  /** Signalbox listens on loopback only, so a request under any other name comes from a page that rebound its DNS name. */
  loopbackOnly: boolean
}

/** Pages of ours that a link elsewhere may open. They only show what their own requests, checked again, are given. */
const pages: ReadonlySet<string> = new Set(['/', '/docs'])
const preflightSeconds = 600
const exposedHeaders =
  'x-request-id, request-id, x-signalbox-request-id, x-signalbox-model, x-signalbox-provider, x-signalbox-reason, retry-after'

/**
 * Keeps web pages out of every route and upgrade, and lets those of `allowedOrigins` in with CORS headers. A browser says
 * where a request comes from in `Origin` and `Sec-Fetch-Site`; programs send neither. Throws `forbidden`.
 */
export function registerAdmission(app: FastifyInstance, rules: AdmissionRules): void {
  const allowedOrigins = new Set(rules.allowedOrigins)
  app.addHook('onRequest', async (request, reply) => {
    requireKnownHost(request, rules)
    const { origin } = request.headers
    if (origin !== undefined) void reply.header('vary', 'Origin')
    if (origin !== undefined && allowedOrigins.has(origin)) return allow(request, reply, origin)
    if (isForeign(request)) throw refusal(request)
    return undefined
  })
}

function requireKnownHost({ hostname, raw }: FastifyRequest, { allowedHosts, loopbackOnly }: AdmissionRules): void {
  if (hostname === '' && raw.httpVersion !== '1.0') {
    throw new GatewayError('invalid_request', 'The Host header is missing; HTTP 1.1 requires one.')
  }
  if (!loopbackOnly && allowedHosts.length === 0) return
  if (isLoopback(hostname) || allowedHosts.includes(hostname.toLowerCase())) return
  throw new GatewayError(
    'forbidden',
    loopbackOnly
      ? `Signalbox listens on this machine only, but was addressed as '${hostname.slice(0, 100)}'. Use 127.0.0.1 or localhost, or add the name to ALLOWED_HOSTS.`
      : `The host name '${hostname.slice(0, 100)}' is not in ALLOWED_HOSTS.`,
  )
}

/** Whether a page of another origin sent the request. */
function isForeign({ headers, method, url, host }: FastifyRequest): boolean {
  const { origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = headers
  if (origin !== undefined && !isOwnOrigin(origin, host)) return true
  if (site === undefined || site === 'same-origin' || site === 'none') return false
  const isLink = method === 'GET' && mode === 'navigate' && destination === 'document'
  return !(isLink && pages.has(url.split('?')[0]!.replace(/(?<=.)\/$/, '')))
}

/** `host` includes the port, as in the Host header. */
function isOwnOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`
}

function allow(request: FastifyRequest, reply: FastifyReply, origin: string): FastifyReply | undefined {
  void reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': exposedHeaders })
  const { headers, method } = request
  const wanted = headers['access-control-request-method']
  if (method !== 'OPTIONS' || wanted === undefined) return undefined
  return reply
    .headers({
      'access-control-allow-methods': 'GET, POST, PUT, DELETE',
      'access-control-allow-headers': headers['access-control-request-headers'] ?? '*',
      'access-control-max-age': String(preflightSeconds),
      ...(headers['access-control-request-private-network'] === 'true' && {
        'access-control-allow-private-network': 'true',
      }),
    })
    .code(204)
    .send()
}

function refusal({ headers }: FastifyRequest): GatewayError {
  const from = headers.origin === undefined ? 'another site' : `the origin ${headers.origin.slice(0, 200)}`
  return new GatewayError(
    'forbidden',
    `Web pages may not use Signalbox: this request comes from ${from}. Add the page's origin to ALLOWED_ORIGINS to allow it.`,
  )
}
