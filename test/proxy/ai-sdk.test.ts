import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { embedMany, generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai'
import t from 'tap'
import { scriptedUpstream, type Script } from '../helpers/scripted-upstream.ts'
import { failureOf } from '../helpers/failure-of.ts'
import { startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

async function setUp(t: Teardown, script: Script = {}) {
  const local = await scriptedUpstream(t, 'llama-cpp', script)
  const gateway = await startGateway(t, variablesFor(local))
  const signalbox = createOpenAICompatible({ name: 'signalbox', baseURL: `${gateway.url}/v1`, includeUsage: true })
  return { local, signalbox, model: signalbox('auto') }
}

t.test('the AI SDK streams text and reasoning, with usage', async t => {
  const { model } = await setUp(t, {
    answer: { reasoning: ['So', '.'], text: ['Hel', 'lo.'], usage: { promptTokens: 9, outputTokens: 4 } },
  })
  const answer = streamText({ model, prompt: 'Hi', maxRetries: 0 })
  t.equal(await answer.text, 'Hello.')
  t.equal(await answer.reasoningText, 'So.')
  t.match(await answer.usage, { inputTokens: 9, outputTokens: 4 })
})

t.test('the AI SDK runs a tool and continues with its result', async t => {
  const { model, local } = await setUp(t, {
    answer: [{ toolCalls: [{ name: 'weather', arguments: { city: 'Bern' } }] }, { text: 'Sunny.' }],
  })
  const asked: unknown[] = []
  const weather = tool({
    description: 'The weather in a city.',
    inputSchema: jsonSchema<{ city: string }>({ type: 'object', properties: { city: { type: 'string' } } }),
    execute: input => {
      asked.push(input)
      return 'sun'
    },
  })
  const answer = await generateText({
    model,
    prompt: 'Weather?',
    tools: { weather },
    stopWhen: stepCountIs(3),
    maxRetries: 0,
  })
  t.same(asked, [{ city: 'Bern' }])
  t.equal(answer.text, 'Sunny.')
  t.match(local.chats[1]?.body['messages'], [{}, {}, { role: 'tool', content: /sun/ }])
})

t.test('the AI SDK embeds several texts at once', async t => {
  const { signalbox } = await setUp(t, {
    route: ({ path }) =>
      path === '/v1/embeddings'
        ? {
            json: {
              data: [
                { index: 0, embedding: [1, 0] },
                { index: 1, embedding: [0, 1] },
              ],
              usage: { prompt_tokens: 2 },
            },
          }
        : undefined,
  })
  const { embeddings } = await embedMany({ model: signalbox.textEmbeddingModel('auto'), values: ['a', 'b'] })
  t.same(embeddings, [
    [1, 0],
    [0, 1],
  ])
})

t.test('the AI SDK understands an error', async t => {
  const { model } = await setUp(t, { answer: { error: { status: 400, message: 'no such thing' } } })
  t.match(await failureOf(generateText({ model, prompt: 'Hi', maxRetries: 0 })), {
    statusCode: 400,
    message: /no such thing/,
  })
})
