import { LRUCache } from 'lru-cache'
import { GatewayError } from '../errors.ts'
import { mayReach } from '../operations/access.ts'
import type { Principal } from '../operations/operation.ts'
import type { ParsedRequest, Protocol, StreamWriter } from '../wire/protocol.ts'
import { asObject, asObjects, asString, type JsonObject } from '../json.ts'
import { compactedItems, isCompaction } from '../wire/responses/compaction.ts'
import { inputItems } from '../wire/responses/schema.ts'
import { readData } from '../wire/sse.ts'

/** Memory for stored answers; the oldest are removed first. */
const maxBytes = 16 * 1024 * 1024
/** Answers that one connection continues from although they are not stored. */
const maxUnstored = 4
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
  /** Not to be stored, so that only the connection it was given on can continue it. */
  unstored: boolean
}

/** What is known of a conversation before its next answer. */
interface Before {
  items: readonly JsonObject[]
  store: boolean
}

/** A caller, and the answers that only their connection may continue; undefined where there is no connection. */
interface Reach {
  principal: Principal
  unstored: string[] | undefined
}

/** The answers of the Responses protocol, in memory only and bounded: prompts are never written to disk. */
export interface ResponseStore {
  /** Those that a caller may reach: all others are not there. */
  of(principal: Principal): ReachableResponses
  /** The same for a caller on a connection of their own, which can also continue its last answers with `store: false`. */
  connect(principal: Principal): ConnectedResponses
}

export interface ReachableResponses {
  get(id: string): JsonObject | undefined
  /** The items that a response answers, those of earlier turns included. */
  inputOf(id: string): readonly JsonObject[] | undefined
  delete(id: string): boolean
  /** `responses` with support for `previous_response_id`; answers are kept unless the caller says `store: false`. */
  remembering(responses: Protocol): Protocol
}

export interface ConnectedResponses extends ReachableResponses {
  /** Forgets what was not to be stored. */
  close(): void
}

export function createResponseStore(): ResponseStore {
  const stored = new LRUCache<string, Stored>({
    maxSize: maxBytes,
    sizeCalculation: ({ json }) => json.length + entryBytes,
  })

  function find(id: string, { principal, unstored }: Reach): Conversation | undefined {
    const found = stored.get(id)
    if (found === undefined || !mayReach(principal, found.owner)) return undefined
    if (found.unstored && unstored?.includes(id) !== true) return undefined
    return JSON.parse(found.json.toString()) as Conversation
  }

  /** The body with the earlier conversation prepended to its input. */
  function continued(body: JsonObject, reach: Reach): JsonObject {
    const previous = asString(body['previous_response_id'])
    if (previous === undefined) return body
    const before = find(previous, reach)
    if (before === undefined) {
      throw new GatewayError(
        'previous_response_not_found',
        `Response '${previous}' not found: only recent responses are kept, in memory. Send the whole conversation as input.`,
        { param: 'previous_response_id' },
      )
    }
    return { ...body, input: [...before.items, ...inputItems(body['input'])] }
  }

  function keep(response: JsonObject | undefined, { items, store }: Before, { principal, unstored }: Reach): void {
    const id = asString(response?.['id'])
    if (response === undefined || id === undefined) return
    const output = asObjects(response['output'])
    const conversation: Conversation = {
      response,
      items: isCompaction(items) ? compactedItems(items, output) : [...items, ...output],
    }
    const json = bytesOf(JSON.stringify(conversation))
    stored.set(id, { owner: principal.name, json, unstored: !store })
    if (store || unstored === undefined) return
    unstored.push(id)
    if (unstored.length > maxUnstored) stored.delete(unstored.shift()!)
  }

  function watching(writer: StreamWriter, before: Before, reach: Reach): StreamWriter {
    return {
      ...writer,
      end(usage) {
        const bytes = writer.end(usage)
        keep(finalResponse(bytes), before, reach)
        return bytes
      },
    }
  }

  const reachable = (reach: Reach): ReachableResponses => ({
    get: id => find(id, reach)?.response,
    inputOf(id) {
      const found = find(id, reach)
      return found?.items.slice(0, found.items.length - asObjects(found.response['output']).length)
    },
    delete: id => find(id, reach) !== undefined && stored.delete(id),
    remembering: responses => ({
      ...responses,
      parseRequest(body): ParsedRequest {
        const fields = asObject(body)
        if (fields === undefined) return responses.parseRequest(body)
        const whole = continued(fields, reach)
        const parsed = responses.parseRequest(whole)
        const store = fields['store'] !== false
        if (!store && reach.unstored === undefined) return parsed
        const before = { items: inputItems(whole['input']), store }
        return {
          ...parsed,
          createStreamWriter: facts => watching(parsed.createStreamWriter(facts), before, reach),
          writeCompletion(completion, facts) {
            const response = parsed.writeCompletion(completion, facts)
            keep(response as JsonObject, before, reach)
            return response
          },
        }
      },
    }),
  })

  return {
    of: principal => reachable({ principal, unstored: undefined }),
    connect(principal) {
      const unstored: string[] = []
      return {
        ...reachable({ principal, unstored }),
        close() {
          for (const id of unstored) stored.delete(id)
        },
      }
    },
  }
}

/** UTF-8 in memory of its own: `Buffer.from` cuts small ones out of larger blocks, which stay while one piece is kept. */
function bytesOf(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}

/** The Response object in a stream's last event. */
function finalResponse(bytes: Buffer): JsonObject | undefined {
  const events = readData(bytes).map(text => asObject(JSON.parse(text)))
  return asObject(events.findLast(event => event?.['response'] !== undefined)?.['response'])
}
