import { GatewayError } from '../../errors.ts'
import { AlreadyRunning, type Instance } from '../../instance.ts'
import { attach } from '../../mcp/attach.ts'
import { NotYet, type Connection } from '../../mcp/follow.ts'
import { inProcessClient } from '../../operations/client.ts'
import { operations } from '../../operations/index.ts'
import { watchNews, type News } from '../../operations/live.ts'
import { start } from '../../start.ts'
import { readConfig as readConfigFrom } from '../installation.ts'
import { version } from '../root.ts'

export interface CoreOptions {
  environment: Readonly<Record<string, string | undefined>>
  /** The address of the Signalbox to use; left out, the one of the data directory, which may be this process. */
  target?: string
  /** The API key to send to `target`. */
  apiKey?: string
  receive: (news: News) => void
}

const graceMs = 2_000

/**
 * Connects to `target`, or else runs the core of the data directory in this process or connects to the one that another
 * process runs. Throws `NotYet` where another process is starting, `ConfigError` and what `attach` throws.
 */
export async function connectToCore({ environment, target, apiKey, receive }: CoreOptions): Promise<Connection> {
  if (target === undefined) return await ownOrAttach(environment, receive)
  return await attach({ url: target, ...tokenOf(apiKey), receive })
}

async function ownOrAttach(
  environment: CoreOptions['environment'],
  receive: CoreOptions['receive'],
): Promise<Connection> {
  const readConfig = () => readConfigFrom(environment)
  try {
    const running = await start(readConfig(), version(), { readConfig })
    const { core, url } = running
    const unwatch = watchNews(core, receive)
    return {
      client: inProcessClient(operations, core, (err, operation) => {
        core.log.error({ err, operation }, 'unexpected failure')
      }),
      url,
      gone: new Promise(() => undefined),
      close: async () => {
        unwatch()
        await running.close(graceMs)
      },
    }
  } catch (error) {
    if (!(error instanceof AlreadyRunning)) throw error
    if (error.instance === undefined) throw new NotYet(error.message)
    return await attachTo(error.instance, receive)
  }
}

async function attachTo({ url, token }: Instance, receive: CoreOptions['receive']): Promise<Connection> {
  try {
    return await attach({ url, token, receive })
  } catch (error) {
    // The announced instance has ended; another one takes over and announces its own address and token.
    if (error instanceof GatewayError) throw new NotYet(error.message)
    throw error
  }
}

/** A key may have a name, as in SIGNALBOX_API_KEY. */
function tokenOf(key: string | undefined): { token?: string } {
  const first = key?.split(',')[0]
  return first === undefined ? {} : { token: first.slice(first.indexOf('=') + 1) }
}
