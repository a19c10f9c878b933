import { connect } from 'node:net'
import { request as send } from 'undici'
import * as fc from 'fast-check'
import { startMcpSession } from '../helpers/mcp-session.ts'
import { mcpRequests, type ToolDescription } from './mcp-messages.ts'
import { httpRequests, type ApiDocument, type FuzzRequest } from './requests.ts'
import { socketFrames } from './socket-frames.ts'

export interface FuzzFindings {
  requests: number
  /** Those that were answered with 2xx, so that what follows validation was tried too. */
  accepted: number
  /** Failures that are neither the caller's nor a model server's: a bug. */
  unexpected: number
  hangs: number
}

/** Requests made of one seed; a batch can be played again by itself. */
const batchSize = 50
const parallel = 8
const hangMs = 30_000
/** Of a batch, the requests to `/mcp`, and the connections to each WebSocket. */
const mcpShare = 12
const socketShare = 2
const socketPaths = ['/ws', '/v1/responses']

/**
 * The only key of a server that is played with. Without one a server is open until one is created, as some of the requests
 * do, and then refuses all others.
 */
export const fuzzKey = 'fuzz'
const caller = { 'x-api-key': fuzzKey }

/** Plays the batches of requests with the seeds from `from` on until there were `count`. `report` gets a line for each finding. */
export async function playFuzz(
  url: string,
  { from, count }: { from: number; count: number },
  report: (finding: string) => void,
): Promise<FuzzFindings> {
  const findings: FuzzFindings = { requests: 0, accepted: 0, unexpected: 0, hangs: 0 }
  const document = (await (await fetch(`${url}/openapi.json`, { headers: caller })).json()) as ApiDocument
  const session = await startMcpSession(url, caller)
  const arbitraries = { http: httpRequests(document), mcp: mcpRequests(await toolsOf(url, session), session) }
  const tell = (what: 'unexpected' | 'hangs', line: string) => {
    findings[what]++
    report(`${what}: ${line}`)
  }
  for (let seed = from; findings.requests < count; seed++) {
    const sample = <T>(arbitrary: fc.Arbitrary<T>, numRuns: number) => fc.sample(arbitrary, { seed, numRuns })
    const steps: (() => Promise<void>)[] = [
      ...sample(arbitraries.http, batchSize - mcpShare - socketPaths.length * socketShare),
      ...sample(arbitraries.mcp, mcpShare),
    ].map(each => async () => {
      const status = await playRequest(url, each, (what, line) => tell(what, `batch ${seed}: ${line}`))
      if (status !== undefined && status < 300) findings.accepted++
    })
    for (const frames of sample(socketFrames, socketShare)) {
      for (const path of socketPaths) {
        steps.push(() => playFrames(url, path, frames, (what, line) => tell(what, `batch ${seed}: ${line}`)))
      }
    }
    await Promise.all(
      Array.from({ length: parallel }, async () => {
        for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
          findings.requests++
          await step()
        }
      }),
    )
  }
  const health = await send(`${url}/health`)
  await health.body.dump()
  if (health.statusCode !== 200) tell('unexpected', `afterwards /health says ${health.statusCode}`)
  return findings
}

type Tell = (what: 'unexpected' | 'hangs', line: string) => void

/** Returns the status of the answer, if there was one. */
async function playRequest(url: string, { method, path, headers, body }: FuzzRequest, tell: Tell) {
  const told = `${method} ${path.slice(0, 100)} ${JSON.stringify(headers).slice(0, 150)} ${String(body).slice(0, 300)}`
  const signal = AbortSignal.timeout(hangMs)
  try {
    const reply = await send(`${url}${path}`, {
      method: method as 'POST',
      headers: { ...caller, ...headers },
      signal,
      ...(method !== 'GET' && body !== undefined && { body }),
    })
    const text = await reply.body.text()
    const wrong = wrongIn(reply.statusCode, text)
    if (wrong !== undefined) tell('unexpected', `${wrong}: ${told}: ${text.slice(0, 200)}`)
    return reply.statusCode
  } catch (error) {
    if (signal.aborted) tell('hangs', told)
    else tell('unexpected', `${String(error)}: ${told}`)
    return undefined
  }
}

/**
 * Statuses of a model server's failures and of what is full or missing; each has an error of a known code. 529 is what 503 is
 * to a caller with Anthropic's version header.
 */
const foreseen = new Set([501, 502, 503, 504, 529])

function wrongIn(status: number, text: string): string | undefined {
  // The MCP library answers parameters of the wrong shape with this code and the issues that its schema found.
  const isInternal = /"code":\s*(?:"internal"|-32603,"message":"(?!\[\\n))/.test(text)
  if (status === 500 || isInternal) return `status ${status}, an internal error`
  if (status >= 500 && !foreseen.has(status)) return `status ${status}`
  if (status >= 400 && !/"error"/.test(text)) return `status ${status} without an error`
  return undefined
}

async function playFrames(url: string, path: string, frames: Buffer, tell: Tell): Promise<void> {
  const handshake =
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `X-Api-Key: ${fuzzKey}\r\n` +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n'
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let reply = ''
  socket.on('data', bytes => (reply += bytes.toString('latin1')))
  // A server that refuses a frame may reset the connection.
  socket.on('error', () => undefined)
  socket.end(Buffer.concat([Buffer.from(handshake), frames]))
  const timer = setTimeout(() => {
    tell('hangs', `${path} after ${frames.toString('hex').slice(0, 200)}`)
    socket.destroy()
  }, hangMs)
  await new Promise(resolve => socket.once('close', resolve))
  clearTimeout(timer)
  if (reply !== '' && !reply.startsWith('HTTP/1.1 101')) tell('unexpected', `${path} says ${reply.slice(0, 100)}`)
}

async function toolsOf(url: string, session: Record<string, string>): Promise<ToolDescription[]> {
  const reply = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...session },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  })
  const text = await reply.text()
  const json = text.startsWith('{') ? text : (/^data: (.*)$/m.exec(text)?.[1] ?? '{}')
  return (JSON.parse(json) as { result: { tools: ToolDescription[] } }).result.tools
}
