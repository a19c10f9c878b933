import { isAscii } from 'node:buffer'
import { Transform } from 'node:stream'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import type { FastifyInstance, FastifyRequest, RequestPayload } from 'fastify'
import { GatewayError } from '../errors.ts'
import { isTooDeep, maxJsonDepth, memoryOf, wellFormed } from '../json.ts'
import { bodyTooLarge, maxBodyBytes } from '../operations/http-failure.ts'
import { requireFewFields, requireFewValues } from '../wire/body-values.ts'
import type { MemoryBudget, Reservation } from './memory-budget.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The memory that the request holds; absent without a body. */
    memory?: Reservation
  }
  interface FastifyContextConfig {
    /** The route reads the body from the socket. */
    readsBodyItself?: boolean
  }
}

type Inflate = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>

const inflateZlib = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflate)
const inflateRaw = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflateRaw)

const encodings: Readonly<Record<string, Inflate>> = {
  gzip: promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip),
  'x-gzip': promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip),
  deflate: (bytes, options) => (hasZlibHeader(bytes) ? inflateZlib : inflateRaw)(bytes, options),
  br: promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress),
  zstd: promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress),
}

/** `deflate` means the zlib format, but many clients send the bare stream that is inside it. */
function hasZlibHeader(bytes: Buffer): boolean {
  return bytes.length >= 2 && (bytes[0]! & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0
}

/** What a body takes while it is read: its chunks, their concatenation and its text. */
const copiesWhileRead = 3
/** What a request takes beside its parsed body while it is sent to a server: its text, and that in UTF-8. */
const copiesWhileSent = 2

/**
 * Parses every body as JSON, whatever its content type: a first curl sends form encoding. Compressed bodies are
 * decompressed with the limit applied to the result, so that a small one cannot fill the memory. Each request holds its
 * share of `memory` from before its body is read until its response is closed.
 */
export function readBodiesAsJson(app: FastifyInstance, memory: MemoryBudget): void {
  app.removeAllContentTypeParsers()
  app.addHook('onRequest', async ({ headers }) => {
    // Fastify would reject an empty one although it accepts none at all.
    if (headers['content-type'] === '') delete headers['content-type']
  })
  app.decorateRequest('memory')
  app.addHook('preParsing', async (request, reply, payload) => {
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers
    if (coding === undefined && (length === undefined || length === '0')) return payload
    const reservation = memory.open()
    request.memory = reservation
    reply.raw.once('close', () => reservation.release())
    if (coding === undefined) reservation.hold(bytesWhileRead(Math.min(Number(length), maxBodyBytes)))
    // MCP's own reader needs the stream itself; it has the same limit.
    else if (request.routeOptions.config.readsBodyItself === true) reservation.hold(bytesWhileRead(maxBodyBytes))
    else return counted(payload, reservation)
    return payload
  })
  app.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: maxBodyBytes },
    async (request: FastifyRequest, body: Buffer) => {
      return readJson(await inflate(body, request.headers['content-encoding']), request.memory)
    },
  )
}

/** Parses the JSON of a request, which holds its memory in `reservation`. Throws `invalid_json` and what bounds its size. */
export async function readJson(text: Buffer, reservation: Reservation | undefined): Promise<unknown> {
  await requireFewValues(text)
  reservation?.hold(bytesWhileRead(text.length))
  const value = parse(text)
  const bytesPerCharacter = isAscii(text) && !text.includes('\\u') ? 1 : 2
  reservation?.hold(memoryOf(value, bytesPerCharacter) + copiesWhileSent * text.length)
  return value
}

/** Memory for a request of `bytes` while it arrives. */
export function bytesWhileRead(bytes: number): number {
  return copiesWhileRead * bytes
}

/** Gives the routes of a scope the bytes of `multipart/form-data` as the body. */
export function readFormsAsBytes(scope: FastifyInstance): void {
  scope.addContentTypeParser(
    'multipart/form-data',
    { parseAs: 'buffer', bodyLimit: maxBodyBytes },
    async (request: FastifyRequest, body: Buffer) => inflate(body, request.headers['content-encoding']),
  )
}

/** Drops the parsed body, so that what its translation left out takes no memory while the request waits. */
export function forgetBody(request: FastifyRequest): void {
  request.body = undefined
}

/** The same bytes; holds memory for those that have arrived, where their number is not told before. */
function counted(payload: RequestPayload, reservation: Reservation): RequestPayload {
  let bytes = 0
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      try {
        reservation.hold(bytesWhileRead(bytes))
        done(null, chunk)
      } catch (error) {
        done(error as Error)
      }
    },
  })
  payload.once('error', error => through.destroy(error))
  // Nobody else listens once the body was refused.
  through.on('error', () => undefined)
  return payload.pipe(through)
}

async function inflate(body: Buffer, encoding: string | undefined): Promise<Buffer> {
  const name = encoding?.trim().toLowerCase() ?? 'identity'
  if (name === 'identity' || name === '') return body
  const open = encodings[name]
  if (open === undefined) {
    const known = Object.keys(encodings).join(', ')
    throw new GatewayError('unsupported_media_type', `Unsupported Content-Encoding '${name}'; use one of ${known}.`)
  }
  try {
    return await open(body, { maxOutputLength: maxBodyBytes })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw bodyTooLarge()
    throw new GatewayError('invalid_request', `The body is not valid ${name} data.`, { cause })
  }
}

function parse(body: Buffer): unknown {
  if (body.length === 0) return undefined
  const value = parseJson(body)
  if (isTooDeep(value)) {
    throw new GatewayError(
      'invalid_request',
      `The request body nests arrays and objects deeper than ${maxJsonDepth} levels; send a flatter one.`,
    )
  }
  requireFewFields(value)
  return surrogateEscapes.some(escape => body.includes(escape)) ? wellFormed(value) : value
}

/** How a JSON text begins to write half of a character beyond the first 65,536. */
const surrogateEscapes = ['\\ud', '\\uD'] as const

/** Some editors and shells write it before a text. */
const byteOrderMark = Buffer.from('\ufeff')

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8', body.subarray(0, 3).equals(byteOrderMark) ? byteOrderMark.length : 0))
  } catch (cause) {
    throw new GatewayError('invalid_json', `The request body is not valid JSON: ${(cause as Error).message}.`, {
      cause,
    })
  }
}
