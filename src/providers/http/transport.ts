import type { Dispatcher } from 'undici'
import { isLoopback } from '../../net.ts'
import { openAgent, openProxyAgent } from './dispatchers.ts'
import { exchange, type TransportReply, type TransportRequest } from './exchange.ts'

/** The connections to all upstreams. It throws only `GatewayError` and follows no redirects. */
export interface Transport {
  send(request: TransportRequest): Promise<TransportReply>
  /** Closes every socket; exchanges in progress fail with `shutting_down`. */
  close(): Promise<void>
}

export interface TransportOptions {
  connectTimeoutMs: number
  /** Proxies for servers on other hosts; undefined connects directly. */
  httpProxy?: string | undefined
  httpsProxy?: string | undefined
  /** Hosts reached without the proxy, separated by commas. */
  noProxy?: string | undefined
}

/** One connection pool per origin. Loopback is never reached through a proxy. */
export function createTransport({ connectTimeoutMs, httpProxy, httpsProxy, noProxy }: TransportOptions): Transport {
  const connections = {
    // More than all slots together: requests queue in the gateway, not in the pool.
    connections: 1024,
    maxOrigins: 256,
    maxHeaderSize: 64 * 1024,
    // The gateway enforces the first-token, idle and total timeouts, through the signal.
    headersTimeout: 0,
    bodyTimeout: 0,
    // One request per socket: closing it is how a server notices a disconnect.
    allowH2: false,
    pipelining: 1,
  }
  const connect = { timeout: connectTimeoutMs }
  const direct = openAgent({ ...connections, connect })
  const through = (proxy: string | undefined): Dispatcher =>
    proxy === undefined
      ? direct
      : openProxyAgent({
          ...connections,
          connect,
          proxyTls: connect,
          requestTls: connect,
          // Explicit values keep undici from reading the environment itself.
          httpProxy: proxy,
          httpsProxy: proxy,
          noProxy: noProxy ?? '',
        })
  const plain = through(httpProxy)
  const secure = through(httpsProxy)

  return {
    send(request) {
      const url = new URL(request.url)
      const outside = url.protocol === 'https:' ? secure : plain
      // Users also write 0.0.0.0 for a server on this machine.
      const here = isLoopback(url.hostname) || url.hostname === '0.0.0.0'
      const dispatcher = here ? direct : outside
      return exchange(dispatcher, url, request, { connectTimeoutMs, mayUseProxy: dispatcher !== direct })
    },
    async close() {
      await Promise.all([...new Set([direct, plain, secure])].map(dispatcher => dispatcher.destroy()))
    },
  }
}
