import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'
import { startMcpSession } from '../helpers/mcp-session.ts'

interface OtlpSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: { key: string; value: Record<string, unknown> }[]
  status?: { code?: number; message?: string }
}

interface OtlpRequest {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] }
    scopeSpans: { spans: OtlpSpan[] }[]
  }[]
}

/** A collector's receiver for OTLP over HTTP, in JSON. */
async function startCollector(t: Teardown) {
  const requests: { headers: IncomingHttpHeaders; url: string; body: OtlpRequest }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (piece: string) => (body += piece))
    request.on('end', () => {
      requests.push({ headers: request.headers, url: request.url ?? '', body: JSON.parse(body) as OtlpRequest })
      response.setHeader('content-type', 'application/json')
      response.end('{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
  })
  const spans = () =>
    requests.flatMap(({ body }) => body.resourceSpans.flatMap(each => each.scopeSpans.flatMap(scope => scope.spans)))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, spans }
}

function valuesOf({ attributes }: OtlpSpan): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => [
      key,
      stringValue ?? doubleValue ?? boolValue ?? Number(intValue),
    ]),
  )
}

const caller = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
const traceparent = `00-${caller.traceId}-${caller.spanId}-01`

t.test(
  'a request is one span of the caller’s trace, each attempt one below it, and the server gets the trace',
  async t => {
    const collector = await startCollector(t)
    const broken = await scriptedUpstream(t, 'llama-cpp', {
      answer: { error: { status: 500, message: 'Secret prompt!' } },
    })
    const usage = { promptTokens: 100, outputTokens: 20, cachedTokens: 40 }
    const working = await scriptedUpstream(t, 'lm-studio', { answer: { usage } })
    const gateway = await startGateway(t, {
      ...variablesFor(broken),
      ...variablesFor(working),
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-team=a%20b',
      OTEL_SERVICE_NAME: 'router-1',
    })
    const names = ['llama-cpp/scripted', 'lm-studio/scripted']
    const reply = await gateway.ask({ model: names[0], models: names }, { headers: { traceparent } })
    t.equal(reply.status, 200)
    await gateway.close(1_000)

    const [sent] = collector.requests
    t.match(sent, { url: '/v1/traces', headers: { 'x-team': 'a b' } })
    t.match(
      sent?.body.resourceSpans[0]?.resource.attributes.find(({ key }) => key === 'service.name'),
      { value: { stringValue: 'router-1' } },
    )
    const spans = collector.spans()
    const [request] = spans.filter(({ kind }) => kind === 2)
    const attempts = spans.filter(({ kind }) => kind === 3)
    t.match(request, { name: 'chat llama-cpp/scripted', traceId: caller.traceId, parentSpanId: caller.spanId })
    t.match(valuesOf(request!), {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'lm-studio',
      'gen_ai.response.model': 'scripted',
      'gen_ai.usage.input_tokens': 100,
      'gen_ai.usage.cache_read.input_tokens': 40,
      'gen_ai.usage.output_tokens': 20,
      'signalbox.request.id': String(reply.headers['x-signalbox-request-id']),
      'signalbox.attempts': attempts.length,
      'http.response.status_code': 200,
    })
    t.ok(attempts.length >= 2)
    for (const attempt of attempts) t.match(attempt, { traceId: caller.traceId, parentSpanId: request!.spanId })
    t.match(valuesOf(attempts[0]!), { 'error.type': /^upstream_/, 'gen_ai.provider.name': 'llama-cpp' })
    t.equal(attempts[0]!.status?.code, 2)
    t.notMatch(JSON.stringify(collector.requests), /Secret prompt/)
    const last = attempts.at(-1)!
    t.equal(working.chats[0]?.headers['traceparent'], `00-${caller.traceId}-${last.spanId}-01`)
    for (const span of spans) t.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano))
  },
)

t.test('a request without a trace, or with an invalid one, starts its own; one not sampled is not sent', async t => {
  const collector = await startCollector(t)
  const local = await scriptedUpstream(t, 'llama-cpp')
  const variables = { ...variablesFor(local), OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/own/path` }
  const gateway = await startGateway(t, variables)
  await gateway.ask()
  await gateway.ask({}, { headers: { traceparent: `00-${'0'.repeat(32)}-${caller.spanId}-01` } })
  await gateway.ask({}, { headers: { traceparent: 'nonsense' } })
  await gateway.ask({}, { headers: { traceparent: `00-${caller.traceId}-${caller.spanId}-00` } })
  await gateway.close(1_000)
  t.equal(collector.requests[0]?.url, '/own/path')
  const requests = collector.spans().filter(({ kind }) => kind === 2)
  t.equal(requests.length, 3)
  t.equal(new Set(requests.map(({ traceId }) => traceId)).size, 3)
  for (const span of requests) t.notOk(span.parentSpanId)
  t.match(local.chats[3]?.headers['traceparent'], new RegExp(`^00-${caller.traceId}-[0-9a-f]{16}-00$`))
})

t.test('without a collector no server is told of a trace', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(local))
  await gateway.ask({}, { headers: { traceparent } })
  t.equal(local.chats[0]?.headers['traceparent'], undefined)
})

t.test('a call of an MCP tool is a span of the trace that the client names', async t => {
  const collector = await startCollector(t)
  const gateway = await startGateway(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  const headers = await startMcpSession(gateway.url)
  const reply = await fetch(`${gateway.url}/mcp`, {
    method: 'POST',
    headers: { ...headers, accept: 'application/json, text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 7,
      method: 'tools/call',
      params: { name: 'status', arguments: {}, _meta: { traceparent } },
    }),
  })
  t.equal(reply.status, 200)
  await reply.text()
  await gateway.close(1_000)
  const span = collector.spans().find(({ name }) => name === 'tools/call status')
  t.match(span, { traceId: caller.traceId, parentSpanId: caller.spanId })
  t.match(valuesOf(span!), { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'status' })
})

t.test('a collector that is down holds up neither requests nor the end', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const variables = { ...variablesFor(local), OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }
  const gateway = await startGateway(t, variables)
  t.equal((await gateway.ask()).status, 200)
  await gateway.close(1_000)
})
