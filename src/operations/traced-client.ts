import { asGatewayError } from '../errors.ts'
import type { Traces } from '../telemetry/traces.ts'
import type { Client } from './client.ts'

/** The same client; each call becomes a span. */
export function tracedClient(client: Client, { startTool }: Pick<Traces, 'startTool'>): Client {
  return {
    async call(name, input, options) {
      const end = startTool(name, options?.traceParent)
      try {
        const result = await client.call(name, input, options)
        end()
        return result
      } catch (error) {
        end(asGatewayError(error))
        throw error
      }
    },
  }
}
