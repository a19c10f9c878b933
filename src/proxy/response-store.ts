import { LRUCache } from 'lru-cache'
import { GatewayError } from '../errors.ts'
import { mayReach } from '../operations/access.ts'
import type { Principal } from '../operations/operation.ts'
import type { ParsedRequest, Protocol, StreamWriter } from '../wire/protocol.ts'
import { asObject, asObjects, asString, type JsonObject } from '../json.ts'
import { readData } from '../wire/sse.ts'

/** Memory for stored answers; the oldest are removed first. */
const maxBytes = 16 * 1024 * 1024
/** What an entry takes beside its text. */
const entryBytes = 512

interface Conversation {
  response: JsonObject
  /** The conversation so far, including the answer: what a following request continues. */
  items: readonly JsonObject[]
}

interface Stored {
  /** The key that asked for it. */
  owner: string
  /** A `Conversation` as JSON. Parsed, it would take up to eighteen times as much memory. */
  json: Buffer
}

/** What is known of a conversation before its next answer. */
interface Before {
  owner: string
  items: readonly JsonObject[]
}

/** The answers of the Responses protocol, in memory only and bounded: prompts are never written to disk. */
export interface ResponseStore {
  /** Those that a caller may reach: all others are not there. */
  of(principal: Principal): ReachableResponses
}

export interface ReachableResponses {
  get(id: string): JsonObject | undefined
  delete(id: string): boolean
  /** `responses` with support for `previous_response_id`; answers are kept unless the caller says `store: false`. */
  remembering(responses: Protocol): Protocol
}

export function createResponseStore(): ResponseStore {
  const stored = new LRUCache<string, Stored>({
    maxSize: maxBytes,
    sizeCalculation: ({ json }) => json.length + entryBytes,
  })

  function find(id: string, principal: Principal): Conversation | undefined {
    const found = stored.get(id)
    if (found === undefined || !mayReach(principal, found.owner)) return undefined
    return JSON.parse(found.json.toString()) as Conversation
  }

  /** The body with the earlier conversation prepended to its input. */
  function continued(body: JsonObject, principal: Principal): JsonObject {
    const previous = asString(body['previous_response_id'])
    if (previous === undefined) return body
    const before = find(previous, principal)
    if (before === undefined) {
      throw new GatewayError(
        'not_found',
        `Response '${previous}' not found: only recent responses are kept, in memory. Send the whole conversation as input.`,
        { param: 'previous_response_id' },
      )
    }
    return { ...body, input: [...before.items, ...itemsOf(body['input'])] }
  }

  function keep(response: JsonObject | undefined, { owner, items }: Before): void {
    const id = asString(response?.['id'])
    if (response === undefined || id === undefined) return
    const conversation: Conversation = { response, items: [...items, ...asObjects(response['output'])] }
    stored.set(id, { owner, json: bytesOf(JSON.stringify(conversation)) })
  }

  function watching(writer: StreamWriter, before: Before): StreamWriter {
    return {
      ...writer,
      end(usage) {
        const bytes = writer.end(usage)
        keep(finalResponse(bytes), before)
        return bytes
      },
    }
  }

  return {
    of: principal => ({
      get: id => find(id, principal)?.response,
      delete: id => find(id, principal) !== undefined && stored.delete(id),
      remembering: responses => ({
        ...responses,
        parseRequest(body): ParsedRequest {
          const fields = asObject(body)
          if (fields === undefined) return responses.parseRequest(body)
          const whole = continued(fields, principal)
          const parsed = responses.parseRequest(whole)
          if (fields['store'] === false) return parsed
          const before = { owner: principal.name, items: itemsOf(whole['input']) }
          return {
            ...parsed,
            createStreamWriter: facts => watching(parsed.createStreamWriter(facts), before),
            writeCompletion(completion, facts) {
              const response = parsed.writeCompletion(completion, facts)
              keep(response as JsonObject, before)
              return response
            },
          }
        },
      }),
    }),
  }
}

/** UTF-8 in memory of its own: `Buffer.from` cuts small ones out of larger blocks, which stay while one piece is kept. */
function bytesOf(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}

function itemsOf(input: unknown): JsonObject[] {
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : asObjects(input)
}

/** The Response object in a stream's last event. */
function finalResponse(bytes: Buffer): JsonObject | undefined {
  const events = readData(bytes).map(text => asObject(JSON.parse(text)))
  return asObject(events.findLast(event => event?.['response'] !== undefined)?.['response'])
}
