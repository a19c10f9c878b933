import { compact, isObject, type JsonObject } from '../../json.ts'
import type { NonChatReply } from '../non-chat.ts'
import { commentFrame, type ReplyFacts, type StreamWriter } from '../protocol.ts'
import { partFromChunks, withoutUsage } from '../stream-part.ts'
import { writeOpenAiError } from './error.ts'
import { publishedUsage, type ChatChunk, type ChatCompletion } from './schema.ts'

/** What an answer in OpenAI's form is completed from, where the server left it out. */
export type AnswerFacts = Pick<ReplyFacts, 'id' | 'model' | 'createdSeconds' | 'costUsd'>

/** What a caller asked to be told beside the answer. */
export interface UsageAsked {
  /** Usage at the end of a stream. */
  usage: boolean
  /** OpenRouter's `usage: {include: true}`: the cost too. */
  cost?: boolean
}

/** A buffered answer with every key that OpenAI publishes. */
export function chatAnswer(completion: ChatCompletion, facts: AnswerFacts, asked: UsageAsked): object {
  const { choices, usage, ...rest } = completion
  return {
    ...identityOf(facts, 'chat.completion'),
    ...compact(rest),
    model: facts.model,
    choices: choices.map(({ message, ...choice }) => ({
      logprobs: null,
      ...choice,
      message: { refusal: null, ...message, content: message.content ?? null },
    })),
    ...(usage ? { usage: publishedUsage(usage, costIn(facts, asked)) } : {}),
  }
}

/** The same for a text completion. */
export function textAnswer({ choices, usage, ...rest }: NonChatReply, facts: AnswerFacts): object {
  return {
    ...identityOf(facts, 'text_completion'),
    ...compact(rest),
    model: facts.model,
    choices: (choices ?? []).map((choice, index) => ({ index, logprobs: null, finish_reason: 'stop', ...choice })),
    ...(isObject(usage) ? { usage: publishedUsage(usage) } : {}),
  }
}

/** The `object` of the chunks of a stream. */
type ChunkKind = 'chat.completion.chunk' | 'text_completion'

/**
 * Passes the bytes of chats and text completions through, with only the model's name replaced; usage is removed unless it was
 * asked for. The chunks of a server that leaves out what OpenAI publishes are written anew.
 */
export function createChatWriter(facts: AnswerFacts, asked: UsageAsked, kind: ChunkKind): StreamWriter {
  const name = Buffer.from(JSON.stringify(facts.model))
  const identity = identityOf(facts, kind)
  const required = kind === 'text_completion' ? { logprobs: null } : {}
  let passes: boolean | undefined
  const whole = ({ usage, choices, ...chunk }: ChatChunk): ChatChunk => ({
    ...identity,
    ...compact(chunk),
    model: facts.model,
    choices: (choices ?? []).map(choice => ({ ...required, ...choice, finish_reason: choice.finish_reason ?? null })),
    ...(usage === undefined ? {} : { usage: usage && publishedUsage(usage, costIn(facts, asked)) }),
  })
  return {
    push(part) {
      const wanted = asked.usage || asked.cost === true ? part : withoutUsage(part)
      if (wanted === undefined) return nothing
      const first = passes === undefined ? wanted.chunks[0] : undefined
      if (first !== undefined) passes = isWhole(first, kind)
      return passes !== false && wanted.usage === undefined
        ? named(wanted.bytes, name)
        : partFromChunks(wanted.chunks.map(whole)).bytes
    },
    end: () => Buffer.from('data: [DONE]\n\n'),
    // No [DONE] here: a client that ignores the error must not treat a partial answer as complete.
    fail: error => Buffer.from(`data: ${JSON.stringify(writeOpenAiError(error).body)}\n\n`),
    keepAlive: () => Buffer.from(commentFrame),
  }
}

const nothing = Buffer.alloc(0)

function identityOf({ id, model, createdSeconds }: AnswerFacts, object: string): JsonObject {
  return { id: `${object === 'text_completion' ? 'cmpl' : 'chatcmpl'}-${id}`, object, created: createdSeconds, model }
}

function costIn({ costUsd }: AnswerFacts, { cost }: UsageAsked): AnswerFacts['costUsd'] {
  return cost === true ? costUsd : undefined
}

/** Whether the first chunk of a stream has the keys that every chunk must have. */
function isWhole({ id, object, created, model, choices }: ChatChunk, kind: ChunkKind): boolean {
  const isChat = kind === 'chat.completion.chunk'
  return (
    typeof id === 'string' &&
    object === kind &&
    typeof created === 'number' &&
    typeof model === 'string' &&
    (choices ?? []).every(choice => choice.finish_reason !== undefined && (isChat || choice['logprobs'] !== undefined))
  )
}

const modelField = Buffer.from('"model"')
const space = 0x20
const colon = 0x3a
const quote = 0x22
const backslash = 0x5c

/** The frames with another name of the model. In a text the same characters have their quotes escaped. */
function named(bytes: Buffer, name: Buffer): Buffer {
  const pieces: Buffer[] = []
  let copied = 0
  let at = bytes.indexOf(modelField)
  while (at >= 0) {
    at = afterSpaces(bytes, at + modelField.length)
    const start = bytes[at] === colon ? afterSpaces(bytes, at + 1) : -1
    if (start >= 0 && bytes[start] === quote) {
      pieces.push(bytes.subarray(copied, start), name)
      at = copied = endOfText(bytes, start)
    }
    at = bytes.indexOf(modelField, at)
  }
  return copied === 0 ? bytes : Buffer.concat([...pieces, bytes.subarray(copied)])
}

function afterSpaces(bytes: Buffer, at: number): number {
  while (bytes[at] === space) at++
  return at
}

/** The position after the quote that closes the string which begins at `start`. */
function endOfText(bytes: Buffer, start: number): number {
  let at = start + 1
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
  return at + 1
}
