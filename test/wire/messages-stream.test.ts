import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { GatewayError } from '../../src/errors.ts'
import { asObject } from '../../src/json.ts'
import { completionFromMessage, messageFromCompletion } from '../../src/wire/messages/response.ts'
import { createMessagesReader } from '../../src/wire/messages/upstream-stream.ts'
import { messages } from '../../src/wire/messages/protocol.ts'
import { unknownUsage } from '../../src/wire/messages/schema.ts'
import type { ChatChunk } from '../../src/wire/chat/schema.ts'
import { anthropicFormat } from '../../src/wire/chat/reasoning-details.ts'
import { createFrameSplitter, readData } from '../../src/wire/sse.ts'
import { partFromChunks } from '../../src/wire/stream-part.ts'
import { answers, assemble, chunksOf, completionOf, cuts, partSizes, reply } from './answers.ts'

interface Event {
  type: string
  index: number
  delta: Record<string, unknown>
  content_block: Record<string, unknown>
  [field: string]: unknown
}

function write(chunks: readonly ChatChunk[], size = 1): Buffer {
  const writer = createWriter()
  return Buffer.concat([...partSizes(chunks, size).map(part => writer.push(partFromChunks(part))), writer.end()])
}

function createWriter() {
  const asked = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'x' }] }
  return messages.parseRequest(asked).createStreamWriter(reply)
}

function eventsOf(bytes: Buffer): Event[] {
  return readData(bytes).map(data => JSON.parse(data) as Event)
}

/** Chunks with these deltas, then this ending. */
function stream(deltas: readonly Record<string, unknown>[], finish = 'stop'): ChatChunk[] {
  return [...deltas, {}].map((delta, index) => ({
    choices: [{ index: 0, delta, finish_reason: index === deltas.length ? finish : null }],
  }))
}

t.test('a streamed answer survives translation to Messages and back, however it is split', async () => {
  fc.assert(
    fc.property(
      answers,
      cuts,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 50 }),
      (answer, cut, size, bite) => {
        const bytes = write(chunksOf(answer, anthropicFormat, cut), size)
        const splitter = createFrameSplitter()
        const reader = createMessagesReader()
        const back: ChatChunk[] = []
        for (let index = 0; index < bytes.length; index += bite) {
          for (const payload of readData(splitter.push(bytes.subarray(index, index + bite))))
            back.push(...reader.read(payload))
        }
        const expected = completionOf(answer, anthropicFormat)
        const { native_finish_reason: _, ...choice } = assemble(back).choices[0]!
        assert.deepEqual({ ...assemble(back), choices: [choice] }, expected)
        return reader.isComplete()
      },
    ),
  )
})

t.test('a buffered response survives translation to a Message and back', async () => {
  fc.assert(
    fc.property(answers, answer => {
      const completion = completionOf(answer, anthropicFormat)
      const back = completionFromMessage(messageFromCompletion(completion, reply))
      const { native_finish_reason: _, ...choice } = back.choices[0]!
      assert.deepEqual({ ...back, id: 'c1', choices: [choice] }, completion)
    }),
  )
})

t.test('a stream equals the buffered response', async () => {
  fc.assert(
    fc.property(answers, cuts, (answer, cut) => {
      const events = eventsOf(write(chunksOf(answer, anthropicFormat, cut)))
      const whole = messageFromCompletion(completionOf(answer, anthropicFormat), reply)
      const last = events.find(({ type }) => type === 'message_delta')!
      assert.deepEqual(
        { ...last.delta, usage: { ...asObject(last['usage']), ...unknownUsage } },
        pick(whole, ['stop_reason', 'stop_sequence', 'stop_details', 'container', 'usage']),
      )
      const types = events
        .filter(({ type }) => type === 'content_block_start')
        .map(event => event.content_block['type'])
      assert.deepEqual(
        types,
        (whole['content'] as { type: string }[]).map(({ type }) => type),
      )
    }),
  )
})

t.test('events come in the order that clients require', async () => {
  fc.assert(
    fc.property(answers, cuts, (answer, cut) => {
      const events = eventsOf(write(chunksOf(answer, anthropicFormat, cut)))
      const types = events.map(({ type }) => type)
      assert.equal(types[0], 'message_start')
      assert.deepEqual(types.slice(-2), ['message_delta', 'message_stop'])
      for (const once of ['message_start', 'message_delta', 'message_stop']) {
        assert.equal(types.filter(type => type === once).length, 1)
      }
      let open = -1
      let next = 0
      for (const { type, index } of events) {
        if (type === 'content_block_start') {
          assert.equal(open, -1)
          assert.equal(index, next)
          open = next++
        } else if (type === 'content_block_delta') assert.equal(index, open)
        else if (type === 'content_block_stop') {
          assert.equal(index, open)
          open = -1
        }
      }
      assert.equal(open, -1)
    }),
  )
})

