import { GatewayError } from '../../errors.ts'

export interface Circumstances {
  connectTimeoutMs: number
  /** A proxy is set for the host, so the proxy itself may have failed. */
  mayUseProxy: boolean
}

/** A socket or undici error as a readable message naming host and port and what to check. */
export function networkFailure(
  error: Error,
  url: URL,
  remedy: string | undefined,
  { connectTimeoutMs, mayUseProxy, answered }: Circumstances & { answered: boolean },
): GatewayError {
  if (error instanceof GatewayError) return error
  const code = codeOf(error)
  const place = placeOf(url)
  const proxyNote = mayUseProxy
    ? ` A proxy is set for it (${url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'}); check that too.`
    : ''
  const because = (what: string, check = remedy ?? 'check its address and that it is running') =>
    `${what}; ${check}.${proxyNote}`
  const details = { cause: error }

  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') {
    return new GatewayError('shutting_down', 'Signalbox is shutting down.', details)
  }
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    const what = `${place} did not accept a connection within ${connectTimeoutMs} ms`
    return new GatewayError('upstream_timeout', because(what), details)
  }
  if (code === 'ECONNREFUSED') {
    return new GatewayError('upstream_unavailable', because(`Connection refused by ${place}`), details)
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const what = `Cannot resolve the host name ${url.hostname} of ${place}`
    return new GatewayError('upstream_unavailable', because(what, 'check the address and the network'), details)
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_|TLS|SSL/.test(code)) {
    const what = `TLS connection to ${place} failed (${code})`
    return new GatewayError('upstream_unavailable', because(what, 'check its certificate and its address'), details)
  }
  if (/^HPE_|HTTPParserError|UND_ERR_HEADERS_OVERFLOW/.test(code) && !answered) {
    const what = `${place} did not answer with valid HTTP (${code})`
    return new GatewayError(
      'upstream_error',
      because(what, 'check that its address belongs to a model server'),
      details,
    )
  }
  if (answered) {
    return new GatewayError('upstream_unavailable', because(`${place} closed the connection mid-response`), details)
  }
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET') {
    // Often a kept-alive connection that the server had just closed; a new connection usually works.
    const what = `${place} closed the connection before it responded`
    return new GatewayError('upstream_disconnected', because(what), details)
  }
  return new GatewayError('upstream_unavailable', because(`Cannot reach ${place} (${code})`), details)
}

/** `host:port`, with the port even where the scheme implies it. */
function placeOf(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`
}

/** A name with several addresses fails with one error per address; the first one is enough. */
function codeOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  if (code !== undefined) return code
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error.cause
  return inner instanceof Error ? codeOf(inner) : error.name
}
