import type { ServerContext } from '@modelcontextprotocol/server'
import type { Progress } from '../operations/operation.ts'

export interface ProgressSender {
  send: (progress: Progress) => void
  /** Sends what still waits; resolves when everything is sent. */
  end: () => Promise<void>
}

/** A model may report every token; a person or an agent wants to know once a second. */
const intervalMs = 1_000

/** Sends progress in order, to clients that requested it: the first at once, then the newest once a second and at the end. */
export function progressSender({ mcpReq }: ServerContext): ProgressSender {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return { send: () => undefined, end: () => Promise.resolve() }
  let sent = Promise.resolve()
  let newest: Progress | undefined
  let pause: NodeJS.Timeout | undefined
  const clientGone = () => undefined

  function sendNewest(): void {
    pause = undefined
    if (newest === undefined) return
    const params = { ...newest, progressToken }
    newest = undefined
    sent = sent.then(() => mcpReq.notify({ method: 'notifications/progress', params }).catch(clientGone))
    pause = setTimeout(sendNewest, intervalMs)
  }

  return {
    send(progress) {
      newest = progress
      if (pause === undefined) sendNewest()
    },
    async end() {
      clearTimeout(pause)
      sendNewest()
      clearTimeout(pause)
      await sent
    },
  }
}
