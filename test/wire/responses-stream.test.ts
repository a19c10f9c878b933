import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { GatewayError } from '../../src/errors.ts'
import type { ChatChunk, ChatCompletion } from '../../src/wire/chat/schema.ts'
import { anthropicFormat, responsesFormat } from '../../src/wire/chat/reasoning-details.ts'
import { responses } from '../../src/wire/responses/protocol.ts'
import { readData } from '../../src/wire/sse.ts'
import { partFromChunks } from '../../src/wire/stream-part.ts'
import { answers, chunksOf, completionOf, cuts, partSizes, reply } from './answers.ts'

type Json = Record<string, unknown>
interface Event extends Json {
  type: string
  sequence_number: number
  output_index: number
  item_id: string
  item: Json
  response: { output: Json[] } & Json
}

const asked = {
  model: 'm',
  stream: true,
  input: [{ role: 'user', content: 'x' }] as Json[],
  tools: [
    { type: 'function', name: 'read', parameters: { type: 'object' } },
    { type: 'custom', name: 'write', description: 'Writes.' },
    { type: 'namespace', name: 'shell', tools: [{ type: 'function', name: 'run', parameters: {} }] },
    { type: 'tool_search', execution: 'client', description: 'Finds.', parameters: { type: 'object' } },
  ],
}

function write(chunks: readonly ChatChunk[], size = 1): Event[] {
  const writer = responses.parseRequest(asked).createStreamWriter(reply)
  const parts = partSizes(chunks, size).map(part => writer.push(partFromChunks(part)))
  return eventsOf(Buffer.concat([...parts, writer.end()]))
}

function eventsOf(bytes: Buffer): Event[] {
  return readData(bytes).map(data => JSON.parse(data) as Event)
}

function whole(completion: ChatCompletion): Event['response'] {
  return JSON.parse(
    JSON.stringify(responses.parseRequest(asked).writeCompletion(completion, reply)),
  ) as Event['response']
}

function chunks(deltas: readonly Json[], finish = 'stop'): ChatChunk[] {
  return [...deltas, {}].map((delta, index) => ({
    choices: [{ index: 0, delta, finish_reason: index === deltas.length ? finish : null }],
  }))
}

const calling = (name: string, text: string) => ({
  tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name, arguments: text } }],
})

t.test('a stream ends with the same Response as the buffered response', async () => {
  fc.assert(
    fc.property(answers, cuts, fc.integer({ min: 1, max: 5 }), (answer, cut, size) => {
      const events = write(chunksOf(answer, anthropicFormat, cut), size)
      assert.deepEqual(events.at(-1)!.response, whole(completionOf(answer, anthropicFormat)))
    }),
  )
})

t.test('what the client sends back is what the model said', async () => {
  fc.assert(
    fc.property(answers, fc.constantFrom(anthropicFormat, responsesFormat), cuts, (any, format, cut) => {
      const answer = { ...any, calls: any.calls.map(asTold) }
      const { output } = write(chunksOf(answer, format, cut)).at(-1)!.response
      const { request } = responses.parseRequest({ ...asked, input: [...asked.input, ...output] })
      const { message } = completionOf(answer, format).choices[0]!
      const said = output.length === 0 ? [] : [message]
      assert.deepEqual(withoutPlaces(request.messages.slice(1)), withoutPlaces(said))
    }),
  )
})

/** A call by a model that was given the tools as functions. */
function asTold<C extends { name: string; input: Json }>(call: C): C {
  if (call.name === 'run') return { ...call, name: 'shell__run' }
  return call.name === 'write' ? { ...call, input: { input: JSON.stringify(call.input) } } : call
}

t.test('every item and part is opened, filled and closed, and events are counted without a gap', async () => {
  fc.assert(
    fc.property(answers, cuts, (answer, cut) => {
      const events = write(chunksOf(answer, anthropicFormat, cut))
      assert.deepEqual(
        events.map(({ sequence_number: number }) => number),
        events.map((_, index) => index),
      )
      assert.deepEqual(
        events.slice(0, 2).map(({ type }) => type),
        ['response.created', 'response.in_progress'],
      )
      const open = new Set<number>()
      const done: Json[] = []
      const texts = new Map<string, string>()
      for (const event of events) {
        const { type, output_index: place } = event
        if (type === 'response.output_item.added') {
          assert.equal(place, open.size + done.length)
          open.add(place)
        } else if (type === 'response.output_item.done') {
          assert.ok(open.delete(place))
          done[place] = event.item
        } else if (place !== undefined) assert.ok(open.has(place), type)
        const part = `${type.replace(/\.(delta|done)$/, '')} ${event.item_id} ${String(event['summary_index'])}`
        if (type.endsWith('.delta')) texts.set(part, (texts.get(part) ?? '') + String(event['delta']))
        const final = event['text'] ?? event['arguments'] ?? event['input']
        if (type.endsWith('.done') && final !== undefined) assert.equal(final, texts.get(part) ?? '')
      }
      assert.equal(open.size, 0)
      assert.deepEqual(done, events.at(-1)!.response.output)
    }),
  )
})

