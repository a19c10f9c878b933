import { createHmac } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Hub, SignalboxEvent } from '../events.ts'
import { inSnakeCase } from '../json.ts'
import type { Transport } from '../providers/http/transport.ts'

export interface WebhookParts {
  url: string
  /** As in WEBHOOK_SECRET. */
  secret: string
  events: Pick<Hub<SignalboxEvent>, 'watch'>
  transport: Pick<Transport, 'send'>
  /** Milliseconds since the epoch. */
  now: () => number
  /** A number in [0, 1), which spreads retries. */
  random: () => number
  newId: (prefix: 'msg') => string
  log: Pick<Logger, 'warn'>
  /** Milliseconds before each further try. */
  retryMs?: readonly number[]
}

export interface Webhooks {
  /** Events that wait for their delivery or are being delivered. */
  pending: () => number
  /** Gives up what is not delivered yet. */
  close: () => Promise<void>
}

const waits = [1_000, 5_000, 30_000, 120_000, 600_000]
const answerMs = 15_000
const maxPending = 1_000
const maxAtOnce = 4

/**
 * Sends every event to `url`, signed as Standard Webhooks describe it (https://www.standardwebhooks.com): HMAC-SHA256 over
 * id, time and body. A delivery that is not answered with 2xx is tried again, later each time, and given up after about a
 * quarter of an hour; the same id tells a receiver that it has seen an event.
 */
export function startWebhooks(parts: WebhookParts): Webhooks {
  const { url, secret, events, transport, now, random, newId, log, retryMs = waits } = parts
  const key = keyOf(secret)
  const closing = new AbortController()
  const waiting: (() => Promise<void>)[] = []
  const running = new Set<Promise<void>>()

  async function deliver(message: Message): Promise<void> {
    for (let tries = 0; ; tries++) {
      const problem = await send(message)
      if (problem === undefined || closing.signal.aborted) return
      const wait = problem.final ? undefined : retryMs[tries]
      if (wait === undefined) {
        log.warn({ event: message.type, id: message.id, reason: problem.reason }, 'A webhook could not be delivered.')
        return
      }
      await setTimeout(wait * (1 + random() / 4), undefined, { signal: closing.signal, ref: false }).catch(
        () => undefined,
      )
      if (closing.signal.aborted) return
    }
  }

  async function send({ id, body }: Message): Promise<{ reason: string; final: boolean } | undefined> {
    const seconds = Math.floor(now() / 1000)
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(answerMs)])
    const text = JSON.stringify(body)
    try {
      const reply = await transport.send({
        method: 'POST',
        url,
        headers: {
          'webhook-id': id,
          'webhook-timestamp': String(seconds),
          'webhook-signature': `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${text}`).digest('base64')}`,
        },
        json: body,
        signal,
        remedy: 'Check WEBHOOK_URL.',
      })
      reply.body.settle()
      if (reply.status >= 200 && reply.status < 300) return undefined
      // By the same convention 410 says that the receiver wants no more.
      return { reason: `status ${reply.status}`, final: reply.status === 410 }
    } catch (error) {
      return { reason: (error as Error).message, final: false }
    }
  }

  function advance(): void {
    while (running.size < maxAtOnce) {
      const next = waiting.shift()
      if (next === undefined) return
      const done = next().finally(() => {
        running.delete(done)
        advance()
      })
      running.add(done)
    }
  }

  const unwatch = events.watch(event => {
    if (waiting.length + running.size >= maxPending) {
      log.warn({ event: event.type }, `A webhook was dropped: ${maxPending} others wait for WEBHOOK_URL to answer.`)
      return
    }
    const message = messageOf(event, newId('msg'), now())
    waiting.push(() => deliver(message))
    advance()
  })

  return {
    pending: () => waiting.length + running.size,
    async close() {
      unwatch()
      waiting.length = 0
      closing.abort()
      await Promise.all(running)
    },
  }
}

interface Message {
  id: string
  type: SignalboxEvent['type']
  body: { type: string; timestamp: string; data: object }
}

function messageOf({ type, ...data }: SignalboxEvent, id: string, at: number): Message {
  return { id, type, body: { type, timestamp: new Date(at).toISOString(), data: inSnakeCase(data) } }
}

/** A secret with the prefix of Standard Webhooks is base64; any other one is taken as it is. */
function keyOf(secret: string): Buffer {
  const prefix = 'whsec_'
  return secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), 'base64') : Buffer.from(secret)
}
