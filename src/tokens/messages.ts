import { isObject } from '../json.ts'

/** What a conversation gives a tokenizer to read, taken from messages of any shape. */
export interface TokenizerInput {
  texts: string[]
  /** Tokens of the template around the text: roles, separators, names, calls. */
  templateTokens: number
  /** What images, audio and files are charged at; the real cost differs between models. */
  mediaTokens: number
  /** False when a value could not be read, such as a cyclic object. */
  complete: boolean
}

/**
 * Reads OpenAI's chat messages and tools; Anthropic's and the Responses API's content parts too. Whatever is not a
 * message is skipped: rejecting it is the server's task, not a counter's.
 *
 * A message costs four tokens besides its text (OpenAI's cookbook: three of separators and its role), its name one more,
 * the reply's start three. Tools are charged as their JSON, which is what chat templates of open models write.
 */
export function readMessages(messages: unknown, tools?: unknown): TokenizerInput {
  const reading: TokenizerInput = { texts: [], templateTokens: 0, mediaTokens: 0, complete: true }
  if (Array.isArray(messages)) {
    for (const message of messages) if (isObject(message)) readMessage(message, reading)
    if (reading.templateTokens > 0) reading.templateTokens += replyTokens
  }
  if (Array.isArray(tools) && tools.length > 0) {
    reading.templateTokens += toolsTokens
    readJson(tools, reading)
  }
  return reading
}

type Fields = Record<string, unknown>

function readMessage(message: Fields, reading: TokenizerInput): void {
  reading.templateTokens += messageTokens
  if (typeof message.name === 'string') {
    reading.templateTokens += nameTokens
    reading.texts.push(message.name)
  }
  readContent(message.content, reading, 0)
  readContent(message.refusal, reading, 0)
  if (Array.isArray(message.tool_calls)) for (const call of message.tool_calls) readCall(call, reading)
  if (isObject(message.function_call)) readCall({ function: message.function_call }, reading)
}

/** A text, or a list of texts and parts. */
function readContent(content: unknown, reading: TokenizerInput, depth: number): void {
  if (typeof content === 'string') reading.texts.push(content)
  else if (Array.isArray(content) && depth < deepestContent) {
    for (const part of content) {
      if (typeof part === 'string') reading.texts.push(part)
      else if (isObject(part)) readPart(part, reading, depth)
    }
  }
}

function readPart(part: Fields, reading: TokenizerInput, depth: number): void {
  const type = typeof part.type === 'string' ? part.type : ''
  const mediaTokens = Object.hasOwn(mediaPartTokens, type) ? mediaPartTokens[type] : undefined
  if (mediaTokens !== undefined) reading.mediaTokens += detailOf(part) === 'low' ? lowDetailTokens : mediaTokens
  else if (type === 'tool_use') readCall({ function: { name: part.name, arguments: part.input } }, reading)
  else if (type === 'tool_result') readContent(part.content, reading, depth + 1)
  else {
    const text = part.text ?? part.refusal ?? part.thinking
    if (typeof text === 'string') reading.texts.push(text)
    else readJson(part, reading)
  }
}

function detailOf(part: Fields): unknown {
  return isObject(part.image_url) ? part.image_url.detail : part.detail
}

function readCall(call: unknown, reading: TokenizerInput): void {
  if (!isObject(call) || !isObject(call.function)) return
  reading.templateTokens += callTokens
  const { name, arguments: given } = call.function
  if (typeof name === 'string') reading.texts.push(name)
  if (typeof given === 'string') reading.texts.push(given)
  else if (given !== undefined && given !== null) readJson(given, reading)
}

/** JSON has no spelling for a cycle or a bigint; neither arrives over HTTP, but neither may break a count. */
function readJson(value: unknown, reading: TokenizerInput): void {
  try {
    const text = JSON.stringify(value) as string | undefined
    if (text !== undefined) reading.texts.push(text)
  } catch {
    reading.complete = false
  }
}

const messageTokens = 4
const nameTokens = 1
const replyTokens = 3
const callTokens = 4
const toolsTokens = 8
/** Tool results nest parts once; deeper nesting is not a message. */
const deepestContent = 4

/** OpenAI's charge for a low-detail image, and for one of 1024 x 1024 at high detail: 85 + 4 tiles of 170. */
const lowDetailTokens = 85
const imageTokens = 765
/** Audio and documents have no listed price; a page or a hundred seconds of speech is about this much. */
const fileTokens = 1000

const mediaPartTokens: Readonly<Record<string, number>> = {
  image: imageTokens,
  image_url: imageTokens,
  input_image: imageTokens,
  audio: fileTokens,
  input_audio: fileTokens,
  document: fileTokens,
  file: fileTokens,
  input_file: fileTokens,
  video_url: fileTokens,
}
