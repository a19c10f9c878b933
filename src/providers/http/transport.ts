import type { Dispatcher } from 'undici'
import { isLoopback } from '../../net.ts'
import { openAgent, openProxyAgent } from './dispatchers.ts'
import { exchange, type TransportReply, type TransportRequest } from './exchange.ts'

/** The connections to all upstreams. It throws only `GatewayError` and follows no redirects. */
export interface Transport {
  send(request: TransportRequest): Promise<TransportReply>
  /** Closes every socket; what is still under way fails with `shutting_down`. */
  close(): Promise<void>
}

export interface TransportOptions {
  connectTimeoutMs: number
  /** Proxies for servers that are not on this machine; undefined goes there directly. */
  httpProxy?: string | undefined
  httpsProxy?: string | undefined
  /** Hosts that are reached without the proxy, separated by commas. */
  noProxy?: string | undefined
}

/** One pool of connections for each origin. Loopback is never reached through a proxy. */
export function createTransport({ connectTimeoutMs, httpProxy, httpsProxy, noProxy }: TransportOptions): Transport {
  const connections = {
    // More than all slots together: the queue for an endpoint is the gateway's, not the pool's.
    connections: 1024,
    maxOrigins: 256,
    maxHeaderSize: 64 * 1024,
    // First token, silence and total time are watched by the gateway, through the signal.
    headersTimeout: 0,
    bodyTimeout: 0,
    // One request, one socket: hanging up must close it, which is how a server notices.
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
      // People write 0.0.0.0 for this machine too when they mean a server on it.
      const here = isLoopback(url.hostname) || url.hostname === '0.0.0.0'
      const dispatcher = here ? direct : outside
      return exchange(dispatcher, url, request, { connectTimeoutMs, mayUseProxy: dispatcher !== direct })
    },
    async close() {
      await Promise.all([...new Set([direct, plain, secure])].map(dispatcher => dispatcher.destroy()))
    },
  }
}
