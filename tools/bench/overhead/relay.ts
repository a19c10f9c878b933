import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { Pool } from 'undici'

/** A child process: a minimal relay with Fastify and undici. It parses, forwards and pipes; it decides and records nothing. */
const upstream = new Pool(process.argv[2] ?? '', { connections: 256 })
const app = Fastify({ bodyLimit: 32 * 1024 * 1024 })
app.post('/v1/chat/completions', async (request, reply) => {
  const { statusCode, headers, body } = await upstream.request({
    method: 'POST',
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request.body),
  })
  return reply.code(statusCode).type(String(headers['content-type'])).send(body)
})
await app.listen({ host: '127.0.0.1', port: 0 })
process.send?.({ port: (app.server.address() as AddressInfo).port })
