import { createRequire } from 'node:module'
import type { Agent, EnvHttpProxyAgent } from 'undici'

const require = createRequire(import.meta.url)

/**
 * Undici's index loads fetch, WebSockets, caches and mocks as well: a tenth of the time of a start, and 14 MB that nothing
 * here uses.
 */
export function openAgent(options: Agent.Options): Agent {
  const Direct = require('undici/lib/dispatcher/agent.js') as typeof Agent
  return new Direct(options)
}

/** Reaches the hosts that its options do not except through a proxy; without all of undici it could open no tunnel. */
export function openProxyAgent(options: EnvHttpProxyAgent.Options): EnvHttpProxyAgent {
  const { EnvHttpProxyAgent: Proxying } = require('undici') as { EnvHttpProxyAgent: typeof EnvHttpProxyAgent }
  return new Proxying(options)
}
