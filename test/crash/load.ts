import { setTimeout } from 'node:timers/promises'
import { Agent, request as send } from 'undici'

/** What callers know when the server dies. */
export interface Load {
  /** Answers that a caller has read to their end: the caller's id of the request, and when, by `performance.now`. */
  settled: { id: string; atMs: number }[]
  /** Tasks whose submission was confirmed. */
  tasks: string[]
  searches: number
  /** Answers other than 200 of a living server, as text. */
  refused: string[]
  /**
   * When the last health check was sent that was answered, by `performance.now`, and the longest time between two such: a process
   * that gets no time from its machine cannot keep what it promises.
   */
  alive: { atMs: number; silenceMs: number }
  /** Resolves with the first answer. */
  begun: Promise<void>
  /** Ends the load; resolves when no caller is waiting any more. */
  stop: () => Promise<void>
}

export interface LoadParts {
  url: string
  random: () => number
  /** Precedes the callers' ids of their requests. */
  prefix: string
  callers: number
}

const pulseMs = 10
const paths = ['chat/completions', 'messages', 'responses'] as const

/** Callers that ask, submit tasks, search, and sometimes leave, one thing after the other. */
export function startLoad({ url, random, prefix, callers }: LoadParts): Load {
  const dispatcher = new Agent()
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const stopping = new AbortController()
  let count = 0
  const load: Load = {
    settled: [],
    tasks: [],
    searches: 0,
    refused: [],
    alive: { atMs: performance.now(), silenceMs: 0 },
    begun,
    stop,
  }

  async function post(path: string, body: object, headers: Record<string, string> = {}, signal?: AbortSignal) {
    const reply = await send(`${url}${path}`, {
      method: 'POST',
      dispatcher,
      headers,
      signal,
      body: JSON.stringify(body),
    })
    const text = await reply.body.text()
    begin()
    if (reply.statusCode === 200) return text
    load.refused.push(`${path}: ${reply.statusCode} ${text.slice(0, 300)}`)
    return undefined
  }

  async function ask(): Promise<void> {
    const id = `${prefix}-${count++}`
    const path = paths[Math.floor(random() * paths.length)]!
    const messages = [{ role: 'user', content: `Hello, this is ${id}.` }]
    const input = path === 'responses' ? { input: messages, store: false } : { messages }
    const body = { model: 'auto', max_tokens: 50, stream: random() < 0.5, ...input }
    const leavesAfterMs = random() < 0.1 ? 30 * random() : undefined
    const signal = leavesAfterMs === undefined ? undefined : AbortSignal.timeout(leavesAfterMs)
    const answer = await post(`/v1/${path}`, body, { 'x-request-id': id }, signal)
    if (answer !== undefined) load.settled.push({ id, atMs: performance.now() })
  }

  async function submit(): Promise<void> {
    const answer = await post('/api/tasks', { task: `Task ${prefix}-${count++}`, context_length: 0 })
    if (answer !== undefined) load.tasks.push((JSON.parse(answer) as { task_id: string }).task_id)
  }

  async function search(): Promise<void> {
    const answer = await post('/admin/search', { query: `name:${Math.floor(random() * 50)} function` })
    if (answer !== undefined) load.searches += 1
  }

  async function call(): Promise<void> {
    while (!stopping.signal.aborted) {
      const chance = random()
      try {
        await (chance < 0.7 ? ask() : chance < 0.85 ? submit() : search())
      } catch {
        // The server has died, or this caller has left.
        await setTimeout(5)
      }
    }
  }

  async function watchPulse(): Promise<void> {
    while (!stopping.signal.aborted) {
      const atMs = performance.now()
      try {
        await (await send(`${url}/health`, { dispatcher })).body.dump()
        load.alive.silenceMs = Math.max(load.alive.silenceMs, atMs - load.alive.atMs)
        load.alive.atMs = atMs
      } catch {
        // The server has died.
      }
      await setTimeout(pulseMs)
    }
  }

  const calling = Promise.all([watchPulse(), ...Array.from({ length: callers }, call)])
  async function stop(): Promise<void> {
    stopping.abort()
    await dispatcher.destroy()
    await calling
  }
  return load
}
