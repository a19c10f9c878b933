import * as fc from 'fast-check'
import t from 'tap'
import { createProviders } from '../../src/providers/index.ts'
import type { Transport } from '../../src/providers/http/transport.ts'
import { ChatRequest } from '../../src/wire/chat/schema.ts'
import { readStream } from '../helpers/read-stream.ts'
import { scriptedUpstream, upstreamKinds } from '../helpers/scripted-upstream.ts'
import { startProvider } from '../helpers/start-provider.ts'
import { dialects } from '../helpers/dialects/index.ts'

const pieces = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 8 })
const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 })
const call = { name: 'f', arguments: { q: 'ü"\n' } }

for (const kind of upstreamKinds) {
  t.test(`${kind}: an answer is the same however the network cuts it`, async t => {
    const { model } = await startProvider(t, await scriptedUpstream(t, kind))
    const served = model()
    const property = fc.asyncProperty(
      pieces,
      cuts,
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      async (text, sizes, lineEnd, callsTool) => {
        const { opening, pieces, closing } = dialects[kind].stream(served.name, {
          text,
          lineEnd,
          ...(callsTool ? { toolCalls: [call, call] } : {}),
          usage: { promptTokens: 11, outputTokens: 3 },
        })
        const bytes = Buffer.from([...opening, ...pieces.flat(), ...closing].join(''))
        const [provider] = createProviders([{ kind, name: kind, url: 'http://nowhere', named: true }], {
          transport: replaying(bytes, sizes),
          prices: { at: () => undefined },
          now: () => 0,
        })
        const reply = await provider!.chat({
          model: served,
          promptTokens: 5,
          signal: new AbortController().signal,
          request: ChatRequest.parse({ messages: [{ role: 'user', content: 'Hi' }], stream: true }),
        })
        if (reply.kind !== 'stream') return false
        const { completion, failure } = await readStream(reply.parts)
        const { message, finish_reason: reason } = completion.choices[0]!
        const calls = message.tool_calls?.map(({ function: called }) => JSON.parse(called.arguments) as unknown)
        return (
          failure === undefined &&
          message.content === text.join('') &&
          completion.usage?.prompt_tokens === 11 &&
          reason === (callsTool ? 'tool_calls' : 'stop') &&
          (!callsTool || JSON.stringify(calls) === JSON.stringify([call.arguments, call.arguments]))
        )
      },
    )
    await fc.assert(property, { numRuns: 60, seed: 1 })
    t.pass('60 answers')
  })
}

const recorded = {
  text: ['Once ', 'üpon 🏳️‍🌈', ' a "time"\n'],
  reasoning: ['Let me ', 'think.'],
  toolCalls: [call, call],
  usage: { promptTokens: 11, outputTokens: 3 },
}

for (const kind of upstreamKinds) {
  t.test(`${kind}: a recorded stream is the same cut at every byte, and never whole when it ends there`, async t => {
    const { model } = await startProvider(t, await scriptedUpstream(t, kind))
    const served = model()
    const { opening, pieces, closing } = dialects[kind].stream(served.name, recorded)
    const bytes = Buffer.from([...opening, ...pieces.flat(), ...closing].join(''))
    const read = async (parts: Buffer, sizes: readonly number[]) => {
      const [provider] = createProviders([{ kind, name: kind, url: 'http://nowhere', named: true }], {
        transport: replaying(parts, sizes),
        prices: { at: () => undefined },
        now: () => 0,
      })
      const reply = await provider!.chat({
        model: served,
        promptTokens: 5,
        signal: new AbortController().signal,
        request: ChatRequest.parse({ messages: [{ role: 'user', content: 'Hi' }], stream: true }),
      })
      if (reply.kind !== 'stream') throw new Error('not a stream')
      const { completion, failure } = await readStream(reply.parts)
      const [choice] = completion.choices
      const calls = choice?.message.tool_calls?.map(each => each.function)
      const { content, reasoning_content: reasoning } = choice?.message ?? {}
      return { read: { content, reasoning, calls, reason: choice?.finish_reason, usage: completion.usage }, failure }
    }
    const whole = await read(bytes, [bytes.length])
    t.equal(whole.failure, undefined)
    t.equal(whole.read.content, recorded.text.join(''))
    t.equal(whole.read.calls?.length, 2)
    const different: number[] = []
    const invented: number[] = []
    for (let cut = 1; cut < bytes.length; cut++) {
      const { read: found, failure } = await read(bytes, [cut, bytes.length])
      if (failure !== undefined || JSON.stringify(found) !== JSON.stringify(whole.read)) different.push(cut)
      const short = await read(bytes.subarray(0, cut), [cut]).catch((error: unknown) => ({
        read: undefined,
        failure: error,
      }))
      const claims = short.failure === undefined && short.read?.reason != null
      if (claims && JSON.stringify({ ...short.read, usage: 0 }) !== JSON.stringify({ ...whole.read, usage: 0 }))
        invented.push(cut)
    }
    t.same(different, [])
    t.same(invented, [], 'a stream that breaks off is never reported as ended')
  })
}

/** Answers every request with `bytes`, in reads of the given sizes over and over. */
function replaying(bytes: Buffer, sizes: readonly number[]): Transport {
  async function* reads(): AsyncGenerator<Buffer> {
    for (let index = 0, turn = 0; index < bytes.length; turn++) {
      const end = index + sizes[turn % sizes.length]!
      yield bytes.subarray(index, end)
      index = end
    }
  }
  return {
    send: () =>
      Promise.resolve({ status: 200, headers: {}, body: Object.assign(reads(), { settle: () => undefined }) }),
    close: () => Promise.resolve(),
  }
}