t.test('a plain answer has the full event sequence', async t => {
  const events = write([
    ...chunks([{ content: 'Hel' }, { content: 'lo' }]),
    { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } },
  ])
  t.same(
    events.map(({ type }) => type.slice('response.'.length)),
    [
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'completed',
    ],
  )
  t.match(events.at(-1), {
    response: {
      id: 'resp_r1',
      status: 'completed',
      created_at: 1_700_000_000,
      output: [{ type: 'message', content: [{ type: 'output_text', text: 'Hello' }] }],
      usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
    },
  })
})

t.test('a patch written through a function becomes a freeform call', async t => {
  const patch = '*** Begin Patch\n+"quoted"\n'
  const events = write(chunks([calling('write', '{"inp'), calling('', `ut":${JSON.stringify(patch)}}`)], 'tool_calls'))
  t.match(
    events.filter(({ type }) => type.startsWith('response.custom')),
    [
      { type: 'response.custom_tool_call_input.delta', delta: patch },
      { type: 'response.custom_tool_call_input.done', input: patch },
    ],
  )
  t.match(events.at(-1)!.response.output, [
    { type: 'custom_tool_call', call_id: 'call_1', name: 'write', input: patch, status: 'completed' },
  ])
})

t.test('a misnamed freeform argument, or one without JSON, is understood', async t => {
  const inputOf = (text: string) =>
    write(chunks([calling('write', text)], 'tool_calls')).at(-1)!.response.output[0]!['input']
  t.equal(inputOf('{"patch":"p"}'), 'p')
  t.equal(inputOf('*** Begin Patch'), '*** Begin Patch')
  t.equal(inputOf('{"a":"b","c":"d"}'), '{"a":"b","c":"d"}')
})

t.test('a flattened function is called back in its namespace, and a search as a search', async t => {
  const itemOf = (name: string) => write(chunks([calling(name, '{"a":1}')], 'tool_calls')).at(-1)!.response.output[0]
  t.match(itemOf('shell__run'), { type: 'function_call', namespace: 'shell', name: 'run', arguments: '{"a":1}' })
  t.match(itemOf('tool_search'), { type: 'tool_search_call', execution: 'client', arguments: { a: 1 } })
})

t.test('parallel calls may be written piece by piece at the same time', async t => {
  const piece = (index: number, more: Json) => ({ tool_calls: [{ index, ...more }] })
  const events = write(
    chunks([
      piece(0, { id: 'a', function: { name: 'read', arguments: '{"x"' } }),
      piece(1, { id: 'b', function: { name: 'read', arguments: '{"y"' } }),
      piece(0, { function: { arguments: ':1}' } }),
      piece(1, { function: { arguments: ':2}' } }),
    ]),
  )
  t.match(events.at(-1)!.response.output, [
    { call_id: 'a', arguments: '{"x":1}' },
    { call_id: 'b', arguments: '{"y":2}' },
  ])
})

t.test("OpenAI's own encrypted reasoning passes unchanged, another vendor's is sealed", async t => {
  const reasoning = (format: string) =>
    whole({
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          message: {
            role: 'assistant',
            content: '',
            reasoning_details: [{ type: 'reasoning.encrypted', data: 'abc', format }],
          },
        },
      ],
    }).output[0]!['encrypted_content']
  t.equal(reasoning(responsesFormat), 'abc')
  t.match(reasoning(anthropicFormat), /^signalbox\./)
})

t.test('a truncated answer is incomplete, and says why', async t => {
  t.match(write(chunks([{ content: 'x' }], 'length')).at(-1), {
    type: 'response.incomplete',
    response: { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
  })
  t.match(write(chunks([{ refusal: 'no' }], 'content_filter')).at(-1), {
    type: 'response.incomplete',
    response: {
      incomplete_details: { reason: 'content_filter' },
      output: [{ content: [{ type: 'refusal', refusal: 'no' }] }],
    },
  })
})

t.test('a stream that breaks ends with response.failed', async t => {
  const writer = responses.parseRequest(asked).createStreamWriter(reply)
  writer.push(partFromChunks(chunks([{ content: 'x' }]).slice(0, 1)))
  const error = new GatewayError('upstream_rate_limited', 'Too many.', { retryAfterSeconds: 3 })
  t.match(eventsOf(writer.fail(error)), [
    {
      type: 'response.failed',
      response: {
        status: 'failed',
        error: { code: 'rate_limit_exceeded', message: 'Too many. Please try again in 3s.' },
        output: [],
      },
    },
  ])
})

t.test('a failure before the first byte is an OpenAI error', async t => {
  t.same(responses.writeError(new GatewayError('invalid_request', 'No.', { param: 'input' })), {
    status: 400,
    body: { error: { message: 'No.', type: 'invalid_request_error', param: 'input', code: 'invalid_request' } },
  })
})

/** Positions in the stream and the surrounding text are not part of the content. */
function withoutPlaces(messages: readonly unknown[]): unknown {
  return JSON.parse(
    JSON.stringify(messages, (key, value: unknown) =>
      key === 'index' || (key === 'id' && String(value).startsWith('rs_')) ? undefined : value,
    ),
  )
}
