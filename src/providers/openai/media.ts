import { asObject, parseJson } from '../../json.ts'
import { readCharge, readUsageIn, usageFormats } from '../../wire/usage-formats.ts'
import type { StreamPart } from '../../wire/stream-part.ts'
import type { Usage } from '../../wire/usage.ts'
import type { MediaCall, Reply } from '../provider.ts'
import type { TransportReply } from '../http/exchange.ts'
import type { Upstream } from '../http/upstream.ts'

/** How much of the end of an answer is kept to find its usage in. */
const maxTailBytes = 16 * 1024
const nothing = Buffer.alloc(0)

/** Moderation, speech and pictures of OpenAI-compatible servers: the answer is passed on as it arrives. */
export function openAiMedia(upstream: Upstream, prefix: string): (call: MediaCall) => Promise<Reply<never>> {
  return async ({ model, path, sent, signal, progress, credential }) => {
    const reply = await upstream.send(prefix + path, {
      method: 'POST',
      ...sent,
      signal,
      model: model.name,
      progress,
      credential,
    })
    return { kind: 'stream', parts: partsOf(reply) }
  }
}

async function* partsOf({ headers, body }: TransportReply): AsyncGenerator<StreamPart> {
  const contentType = headers['content-type'] ?? 'application/octet-stream'
  const part = (bytes: Buffer, usage: Usage | undefined): StreamPart => ({
    bytes,
    chunks: [],
    usage,
    middle: usage === undefined,
    opaque: { contentType },
  })
  const mayTellUsage = /json|event-stream/i.test(contentType)
  let tail: Buffer = nothing
  for await (const bytes of body) {
    if (mayTellUsage) tail = Buffer.concat([tail, bytes.subarray(-maxTailBytes)]).subarray(-maxTailBytes)
    yield part(bytes, undefined)
  }
  const usage = usageIn(tail.toString('latin1'))
  if (usage !== undefined) yield part(nothing, usage)
}

/** The last `usage` object in a text. Its tokens may be of sound or pictures, to which no price of text applies. */
function usageIn(text: string): Usage | undefined {
  const written = [...text.matchAll(/"usage"\s*:\s*(\{(?:[^{}]|\{[^{}]*\})*\})/g)].at(-1)?.[1]
  const value = asObject(written === undefined ? undefined : parseJson(written))
  const usage = readUsageIn(usageFormats.responses, value) ?? readUsageIn(usageFormats.chat, value)
  return usage === undefined ? undefined : { ...usage, ...readCharge(value), unpriced: true }
}
