import { GatewayError } from '../../errors.ts'

export interface Circumstances {
  connectTimeoutMs: number
  /** A proxy is set for the host, so the proxy may be what fails. */
  mayUseProxy: boolean
}

/** A socket's or undici's error in words for people, naming host and port and what to check. */
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
    return new GatewayError('upstream_unavailable', because(`Nothing listens on ${place}`), details)
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const what = `The host name ${url.hostname} of ${place} is not known`
    return new GatewayError('upstream_unavailable', because(what, 'check the address and the network'), details)
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_|TLS|SSL/.test(code)) {
    const what = `No trusted connection to ${place} could be made (${code})`
    return new GatewayError('upstream_unavailable', because(what, 'check its certificate and its address'), details)
  }
  if (/^HPE_|HTTPParserError|UND_ERR_HEADERS_OVERFLOW/.test(code) && !answered) {
    const what = `What ${place} answered is not proper HTTP (${code})`
    return new GatewayError(
      'upstream_error',
      because(what, 'check that the address is that of a model server'),
      details,
    )
  }
  if (answered) {
    return new GatewayError('upstream_unavailable', because(`${place} broke off in the middle of its answer`), details)
  }
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET') {
    // Often a kept connection that the server had just given up; the same server answers on a new one.
    const what = `${place} closed the connection before it answered`
    return new GatewayError('upstream_disconnected', because(what), details)
  }
  return new GatewayError('upstream_unavailable', because(`${place} cannot be reached (${code})`), details)
}

/** `host:port`, with the port even where the scheme implies it. */
function placeOf(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`
}

/** A name with several addresses fails with one error for each; the first tells enough. */
function codeOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  if (code !== undefined) return code
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error.cause
  return inner instanceof Error ? codeOf(inner) : error.name
}
