import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { anthropicFormat } from '../../src/wire/chat/reasoning-details.ts'
import { ollamaChat } from '../../src/wire/ollama/protocol.ts'
import { partFromChunks } from '../../src/wire/stream-part.ts'
import { answers, chunksOf, completionOf, cuts, partSizes, reply } from './answers.ts'

interface Said {
  message: { content: string; thinking?: string; tool_calls?: unknown[] }
  done: boolean
}

const parsed = ollamaChat.parseRequest({ model: 'm', messages: [{ role: 'user', content: 'x' }] })

t.test('a streamed answer, however it is cut, says what the buffered one says', async () => {
  // Streams do not tell where one thought ends and the next begins.
  const oneThought = answers.map(answer => ({ ...answer, thoughts: answer.thoughts.slice(0, 1) }))
  fc.assert(
    fc.property(oneThought, cuts, fc.integer({ min: 1, max: 5 }), (answer, cut, size) => {
      const writer = parsed.createStreamWriter(reply)
      const parts = partSizes(chunksOf(answer, anthropicFormat, cut), size).map(part =>
        Buffer.concat([writer.keepAlive(), writer.push(partFromChunks(part))]),
      )
      const lines = Buffer.concat([...parts, writer.end()])
        .toString()
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as Said)
      const whole = parsed.writeCompletion(completionOf(answer, anthropicFormat), reply) as Said
      const { message, ...last } = lines.at(-1)!
      assert.equal(lines.filter(({ done }) => done).length, 1)
      assert.deepEqual({ ...last, message: { ...message, ...folded(lines) } }, whole)
    }),
  )
})

function folded(lines: readonly Said[]) {
  const thinking = lines.map(({ message }) => message.thinking ?? '').join('')
  const calls = lines.flatMap(({ message }) => message.tool_calls ?? [])
  return {
    content: lines.map(({ message }) => message.content).join(''),
    ...(thinking === '' ? {} : { thinking }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  }
}

t.test('a conversation keeps its texts, calls and results in order, each result under the id of its call', async () => {
  const turn = fc.record({
    said: fc.string({ maxLength: 20 }),
    names: fc.array(fc.constantFrom('read', 'write', 'run'), { maxLength: 4 }),
    withIds: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(turn, { minLength: 1, maxLength: 5 }), turns => {
      const messages = turns.flatMap(({ said, names, withIds }, number) => [
        { role: 'user', content: said },
        {
          role: 'assistant',
          content: said,
          tool_calls: names.map((name, index) => ({
            ...(withIds ? { id: `given_${number}_${index}` } : {}),
            function: { name, arguments: { index } },
          })),
        },
        ...names.map((name, index) => ({
          role: 'tool',
          content: `result ${index} of ${name}`,
          tool_name: name,
          ...(withIds ? { tool_call_id: `given_${number}_${index}` } : {}),
        })),
      ])
      const { request } = ollamaChat.parseRequest({ messages })
      assert.deepEqual(
        request.messages.map(({ role, content }) => [role, content]),
        messages.map(({ role, content }) => [role, content]),
      )
      const calls = request.messages.flatMap(message => message.tool_calls ?? []) as unknown as {
        id: string
        function: { name: string; arguments: string }
      }[]
      assert.equal(new Set(calls.map(({ id }) => id)).size, calls.length)
      for (const { role, content, tool_call_id: id } of request.messages) {
        if (role !== 'tool') continue
        const { name, arguments: written } = calls.find(call => call.id === id)!.function
        assert.equal(content, `result ${(JSON.parse(written) as { index: number }).index} of ${name}`)
      }
    }),
  )
})
