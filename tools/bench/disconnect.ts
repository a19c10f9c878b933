import { request as httpRequest, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { z } from 'zod'
import { goalRow, renderReport, type Row } from '../../src/cli/rows.ts'
import { quantile } from './overhead/load.ts'
import { launch } from './processes.ts'

/**
 * `LLAMA_SERVER_URL=… npm run bench:disconnect [-- --json] [--times 100]`: how long a real llama-server goes on after the
 * caller of Signalbox has closed the connection, and after its own caller has. The server must have the scripted model, which
 * answers LOOP without end.
 */
const goalMs = { p50: 60, p99: 300 }
const giveUpMs = 30_000
/** Polls of /slots bound the precision; llama-server answers one in about a millisecond. */
const Slots = z.array(z.looseObject({ is_processing: z.boolean(), n_ctx: z.number() }))
type Server = Pool

interface Case {
  path: string
  body: (contextTokens: number) => object
  /** Waits for the moment at which the caller leaves. */
  leaveWhen: (firstByte: Promise<unknown>, server: Server) => Promise<unknown>
}

const loop = [{ role: 'user', content: 'LOOP' }]
const cases: Readonly<Record<string, Case>> = {
  streamed: {
    path: '/v1/chat/completions',
    body: () => ({ model: 'auto', stream: true, messages: loop }),
    leaveWhen: async firstByte => {
      await firstByte
      await setTimeout(Math.random() * 50)
    },
  },
  whole: {
    path: '/v1/chat/completions',
    body: () => ({ model: 'auto', messages: loop }),
    leaveWhen: async (_, server) => {
      await untilSlots(server, true)
      await setTimeout(Math.random() * 50)
    },
  },
  prompt: {
    path: '/v1/completions',
    // A new beginning each time, so that nothing of it is cached. A token of the scripted model is a character.
    body: contextTokens => ({
      model: 'auto',
      stream: true,
      prompt: `${Math.random()} ${'word '.repeat((contextTokens * 0.8) / 5)}`,
    }),
    leaveWhen: (_, server) => untilSlots(server, true),
  },
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, times: { type: 'string', default: '100' } },
  })
  const url = process.env['LLAMA_SERVER_URL']
  if (url === undefined) {
    process.stderr.write('Nothing measured: LLAMA_SERVER_URL names no running llama-server with the scripted model.\n')
    return
  }
  const server = new Pool(new URL(url).origin)
  const signalbox = await launch('signalbox', `LLAMA_CPP_ENDPOINT=${url}`, 'PROVIDER_MAX_CONCURRENT_LOCAL=2')
  try {
    const rows: Row[] = []
    for (const [name, each] of Object.entries(cases)) {
      const [through, alone]: [number[], number[]] = [[], []]
      for (let turn = 0; turn < Number(values.times); turn++) {
        through.push(await freedMsAfter(`http://127.0.0.1:${signalbox.port}`, server, each))
        // It may take ten seconds.
        if (turn % 5 === 0) alone.push(await freedMsAfter(url, server, each))
      }
      rows.push(
        goalRow({ name: `${name}_p50_ms`, value: quantile(through, 0.5), unit: 'ms' }, 'at_most', goalMs.p50),
        goalRow({ name: `${name}_p99_ms`, value: quantile(through, 0.99), unit: 'ms' }, 'at_most', goalMs.p99),
        { name: `${name}_without_signalbox_p50_ms`, value: quantile(alone, 0.5), unit: 'ms' },
      )
    }
    process.stdout.write(`${renderReport(rows, values.json)}\n`)
  } finally {
    signalbox.child.disconnect()
    await server.close()
  }
}

/** The milliseconds from closing the connection to `origin` until no slot of `server` is busy. */
async function freedMsAfter(origin: string, server: Server, { path, body, leaveWhen }: Case): Promise<number> {
  await untilSlots(server, false)
  const [slot] = await slotsOf(server)
  const request = httpRequest(new URL(path, origin), { method: 'POST' })
  const firstByte = once(request, 'response').then(([reply]) => once(reply as IncomingMessage, 'data'))
  // Once the caller has left, an error is what is expected.
  request.on('error', () => undefined)
  firstByte.catch(() => undefined)
  request.end(JSON.stringify(body(slot?.n_ctx ?? 0)))
  await leaveWhen(firstByte, server)
  const leftAt = performance.now()
  request.destroy()
  await untilSlots(server, false)
  return performance.now() - leftAt
}

async function untilSlots(server: Server, busy: boolean): Promise<void> {
  const from = performance.now()
  while ((await slotsOf(server)).some(slot => slot.is_processing) !== busy) {
    if (performance.now() - from > giveUpMs)
      throw new Error(`no slot is ${busy ? 'busy' : 'free'} after ${giveUpMs} ms`)
  }
}

async function slotsOf(server: Server) {
  const { statusCode, body } = await server.request({ method: 'GET', path: '/slots' })
  if (statusCode !== 200) throw new Error(`/slots answered ${statusCode}; start llama-server with --slots`)
  return Slots.parse(await body.json())
}

await main()
