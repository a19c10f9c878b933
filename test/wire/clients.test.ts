import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { GatewayError } from '../../src/errors.ts'
import type { ChatChunk } from '../../src/wire/chat/schema.ts'
import type { Protocol } from '../../src/wire/protocol.ts'
import { protocols } from '../../src/wire/protocols.ts'
import { anthropicFormat } from '../../src/wire/chat/reasoning-details.ts'
import { partFromChunks } from '../../src/wire/stream-part.ts'
import { failureOf } from '../helpers/failure-of.ts'
import { chunksOf, completionOf, reply, type Answer } from './answers.ts'

const answer: Answer = {
  thoughts: [{ text: 'Let me see 🤔', signature: 'c2ln+/==' }],
  text: 'I will look – twice.',
  calls: [
    { id: 'call_a', name: 'read', input: { path: 'a/ü.txt', lines: [1, 2] } },
    { id: 'call_b', name: 'apply_patch', input: { input: '*** Begin Patch\n' } },
  ],
  finish: 'tool_calls',
  usage: { prompt: 30, cached: 10, written: 5, output: 20, reasoning: 8 },
}

/** What happens to a stream after its chunks. */
type Ending = 'end' | 'fail'

/** Answers every request on `protocol`'s path with what its writers make of `answer`. */
async function serve(t: Test, ending: Ending = 'end'): Promise<string> {
  const server = createServer((request, response) => void respond(request, response))
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const received: Buffer[] = []
    for await (const bytes of request) received.push(bytes as Buffer)
    const body = JSON.parse(Buffer.concat(received).toString()) as { stream?: boolean; model: string }
    const protocol = protocols.find(({ path }) => request.url === `/v1${path}`)!
    if (body.model === 'missing') {
      refuse(protocol, new GatewayError('model_not_found', 'There is no model "missing".'))
      return
    }
    const parsed = protocol.parseRequest(body)
    if (body.stream !== true) {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(parsed.writeCompletion(completionOf(answer, anthropicFormat), reply)))
      return
    }
    response.setHeader('content-type', 'text/event-stream')
    const writer = parsed.createStreamWriter(reply)
    const error = new GatewayError('upstream_timeout', 'The model fell silent.')
    const parts = streamed().map(chunk => Buffer.concat([writer.keepAlive(), writer.push(partFromChunks([chunk]))]))
    response.end(Buffer.concat([writer.keepAlive(), ...parts, ending === 'end' ? writer.end() : writer.fail(error)]))

    function refuse(protocol: Protocol, error: GatewayError): void {
      const { status, body } = protocol.writeError(error)
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    }
  }
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function streamed(): ChatChunk[] {
  return chunksOf(answer, anthropicFormat, () => 3)
}

const freeform = { type: 'custom' as const, name: 'apply_patch', description: 'Edits.' }
const ask = { model: 'm', max_tokens: 50, messages: [{ role: 'user' as const, content: 'look' }] }

t.test("Anthropic's client reads a streamed answer", async t => {
  const client = new Anthropic({ baseURL: await serve(t), apiKey: 'k', maxRetries: 0 })
  const stream = client.messages.stream(ask)
  const thoughts: string[] = []
  stream.on('thinking', thought => thoughts.push(thought))
  const message = await stream.finalMessage()
  t.equal(thoughts.join(''), 'Let me see 🤔')
  t.match(message, {
    id: 'msg_r1',
    model: 'some-model',
    role: 'assistant',
    content: [
      { type: 'thinking', thinking: 'Let me see 🤔', signature: 'c2ln+/==' },
      { type: 'text', text: 'I will look – twice.' },
      { type: 'tool_use', id: 'call_a', name: 'read', input: { path: 'a/ü.txt', lines: [1, 2] } },
      { type: 'tool_use', id: 'call_b', name: 'apply_patch' },
    ],
    stop_reason: 'tool_use',
    usage: {
      input_tokens: 15,
      cache_read_input_tokens: 10,
      cache_creation_input_tokens: 5,
      output_tokens: 20,
      output_tokens_details: { thinking_tokens: 8 },
    },
  })
})

