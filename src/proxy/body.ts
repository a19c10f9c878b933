import { promisify } from 'node:util'
import zlib from 'node:zlib'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { GatewayError } from '../errors.ts'
import { isTooDeep, maxJsonDepth } from '../json.ts'
import { bodyTooLarge, maxBodyBytes } from '../operations/http-failure.ts'

type Inflate = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>

const encodings: Readonly<Record<string, Inflate>> = {
  gzip: promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip),
  'x-gzip': promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip),
  deflate: promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflate),
  br: promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress),
  zstd: promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress),
}

/**
 * Parses every body as JSON, whatever its content type: a first curl sends form encoding. Compressed bodies are
 * decompressed with the limit applied to the result, so that a small one cannot fill the memory.
 */
export function readBodiesAsJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addHook('onRequest', async ({ headers }) => {
    // Fastify would reject an empty one although it accepts none at all.
    if (headers['content-type'] === '') delete headers['content-type']
  })
  app.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: maxBodyBytes },
    async (request: FastifyRequest, body: Buffer) => parse(await inflate(body, request.headers['content-encoding'])),
  )
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
  return value
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new GatewayError('invalid_json', `The request body is not valid JSON: ${(cause as Error).message}.`, {
      cause,
    })
  }
}
