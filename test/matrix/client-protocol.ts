import { isObject } from '../../src/json.ts'
import type { Reply } from '../helpers/start-gateway.ts'

export type Fields = Record<string, unknown>

/** The content of one request of the matrix, independent of the protocol. */
export interface TestRequest {
  text: string
  /** A PNG in base64. */
  image?: string
  /** A PDF in base64. */
  document?: string
  tools?: readonly string[]
  /** The tool that must be called. */
  forced?: string
  /** The calls of the previous turn and their results. */
  results?: readonly { id: string; name: string; arguments: string; result: string }[]
  /** The JSON schema that the answer must have. */
  format?: Fields
  /** A system message after the first turn, which `text` and an answer to it precede. */
  lateSystem?: string
}

/** The content of an answer, parsed as a client of the protocol does. */
export interface ReceivedAnswer {
  text: string
  reasoning: string
  calls: { id: string; name: string; arguments: string }[]
  usage: { input: unknown; output: unknown }
  /** The stream or the answer ended as a complete one does. */
  complete: boolean
}

/** What not every protocol can say. */
export type Feature = 'tools' | 'forced tools' | 'documents' | 'late system messages'

/** One protocol from the client's side. */
export interface ClientProtocol {
  name: string
  path(stream: boolean): string
  lacks: readonly Feature[]
  ask(question: TestRequest, stream: boolean): Fields
  hear(reply: Reply, stream: boolean): ReceivedAnswer
  /** The objects of a stream in order. */
  objectsOf(reply: Reply): unknown[]
  /** Whether an error response, or the last object of a broken stream, has the protocol's own shape. */
  isError(value: unknown): boolean
}

/** The parameters of every tool. */
export const toolSchema = { type: 'object', properties: { at: { type: 'string' } } }

/** What the model said, and what was said to it, around a late system message. */
export const lateTurns = { answer: 'An answer.', question: 'And now?' }

export function silence(): ReceivedAnswer {
  return { text: '', reasoning: '', calls: [], usage: { input: undefined, output: undefined }, complete: false }
}

export function isOpenAiError(value: unknown): boolean {
  return typeof fields(fields(value)['error'])['message'] === 'string'
}

export function fields(value: unknown): Fields {
  return isObject(value) ? value : {}
}

export function list(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(fields) : []
}

export function string(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