t.test('calls whose pieces are interleaved are written one after the other', async t => {
  const piece = (index: number, text: string) => ({ tool_calls: [{ index, function: { arguments: text } }] })
  const opens = (index: number, id: string) => ({
    tool_calls: [{ index, id, function: { name: 'run', arguments: '' } }],
  })
  const events = eventsOf(
    write(
      stream(
        [
          opens(0, 'a'),
          piece(0, '{"x"'),
          opens(1, 'b'),
          piece(1, '{"y":'),
          piece(0, ':1}'),
          piece(1, '2}'),
          { content: 'end' },
        ],
        'tool_calls',
      ),
    ),
  )
  t.same(
    events
      .filter(({ type }) => type.startsWith('content_block'))
      .map(({ type, index, delta, content_block }) => [
        type.slice('content_block_'.length),
        index,
        content_block?.['id'] ?? delta?.['partial_json'] ?? delta?.['text'],
      ]),
    [
      ['start', 0, 'a'],
      ['delta', 0, '{"x"'],
      ['delta', 0, ':1}'],
      ['stop', 0, undefined],
      ['start', 1, undefined],
      ['delta', 1, 'end'],
      ['stop', 1, undefined],
      ['start', 2, 'b'],
      ['delta', 2, '{"y":'],
      ['delta', 2, '2}'],
      ['stop', 2, undefined],
    ],
  )
})

t.test('a server that gives all parallel calls index 0 is understood', async t => {
  const calls = ['a', 'b'].map(id => ({ index: 0, id, function: { name: 'run', arguments: `{"of":"${id}"}` } }))
  const events = eventsOf(write(stream([{ tool_calls: calls }], 'tool_calls')))
  const starts = events.filter(({ type }) => type === 'content_block_start')
  t.same(
    starts.map(event => event.content_block['id']),
    ['a', 'b'],
  )
})

t.test('reasoning without a signature becomes a thinking block', async t => {
  const events = eventsOf(write(stream([{ reasoning_content: 'hm' }, { content: 'yes' }])))
  t.match(events[2], { type: 'content_block_start', index: 0, content_block: { type: 'thinking', signature: '' } })
  t.match(events[3], { delta: { type: 'thinking_delta', thinking: 'hm' } })
})

t.test('an answer reports its stop reason', async t => {
  const deltaOf = (ending: Record<string, unknown>, deltas: Record<string, unknown>[] = []) => {
    const chunks = stream(deltas)
    Object.assign(chunks.at(-1)!.choices![0]!, ending)
    return eventsOf(write(chunks)).find(({ type }) => type === 'message_delta')!.delta
  }
  t.match(deltaOf({ finish_reason: 'stop' }), { stop_reason: 'end_turn', stop_sequence: null })
  t.match(deltaOf({ finish_reason: 'length' }), { stop_reason: 'max_tokens' })
  t.match(deltaOf({ finish_reason: 'stop', stop_reason: 'END' }), {
    stop_reason: 'stop_sequence',
    stop_sequence: 'END',
  })
  t.match(deltaOf({ finish_reason: 'stop', native_finish_reason: 'pause_turn' }), { stop_reason: 'pause_turn' })
  t.match(deltaOf({ finish_reason: 'content_filter' }), { stop_reason: 'refusal', stop_details: { type: 'refusal' } })
  t.match(deltaOf({}, [{ refusal: 'I will not.' }]), {
    stop_reason: 'refusal',
    stop_details: { explanation: 'I will not.' },
  })
  const call = { tool_calls: [{ index: 0, id: 'a', function: { name: 'run', arguments: '{}' } }] }
  t.match(deltaOf({ finish_reason: 'stop' }, [call]), { stop_reason: 'tool_use' })
})

t.test('without upstream usage our own count is reported', async t => {
  const writer = createWriter()
  writer.push(partFromChunks(stream([{ content: 'x' }])))
  const counted = { inputTokens: 9, cacheReadTokens: 1, cacheWriteTokens: 0, outputTokens: 5, reasoningTokens: 2 }
  t.match(eventsOf(writer.end(counted)), [
    {},
    {
      usage: {
        input_tokens: 9,
        cache_read_input_tokens: 1,
        output_tokens: 5,
        output_tokens_details: { thinking_tokens: 2 },
      },
    },
  ])
})

t.test('a stream that breaks ends with an error event', async t => {
  const writer = createWriter()
  writer.push(partFromChunks(stream([{ content: 'x' }])))
  t.equal(
    writer.fail(new GatewayError('upstream_timeout', 'The model fell silent.')).toString(),
    `event: error\ndata: {"type":"error","error":{"type":"timeout_error","message":"The model fell silent."},"request_id":"${reply.id}"}\n\n`,
  )
})

t.test('every failure has one of Anthropic’s error types, and a full queue is a 529', async t => {
  const full = messages.writeError(new GatewayError('queue_full', 'Too many wait.'), 'req_1')
  const error = { type: 'overloaded_error', message: 'Too many wait.' }
  t.same(full, { status: 529, body: { type: 'error', error, request_id: 'req_1' } })
  const long = messages.writeError(new GatewayError('context_length_exceeded', '9 tokens > 8 maximum'))
  t.match(long, {
    status: 400,
    body: { error: { type: 'invalid_request_error', message: /^prompt is too long: 9 tokens > 8/ } },
  })
})

function pick(from: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map(name => [name, from[name]]))
}
