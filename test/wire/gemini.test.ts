import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { readDetails } from '../../src/wire/chat/reasoning-details.ts'
import { gemini } from '../../src/wire/gemini/protocol.ts'
import { jsonSchemaOf } from '../../src/wire/gemini/schemas.ts'
import { readData } from '../../src/wire/sse.ts'
import { partFromChunks } from '../../src/wire/stream-part.ts'
import { answers, chunksOf, completionOf, cuts, partSizes, reply, type Answer } from './answers.ts'

interface Part {
  text?: string
  thought?: boolean
  thoughtSignature?: string
  functionCall?: { id: string; name: string; args: object }
}
interface Answered {
  candidates: { content: { role: string; parts: Part[] }; finishReason?: string }[]
  usageMetadata?: object
}

const ask = (events: boolean) => ({
  model: 'm',
  stream: true,
  events,
  contents: [{ role: 'user', parts: [{ text: 'x' }] }],
  generationConfig: { thinkingConfig: { includeThoughts: true } },
})
const format = 'another-vendor-v1'
// Streams do not tell where one thought ends and the next begins.
const oneThought = answers.map(answer => ({ ...answer, thoughts: answer.thoughts.slice(0, 1) }))

t.test('a streamed answer, however it is cut and framed, says what the buffered one says', async () => {
  fc.assert(
    fc.property(oneThought, cuts, fc.integer({ min: 1, max: 5 }), fc.boolean(), (answer, cut, size, events) => {
      const parsed = gemini.parseRequest(ask(events))
      const writer = parsed.createStreamWriter(reply)
      const parts = partSizes(chunksOf(answer, format, cut), size).map(part =>
        Buffer.concat([writer.keepAlive(), writer.push(partFromChunks(part))]),
      )
      const bytes = Buffer.concat([...parts, writer.end()])
      const objects = events
        ? readData(bytes).map(data => JSON.parse(data) as Answered)
        : (JSON.parse(bytes.toString()) as Answered[])
      const whole = parsed.writeCompletion(completionOf(answer, format), reply) as Answered
      assert.deepEqual(contentOf(objects), contentOf([whole]))
      assert.deepEqual(objects.at(-1)!.usageMetadata, whole.usageMetadata)
      assert.equal(objects.at(-1)!.candidates[0]!.finishReason, whole.candidates[0]!.finishReason)
      assert.ok(objects.slice(0, -1).every(({ candidates }) => candidates[0]!.finishReason === undefined))
    }),
  )
})

t.test('reasoning that only its vendor can read survives a client that sends it back', async () => {
  fc.assert(
    fc.property(answers, answer => {
      const parsed = gemini.parseRequest(ask(false))
      const completion = completionOf(answer, format)
      const { candidates } = parsed.writeCompletion(completion, reply) as Answered
      const { content } = candidates[0]!
      const { request } = gemini.parseRequest({ ...ask(false), contents: [...ask(false).contents, content] })
      const [, returned] = request.messages
      const sent = readDetails(completion.choices[0]!.message['reasoning_details'])
      assert.deepEqual(returned?.['reasoning_details'] ?? [], sent)
      assert.equal(returned?.content, answer.text)
      assert.deepEqual(callsIn(returned?.tool_calls), callsIn(completion.choices[0]!.message.tool_calls))
    }),
  )
})

t.test("Google's form of a schema becomes a JSON schema, whatever its properties are called", async t => {
  const schema = {
    type: 'OBJECT',
    propertyOrdering: ['type', 'nullable'],
    properties: {
      type: { type: 'STRING', nullable: true },
      nullable: { type: 'ARRAY', items: { type: 'INTEGER' }, minItems: '2' },
      either: { anyOf: [{ type: 'NUMBER' }, { type: 'BOOLEAN' }] },
    },
  }
  t.strictSame(jsonSchemaOf(schema), {
    type: 'object',
    properties: {
      type: { type: ['string', 'null'] },
      nullable: { type: 'array', items: { type: 'integer' }, minItems: 2 },
      either: { anyOf: [{ type: 'number' }, { type: 'boolean' }] },
    },
  })
})

/** Everything that an answer says, its texts joined. */
function contentOf(objects: readonly Answered[]) {
  const parts = objects.flatMap(({ candidates }) => candidates[0]!.content.parts)
  const text = (thought: boolean) =>
    parts
      .filter(part => (part.thought === true) === thought)
      .map(part => part.text ?? '')
      .join('')
  return {
    thought: text(true),
    text: text(false),
    calls: parts.flatMap(({ functionCall }) => (functionCall === undefined ? [] : [functionCall])),
    signatures: parts.flatMap(({ thoughtSignature }) => (thoughtSignature === undefined ? [] : [thoughtSignature])),
  }
}

function callsIn(calls: unknown): Answer['calls'] {
  return ((calls ?? []) as { id: string; function: { name: string; arguments: string } }[]).map(
    ({ id, function: { name, arguments: written } }) => ({
      id,
      name,
      input: JSON.parse(written) as Record<string, unknown>,
    }),
  )
}
