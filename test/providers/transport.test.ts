import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { GatewayError } from '../../src/errors.ts'
import type { TransportReply } from '../../src/providers/http/exchange.ts'
import { createTransport, type TransportOptions } from '../../src/providers/http/transport.ts'
import { gate } from '../helpers/scripted-upstream.ts'

const signal = new AbortController().signal

t.test('reaches loopback directly and everything else through the proxy', async t => {
  const seen: string[] = []
  const proxy = await serve(t, (request, response) => {
    seen.push(request.url ?? '')
    response.end('through the proxy')
  })
  const server = await serve(t, (_request, response) => response.end('directly'))
  const transport = makeTransport(t, { httpProxy: proxy.url, noProxy: 'near.test' })
  t.equal(await text(await transport.send({ method: 'GET', url: server.url, signal })), 'directly')
  t.equal(
    await text(await transport.send({ method: 'GET', url: 'http://far.test/v1/models', signal })),
    'through the proxy',
  )
  t.same(seen, ['http://far.test/v1/models'])
  await t.rejects(transport.send({ method: 'GET', url: 'http://near.test/', signal }), { code: 'upstream_unavailable' })
  t.equal(seen.length, 1, 'NO_PROXY is honored')
})

t.test('tunnels https through its proxy and names the proxy when that fails', async t => {
  const seen: string[] = []
  const proxy = await serve(t, (_request, response) => response.end())
  proxy.server.on('connect', (request, socket) => {
    seen.push(request.url ?? '')
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
  })
  const transport = makeTransport(t, { httpsProxy: proxy.url })
  await t.rejects(transport.send({ method: 'GET', url: 'https://far.test/', signal }), {
    code: 'upstream_unavailable',
    message: /far\.test:443.*HTTPS_PROXY/,
  })
  t.same(seen, ['far.test:443'])
})

t.test('takes no proxy from the environment by itself', async t => {
  const proxy = await serve(t, (_request, response) => response.end('through the proxy'))
  const before = process.env.http_proxy
  process.env.http_proxy = proxy.url
  t.teardown(() => {
    if (before === undefined) delete process.env.http_proxy
    else process.env.http_proxy = before
  })
  const transport = makeTransport(t)
  await t.rejects(transport.send({ method: 'GET', url: 'http://far.invalid/', signal }), {
    code: 'upstream_unavailable',
  })
})

t.test('reports host, port and what to check when a connection fails', async t => {
  const gone = await serve(t, (_request, response) => response.end())
  gone.server.close()
  const transport = makeTransport(t)
  const remedy = 'start it with `serve`'
  await t.rejects(transport.send({ method: 'GET', url: gone.url, signal, remedy }), {
    code: 'upstream_unavailable',
    message: `Connection refused by 127.0.0.1:${gone.port}; start it with \`serve\`.`,
  })
  await t.rejects(transport.send({ method: 'GET', url: 'http://no.such.host.invalid:81/', signal }), {
    code: 'upstream_unavailable',
    message: /no\.such\.host\.invalid:81/,
  })
})

t.test('aborts a connection that is not established in time', async t => {
  // A port that accepts and then never says a word of TLS is as good as one that does not answer.
  const silent = await listen(t, createTcpServer())
  const transport = makeTransport(t, { connectTimeoutMs: 50 })
  await t.rejects(transport.send({ method: 'GET', url: `https://127.0.0.1:${silent}/`, signal }), {
    code: 'upstream_timeout',
    message: /did not accept a connection within 50 ms/,
  })
})

t.test('waits for a slow answer until its caller aborts', async t => {
  const { opened, open } = gate()
  const server = await serve(t, (_request, response) => void opened.then(() => response.end('late')))
  const transport = makeTransport(t, { connectTimeoutMs: 20 })
  const reply = transport.send({ method: 'GET', url: server.url, signal })
  await new Promise(resolve => setTimeout(resolve, 60))
  open()
  t.equal(await text(await reply), 'late')
})

t.test('rejects invalid HTTP', async t => {
  const port = await listen(
    t,
    createTcpServer(socket => socket.end('SSH-2.0-OpenSSH_9.9\r\n')),
  )
  const transport = makeTransport(t)
  await t.rejects(transport.send({ method: 'GET', url: `http://127.0.0.1:${port}/`, signal }), {
    code: 'upstream_error',
    message: /valid HTTP/,
  })
})

t.test('limits the size of response headers', async t => {
  const server = await serve(t, (_request, response) => {
    response.writeHead(200, { 'x-big': 'x'.repeat(70_000) }).end('fine')
  })
  const transport = makeTransport(t)
  await t.rejects(transport.send({ method: 'GET', url: server.url, signal }), { code: 'upstream_error' })
})

t.test('follows no redirects', async t => {
  const server = await serve(t, (_request, response) => {
    response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
  })
  const transport = makeTransport(t)
  t.equal((await transport.send({ method: 'GET', url: server.url, signal })).status, 302)
})