t.test("Anthropic's client reads a buffered response, and throws its own errors", async t => {
  const client = new Anthropic({ baseURL: await serve(t), apiKey: 'k', maxRetries: 0 })
  t.match(await client.messages.create(ask), { type: 'message', stop_reason: 'tool_use', content: [{}, {}, {}, {}] })
  t.match(await failureOf(client.messages.create({ ...ask, model: 'missing' })), {
    status: 404,
    type: 'not_found_error',
    message: /There is no model \\?"missing\\?"\./,
  })
})

t.test("Anthropic's client throws when a stream breaks", async t => {
  const client = new Anthropic({ baseURL: await serve(t, 'fail'), apiKey: 'k', maxRetries: 0 })
  t.match(await failureOf(client.messages.stream(ask).finalMessage()), { message: /The model fell silent\./ })
})

t.test("OpenAI's client reads a streamed Response", async t => {
  const client = new OpenAI({ baseURL: `${await serve(t)}/v1`, apiKey: 'k', maxRetries: 0 })
  const stream = client.responses.stream({ model: 'm', input: 'look', tools: [freeform] })
  let text = ''
  stream.on('response.output_text.delta', event => {
    text += event.delta
  })
  const response = await stream.finalResponse()
  t.equal(text, 'I will look – twice.')
  t.match(response, {
    id: 'resp_r1',
    status: 'completed',
    output_text: 'I will look – twice.',
    output: [
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Let me see 🤔' }] },
      { type: 'message' },
      { type: 'function_call', call_id: 'call_a', name: 'read', arguments: '{"path":"a/ü.txt","lines":[1,2]}' },
      { type: 'custom_tool_call', call_id: 'call_b', name: 'apply_patch', input: '*** Begin Patch\n' },
    ],
    usage: { input_tokens: 30, input_tokens_details: { cached_tokens: 10 }, output_tokens: 20, total_tokens: 50 },
  })
})

t.test("OpenAI's client reads a buffered Response, and throws its own errors", async t => {
  const client = new OpenAI({ baseURL: `${await serve(t)}/v1`, apiKey: 'k', maxRetries: 0 })
  t.match(await client.responses.create({ model: 'm', input: 'look' }), { output_text: 'I will look – twice.' })
  t.match(await failureOf(client.responses.create({ model: 'missing', input: 'look' })), {
    status: 404,
    code: 'model_not_found',
  })
})

t.test("OpenAI's client reports a failed Response", async t => {
  const client = new OpenAI({ baseURL: `${await serve(t, 'fail')}/v1`, apiKey: 'k', maxRetries: 0 })
  const types: string[] = []
  for await (const event of await client.responses.create({ model: 'm', input: 'look', stream: true })) {
    types.push(event.type)
    if (event.type === 'response.failed') t.equal(event.response.error?.message, 'The model fell silent.')
  }
  t.equal(types.at(-1), 'response.failed')
})

t.test("OpenAI's client reads a streamed chat completion, with usage only on request", async t => {
  const client = new OpenAI({ baseURL: `${await serve(t)}/v1`, apiKey: 'k', maxRetries: 0 })
  const asked = { model: 'm', messages: ask.messages }
  const completion = await client.chat.completions
    .stream({ ...asked, stream_options: { include_usage: true } })
    .finalChatCompletion()
  t.match(completion, {
    choices: [
      {
        finish_reason: 'tool_calls',
        message: {
          content: 'I will look – twice.',
          tool_calls: [{ id: 'call_a', function: { arguments: '{"path":"a/ü.txt","lines":[1,2]}' } }, { id: 'call_b' }],
        },
      },
    ],
    usage: { prompt_tokens: 30 },
  })
  for await (const chunk of await client.chat.completions.create({ ...asked, stream: true })) t.notOk(chunk.usage)
})

t.test("OpenAI's client throws when a chat stream breaks", async t => {
  const client = new OpenAI({ baseURL: `${await serve(t, 'fail')}/v1`, apiKey: 'k', maxRetries: 0 })
  const stream = client.chat.completions.stream({ model: 'm', messages: ask.messages })
  t.match(await failureOf(stream.finalChatCompletion()), { message: /The model fell silent\./ })
})
