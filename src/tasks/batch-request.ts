import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import type { Call } from '../gateway/call.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { factsOf } from '../gateway/reply-facts.ts'
import { parseJson } from '../json.ts'
import { chat } from '../wire/chat/protocol.ts'
import { nonChatEndpoints, type NonChatEndpoint, type NonChatType } from '../wire/non-chat.ts'
import type { Protocol } from '../wire/protocol.ts'
import { requireFewValues } from '../wire/body-values.ts'
import { readBody } from '../wire/read-body.ts'
import { responses } from '../wire/responses/protocol.ts'

/** One line of a batch's input. */
const BatchRequest = z.looseObject({
  custom_id: z.string().min(1).max(512),
  method: z.literal('POST'),
  url: z.string(),
  body: z.looseObject({}),
})
export type BatchRequest = z.output<typeof BatchRequest>

type Answer = (gateway: Gateway, call: Call, body: unknown, now: () => number) => Promise<object>

/** What a batch may ask, by the path. */
const answers: Readonly<Record<string, { name: string; answer: Answer }>> = Object.fromEntries([
  ...[chat, responses].map(protocol => entry(protocol.path, protocol.name, chatAnswer(protocol))),
  nonChatEntry(nonChatEndpoints.embeddings),
  nonChatEntry(nonChatEndpoints.completions),
])

/** The paths that a batch may ask. */
export const batchEndpoints: readonly string[] = Object.keys(answers)

function entry(path: string, name: string, answer: Answer): [string, { name: string; answer: Answer }] {
  return [`/v1${path}`, { name, answer }]
}

function nonChatEntry<Name extends NonChatType>(endpoint: NonChatEndpoint<Name>) {
  return entry(endpoint.path, endpoint.name, nonChatAnswer(endpoint))
}

/** Reads a line. Throws `invalid_request`, naming what is wrong with it. */
export async function readBatchRequest(line: string, endpoint: string): Promise<BatchRequest> {
  await requireFewValues(Buffer.from(line))
  const value = parseJson(line)
  if (value === undefined) throw new GatewayError('invalid_request', 'it is not valid JSON')
  const parsed = BatchRequest.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new GatewayError('invalid_request', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}`)
  }
  if (parsed.data.url !== endpoint)
    throw new GatewayError('invalid_request', `url: must be ${endpoint}, as the batch says`)
  return parsed.data
}

/** The response body to a request of a batch, in one piece. Throws `GatewayError`. */
export function answerBatchRequest(
  gateway: Gateway,
  call: Omit<Call, 'endpoint'>,
  { url, body }: BatchRequest,
  now: () => number,
): Promise<object> {
  const { name, answer } = answers[url]!
  return answer(gateway, { ...call, endpoint: name }, { ...body, stream: false }, now)
}

function chatAnswer(protocol: Protocol): Answer {
  return async (gateway, call, body, now) => {
    const parsed = protocol.parseRequest(body)
    const { served, reply } = await gateway.chat(call, parsed.request)
    if (reply.kind !== 'complete') throw new Error(`${served.model.id} streamed a response although none was requested`)
    return parsed.writeCompletion(reply.completion, factsOf(call, served, now))
  }
}

function nonChatAnswer<Name extends NonChatType>(endpoint: NonChatEndpoint<Name>): Answer {
  return async (gateway, call, body, now) => {
    const { served, reply } = await gateway.run(call, endpoint, readBody(endpoint.schema, body))
    if (reply.kind !== 'complete') throw new Error(`${served.model.id} streamed a response although none was requested`)
    return endpoint.publish(reply.completion, factsOf(call, served, now))
  }
}
