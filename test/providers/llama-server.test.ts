import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { readStream } from '../helpers/read-stream.ts'
import { startProvider } from '../helpers/start-provider.ts'

/** A real llama-server with the scripted model, without other clients. */
const url = process.env.LLAMA_SERVER_URL ?? ''

if (url === '') {
  t.plan(0, 'LLAMA_SERVER_URL is not set: start a llama-server with the scripted model and set it to run these')
} else {
  const user = (content: string) => ({ messages: [{ role: 'user', content }] })
  const shell = {
    type: 'function',
    function: { name: 'bash', parameters: { type: 'object', properties: { command: { type: 'string' } } } },
  }
  const busySlots = async (): Promise<number> => {
    const slots = (await (await fetch(`${url}/slots`)).json()) as { is_processing: boolean }[]
    return slots.filter(slot => slot.is_processing).length
  }
  /** Milliseconds until this many slots are busy; 5 s at most. */
  const untilBusy = async (count: number): Promise<number> => {
    const start = performance.now()
    while ((await busySlots()) !== count) {
      if (performance.now() - start > 5_000) throw new Error(`not ${count} busy slots within 5 s`)
      await setTimeout(5)
    }
    return performance.now() - start
  }

  t.test('a real llama-server lists its models', async t => {
    const { provider, model } = await startProvider(t, { kind: 'llama-cpp', url })
    t.match(provider.health(), { state: 'up' })
    t.match(model(), { free: true, loaded: true, capabilities: { tools: true, vision: false } })
    t.ok((model().contextTokens ?? 0) > 0)
  })

  t.test('a real llama-server answers in text, streamed and not', async t => {
    const { complete, stream } = await startProvider(t, { kind: 'llama-cpp', url })
    const whole = await complete(user('hi'))
    const { completion, failure } = await readStream(await stream(user('hi')))
    t.equal(failure, undefined)
    t.match(whole.choices, [{ message: { content: /Hello from a real llama-server/ }, finish_reason: 'stop' }])
    t.equal(completion.choices[0]?.message.content, whole.choices[0]?.message.content)
    t.ok((completion.usage?.prompt_tokens ?? 0) > 0)
  })

  t.test('a real llama-server calls a tool and accepts its result', async t => {
    const { stream } = await startProvider(t, { kind: 'llama-cpp', url })
    const { completion } = await readStream(await stream({ ...user('make a file'), tools: [shell] }))
    const [choice] = completion.choices
    t.equal(choice?.finish_reason, 'tool_calls')
    const [call] = choice?.message.tool_calls ?? []
    t.match(JSON.parse(call?.function.arguments ?? ''), { command: /./ })
    const messages = [
      ...user('make a file').messages,
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: call?.id, content: 'made' },
    ]
    const second = await readStream(await stream({ messages, tools: [shell] }))
    t.match(second.completion.choices[0]?.message.content, /DONE after tool/)
  })

  t.test('a real llama-server rejects a long prompt with both numbers', async t => {
    const { complete } = await startProvider(t, { kind: 'llama-cpp', url })
    const messages = Array.from({ length: 100 }, () => ({ role: 'user', content: 'word '.repeat(200) }))
    await t.rejects(complete({ messages }), { code: 'context_length_exceeded', message: /\d+ tokens.*\d+ tokens/ })
  })

  t.test('a real llama-server frees its slot on a disconnect', async t => {
    const { stream, complete } = await startProvider(t, { kind: 'llama-cpp', url })
    await untilBusy(0)
    const streaming = new AbortController()
    const reading = (async () => {
      for await (const part of await stream(user('LOOP'), { signal: streaming.signal })) {
        if (part.chunks.length === 0) break
      }
    })()
    await untilBusy(1)
    streaming.abort()
    await t.rejects(reading, { code: 'client_closed' })
    t.comment(`freed ${Math.round(await untilBusy(0))} ms after hanging up in the middle of a stream`)

    const waiting = new AbortController()
    const answer = complete(user('LOOP'), { signal: waiting.signal })
    await untilBusy(1)
    waiting.abort()
    await t.rejects(answer, { code: 'client_closed' })
    t.comment(`freed ${Math.round(await untilBusy(0))} ms after hanging up before the answer`)
    t.equal(await busySlots(), 0)
  })
}
