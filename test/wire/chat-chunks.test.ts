import * as fc from 'fast-check'
import t from 'tap'
import { chunksOf, createCompletionFold } from '../../src/wire/chat/chunks.ts'

const toolCall = fc.record({
  id: fc.string({ minLength: 1 }),
  type: fc.constant('function' as const),
  function: fc.record({ name: fc.string({ minLength: 1 }), arguments: fc.json() }),
})
const choice = (index: number) =>
  fc.record({
    index: fc.constant(index),
    message: fc.record(
      {
        role: fc.constant('assistant'),
        content: fc.string({ unit: 'grapheme' }),
        reasoning_content: fc.string(),
        tool_calls: fc.array(toolCall, { minLength: 1, maxLength: 3 }),
      },
      { requiredKeys: ['role', 'content'] },
    ),
    finish_reason: fc.constantFrom('stop', 'length', 'tool_calls'),
  })
const completion = fc.record({
  id: fc.string({ minLength: 1 }),
  object: fc.constant('chat.completion'),
  created: fc.nat(),
  model: fc.string({ minLength: 1 }),
  choices: fc.tuple(choice(0), choice(1)),
  usage: fc.record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat() }),
})

t.test('an answer split into chunks and assembled again is the same answer', async t => {
  fc.assert(
    fc.property(completion, answer => {
      const fold = createCompletionFold()
      for (const chunk of chunksOf(answer)) fold.add(chunk)
      t.same(fold.completion(), answer)
    }),
    { numRuns: 100, seed: 1 },
  )
})

t.test('growing fields are concatenated and repeated fields replaced', async t => {
  const fold = createCompletionFold()
  const logprobs = (token: string) => ({ content: [{ token }] })
  fold.add({ id: 'a', choices: [{ index: 0, delta: { content: 'x' }, finish_reason: null, logprobs: logprobs('x') }] })
  fold.add({ choices: [{ index: 0, delta: { content: 'y', annotations: ['n'] }, logprobs: logprobs('y') }] })
  fold.add({ choices: [], usage: { prompt_tokens: 1 } })
  fold.add({ choices: [], usage: { prompt_tokens: 2 } })
  t.match(fold.completion(), {
    id: 'a',
    choices: [
      { message: { content: 'xy', annotations: ['n'] }, logprobs: { content: [{ token: 'x' }, { token: 'y' }] } },
    ],
    usage: { prompt_tokens: 2 },
  })
})
