import { createRequire } from 'node:module'
import type { Agent, EnvHttpProxyAgent } from 'undici'

const require = createRequire(import.meta.url)

/**
 * Undici's index also loads fetch, WebSockets, caches and mocks: a tenth of the startup time, and 14 MB that nothing
 * here uses.
 */
export function openAgent(options: Agent.Options): Agent {
  const Direct = require('undici/lib/dispatcher/agent.js') as typeof Agent
  return new Direct(options)
}

/** Connects through a proxy except to the hosts excluded by its options; without the full undici it could open no tunnel. */
export function openProxyAgent(options: EnvHttpProxyAgent.Options): EnvHttpProxyAgent {
  const { EnvHttpProxyAgent: Proxying } = require('undici') as { EnvHttpProxyAgent: typeof EnvHttpProxyAgent }
  return new Proxying(options)
}