t.test('returns the data of one read as one piece, and the failure after it', async t => {
  const pieces = ['one ', 'two ', 'three'].map(text => `${text.length.toString(16)}\r\n${text}\r\n`)
  const port = await listen(
    t,
    createTcpServer(socket => {
      socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${pieces.join('')}`))
    }),
  )
  const transport = makeTransport(t)
  const { body } = await transport.send({ method: 'GET', url: `http://127.0.0.1:${port}/`, signal })
  const seen: string[] = []
  await t.rejects(
    async () => {
      for await (const bytes of body) seen.push(bytes.toString())
    },
    { code: 'upstream_unavailable' },
  )
  t.same(seen, ['one two three'])
})

t.test('sends JSON and whatever headers are given', async t => {
  const server = await serve(t, (request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      const { method, headers } = request
      response.end(
        JSON.stringify({
          method,
          type: headers['content-type'],
          x: headers['x-y'],
          body: String(Buffer.concat(chunks)),
        }),
      )
    })()
  })
  const transport = makeTransport(t)
  const reply = await transport.send({
    method: 'POST',
    url: server.url,
    json: { a: 'ü' },
    headers: { 'x-y': 'z' },
    signal,
  })
  t.same(JSON.parse(await text(reply)), { method: 'POST', type: 'application/json', x: 'z', body: '{"a":"ü"}' })
})

t.test('sends nothing for a caller that has already disconnected', async t => {
  let asked = 0
  const server = await serve(t, (_request, response) => {
    asked++
    response.end()
  })
  const transport = makeTransport(t)
  const reason = new GatewayError('upstream_timeout', 'too late')
  await t.rejects(transport.send({ method: 'GET', url: server.url, signal: AbortSignal.abort() }), {
    code: 'client_closed',
  })
  await t.rejects(transport.send({ method: 'GET', url: server.url, signal: AbortSignal.abort(reason) }), reason)
  t.equal(asked, 0)
})

t.test('reuses a connection when an answer is settled before its last byte is read', async t => {
  const sockets = new Set<Socket>()
  const server = await serve(t, (request, response) => {
    sockets.add(request.socket)
    response.write('data: [DONE]\n\n')
    setImmediate(() => response.end())
  })
  const transport = makeTransport(t)
  for (let round = 0; round < 3; round++) {
    const { body } = await transport.send({ method: 'GET', url: server.url, signal })
    for await (const bytes of body) {
      t.match(bytes.toString(), /DONE/)
      body.settle()
    }
    // The last chunk of the answer is still on its way. Several turns, not one long: after a pause of the whole process
    // a timer would come before what has arrived.
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setTimeout(resolve, 2))
  }
  t.equal(sockets.size, 1)
})

t.test('closes a settled connection that does not come to an end', async t => {
  const server = await serve(t, (_request, response) => {
    response.write('data: [DONE]\n\n')
  })
  const closed = Promise.withResolvers<void>()
  server.server.on('request', request => request.socket.once('close', () => closed.resolve()))
  const transport = makeTransport(t)
  const { body } = await transport.send({ method: 'GET', url: server.url, signal })
  for await (const bytes of body) {
    t.ok(bytes.length > 0)
    body.settle()
  }
  await closed.promise
})

t.test('loses nothing when the reader is slower than the server', async t => {
  const size = 8 * 1024 * 1024
  const server = await serve(t, (_request, response) => response.end(Buffer.alloc(size, 'x')))
  const transport = makeTransport(t)
  const { body } = await transport.send({ method: 'GET', url: server.url, signal })
  let read = 0
  for await (const bytes of body) {
    read += bytes.length
    await new Promise(resolve => setImmediate(resolve))
  }
  t.equal(read, size)
})

t.test('detects a body that is shorter than announced', async t => {
  const port = await listen(
    t,
    createTcpServer(socket => {
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\nhalf')
      socket.on('error', () => undefined)
    }),
  )
  const transport = makeTransport(t)
  const reply = await transport.send({ method: 'GET', url: `http://127.0.0.1:${port}/`, signal })
  await t.rejects(text(reply), { code: 'upstream_unavailable' })
})

t.test('treats the end of the connection as the end of a body without a length', async t => {
  const port = await listen(
    t,
    createTcpServer(socket => socket.end('HTTP/1.0 200 OK\r\n\r\nwhole')),
  )
  const transport = makeTransport(t)
  t.equal(await text(await transport.send({ method: 'GET', url: `http://127.0.0.1:${port}/`, signal })), 'whole')
})

t.test('aborts exchanges in progress when it is closed', async t => {
  const { opened, open } = gate()
  const arrived = Promise.withResolvers<void>()
  const server = await serve(t, (_request, response) => {
    arrived.resolve()
    void opened.then(() => response.end())
  })
  const transport = createTransport({ connectTimeoutMs: 1_000 })
  const reply = transport.send({ method: 'GET', url: server.url, signal })
  await arrived.promise
  const outcome = t.rejects(reply, { code: 'shutting_down' })
  await transport.close()
  await outcome
  open()
})

function makeTransport(t: Test, options: Partial<TransportOptions> = {}) {
  const transport = createTransport({ connectTimeoutMs: 2_000, ...options })
  t.teardown(() => transport.close())
  return transport
}

async function serve(t: Test, answer: RequestListener) {
  const server = createHttpServer(answer)
  const port = await listen(t, server)
  return { server, port, url: `http://127.0.0.1:${port}/` }
}

async function listen(t: Test, server: Server | TcpServer): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

async function text({ body }: TransportReply): Promise<string> {
  const chunks: Buffer[] = []
  for await (const bytes of body) chunks.push(bytes)
  return Buffer.concat(chunks).toString('utf8')
}
