import type { Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'

/** What a caller may see of a server that has this fault, whatever it was asked. */
export type Outcome =
  /** An answer in order. */
  | 'answers'
  /** No token of an answer. */
  | 'fails'
  /** Tokens, and then no proper end. */
  | 'breaks'
  /** Any of these: it depends on what the network does, or on what was asked. */
  | 'varies'

/** One request, and what its server would answer if all were well. */
export interface FaultyExchange {
  /** The bytes of answers go here unframed; nobody else writes to it. */
  socket: Socket
  random: () => number
  contentType: string
  /** The parts of the answer: for a stream its events, otherwise one. */
  parts: readonly string[]
  /** An error in the words of the server's kind. */
  refusal: (status: number, message: string) => string
}

export interface Fault {
  name: string
  outcome: Outcome
  /** Plays it; comes back when nothing more will be sent. */
  play: (exchange: FaultyExchange) => Promise<void> | void
  /** It takes as long as the gateway's patience. */
  slow?: true
}

const head = (type: string, status = 200, ...more: string[]) =>
  `HTTP/1.1 ${status} Whatever\r\ncontent-type: ${type}\r\n${more.map(line => `${line}\r\n`).join('')}`
const framed = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
const lastFrame = '0\r\n\r\n'
const chunkedHead = (type: string) => `${head(type, 200, 'transfer-encoding: chunked')}\r\n`
const lengthOf = (text: string) => `content-length: ${Buffer.byteLength(text)}`

/** A whole answer with a length, in order as HTTP. */
function send({ socket }: FaultyExchange, type: string, body: string, status = 200, ...headers: string[]): void {
  socket.end(`${head(type, status, lengthOf(body), 'connection: close', ...headers)}\r\n${body}`)
}

/** The parts as a stream in order as HTTP, with `last` at its end. */
function stream({ socket, contentType }: FaultyExchange, parts: readonly string[], last = lastFrame): void {
  socket.write(chunkedHead(contentType))
  for (const part of parts) socket.write(framed(part))
  socket.end(last)
}

const pick = <T>(random: () => number, from: readonly T[]): T => from[Math.floor(random() * from.length)]!
/** The answer up to some place behind its first words and before its end. */
function begun({ parts }: FaultyExchange): readonly string[] {
  const [whole = ''] = parts
  return parts.length === 1 ? [whole.slice(0, whole.length / 2)] : parts.slice(0, parts.length - 3)
}
/** Resolves when the other side has hung up. */
const closed = (socket: Socket) =>
  socket.destroyed ? Promise.resolve() : new Promise<void>(resolve => socket.once('close', () => resolve()))

const absurdNumbers = ['1e308', '-1', '1152921504606846976', '1.5', '"7"', 'null', '{}', '[]', 'true', '-1e999']
const wrongShapes = [
  '{"choices":[{"message":null,"delta":null}]}',
  '{"choices":[null]}',
  '{"choices":{}}',
  '{"choices":"x"}',
  '{"choices":[{"index":0,"message":{"content":7},"delta":{"content":7}}]}',
  '{"choices":[{"index":0,"message":{"content":null,"tool_calls":[null]},"delta":{"tool_calls":[null]}}]}',
  '{"choices":[{"index":0,"message":{"tool_calls":[{"function":{"name":{}}}]},"delta":{"tool_calls":[{"function":{"name":{}}}]}}]}',
  '{"message":7,"done":true}',
  '{"message":{"content":7},"done":true}',
  '{"message":{"tool_calls":[null]},"done":true}',
  '{"type":"message_start","message":7}',
  '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":{}}}',
  '[]',
  'null',
  '7',
  '""',
  '{}',
  '['.repeat(5_000),
  `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
]
const garbage = [
  'data: \u0000\u0001\u0002\n\n',
  'data: {"choices":[{"delta":{"content":\n\n',
  'event: nothing\nid: 7\nretry: -1\n\n',
  'data\n\n',
  ': only a comment\n\n',
  '\n\n\n\n',
  '{"done":\n',
  'not even close\n\n',
  'data: [DONE\n\n',
]
const refusals = [400, 401, 402, 403, 404, 408, 409, 410, 413, 418, 422, 429, 451, 500, 501, 502, 503, 504, 529, 599]
const waits = ['1e300', '-7', 'Fri, 01 Jan 2999 00:00:00 GMT', 'soon', '', '0', '3']

export const faults: readonly Fault[] = [
  { name: 'none', outcome: 'answers', play: exchange => stream(exchange, exchange.parts) },
  {
    name: 'slow bytes',
    outcome: 'answers',
    async play({ socket, contentType, parts }) {
      socket.setNoDelay(true)
      const bytes = Buffer.from(chunkedHead(contentType) + parts.map(framed).join('') + lastFrame)
      const step = Math.ceil(bytes.length / 40)
      for (let index = 0; index < bytes.length && !socket.destroyed; index += step) {
        socket.write(bytes.subarray(index, index + step))
        await setTimeout(1)
      }
      socket.end()
    },
  },
  {
    name: 'a refusal',
    outcome: 'fails',
    play(exchange) {
      const { random, refusal } = exchange
      const status = pick(random, refusals)
      const body = pick(random, [
        refusal(status, 'because of reasons'),
        '<html><title>Bad</title></html>',
        '',
        '{"error":{"message":{"a":[1]},"code":{}}}',
        '{"detail":[{"loc":["body"]}]}',
        'x'.repeat(100_000),
      ])
      send(exchange, 'application/json', body, status, `retry-after: ${pick(random, waits)}`)
    },
  },
  {
    name: '200 with an error',
    outcome: 'fails',
    play: exchange => send(exchange, 'application/json', '{"error":{"message":"broke","code":500}}'),
  },
  {
    name: 'a redirect',
    outcome: 'fails',
    play: exchange => send(exchange, 'text/html', '', 302, 'location: http://127.0.0.1:1/'),
  },
  { name: 'a reset before headers', outcome: 'fails', play: ({ socket }) => void socket.resetAndDestroy() },
  { name: 'an end before headers', outcome: 'fails', play: ({ socket }) => void socket.end() },
  {
    name: 'a reset after headers',
    outcome: 'fails',
    play({ socket, contentType }) {
      socket.write(chunkedHead(contentType), () => socket.resetAndDestroy())
    },
  },
  {
    name: 'a reset in the middle',
    outcome: 'varies',
    play(exchange) {
      const { socket, contentType } = exchange
      socket.write(chunkedHead(contentType) + begun(exchange).map(framed).join(''), () => socket.resetAndDestroy())
    },
  },
  {
    name: 'half a status line',
    outcome: 'fails',
    play: ({ socket }) => void socket.end('HTTP/1.1 2'),
  },
  {
    name: 'no HTTP',
    outcome: 'fails',
    play: ({ socket, random }) =>
      void socket.end(pick(random, ['SSH-2.0-OpenSSH_9\r\n', '\u0000\u0001', '220 mail\r\n'])),
  },
  {
    name: 'endless headers',
    outcome: 'fails',
    async play({ socket }) {
      socket.write('HTTP/1.1 200 OK\r\n')
      for (let line = 0; line < 200 && !socket.destroyed; line++) socket.write(`x-${line}: ${'h'.repeat(1024)}\r\n`)
      await closed(socket)
    },
  },
  { name: 'silence before headers', outcome: 'fails', slow: true, play: ({ socket }) => closed(socket) },
  {
    name: 'silence after headers',
    outcome: 'fails',
    slow: true,
    async play({ socket, contentType }) {
      socket.write(chunkedHead(contentType))
      await closed(socket)
    },
  },
  {
    name: 'silence in the middle',
    outcome: 'breaks',
    slow: true,
    async play(exchange) {
      const { socket, contentType } = exchange
      socket.write(chunkedHead(contentType) + begun(exchange).map(framed).join(''))
      await closed(socket)
    },
  },
  { name: 'a stream that just ends', outcome: 'breaks', play: exchange => stream(exchange, begun(exchange)) },
  {
    name: 'half a chunk',
    outcome: 'breaks',
    play(exchange) {
      const sent = begun(exchange)
      const last = exchange.parts[sent.length] ?? ''
      stream(exchange, [...sent, last.slice(0, Math.floor(last.length / 2))])
    },
  },
  { name: 'no last frame', outcome: 'varies', play: exchange => stream(exchange, exchange.parts, '') },
  {
    name: 'a frame of a wrong length',
    outcome: 'varies',
    play: exchange => stream(exchange, begun(exchange), 'fff\r\nx'),
  },
  {
    name: 'a frame that is none',
    outcome: 'varies',
    play: exchange => stream(exchange, begun(exchange), 'zz\r\nx\r\n'),
  },
  {
    name: 'a length that is too long',
    outcome: 'varies',
    play({ socket, contentType, parts }) {
      const body = parts.join('')
      socket.end(`${head(contentType, 200, `content-length: ${Buffer.byteLength(body) + 100}`)}\r\n${body}`)
    },
  },
  {
    name: 'a length that is too short',
    outcome: 'varies',
    play({ socket, contentType, parts }) {
      const body = parts.join('')
      socket.end(`${head(contentType, 200, `content-length: ${Math.floor(body.length / 2)}`)}\r\n${body}`)
    },
  },
  {
    name: 'a web page',
    outcome: 'fails',
    play: exchange => send(exchange, 'text/html', '<html><head><title>Sign in</title></head></html>'),
  },
  {
    name: 'nothing',
    outcome: 'fails',
    play: exchange => send(exchange, exchange.contentType, '', pick(exchange.random, [200, 204])),
  },
  {
    name: 'noise',
    outcome: 'fails',
    play(exchange) {
      const { random } = exchange
      const bytes = Array.from({ length: 500 }, () => String.fromCharCode(32 + Math.floor(random() * 90))).join('')
      send(exchange, exchange.contentType, `#${bytes}`)
    },
  },
  {
    name: 'garbage events',
    outcome: 'fails',
    play: exchange => stream(exchange, [pick(exchange.random, garbage)]),
  },
  {
    name: 'garbage in the middle',
    outcome: 'varies',
    play: exchange => stream(exchange, [...begun(exchange), pick(exchange.random, garbage)]),
  },
  {
    name: 'a wrong shape',
    outcome: 'fails',
    play(exchange) {
      const shape = pick(exchange.random, wrongShapes)
      const isEvents = exchange.contentType === 'text/event-stream'
      stream(exchange, [isEvents && exchange.random() < 0.7 ? `data: ${shape}\n\n` : `${shape}\n`])
    },
  },
  {
    name: 'a wrong shape in the middle',
    outcome: 'varies',
    play(exchange) {
      const shape = pick(exchange.random, wrongShapes)
      const isEvents = exchange.contentType === 'text/event-stream'
      stream(exchange, [...begun(exchange), isEvents ? `data: ${shape}\n\n` : `${shape}\n`])
    },
  },
  {
    name: 'absurd numbers',
    outcome: 'answers',
    play(exchange) {
      const { random } = exchange
      const counts = /"((?:prompt|completion|total|input|output)_tokens|cost|prompt_eval_count|eval_count)":[\d.]+/g
      const parts = exchange.parts.map(part =>
        part.replaceAll(counts, (_, field: string) => `"${field}":${pick(random, absurdNumbers)}`),
      )
      stream({ ...exchange, parts }, parts)
    },
  },
  {
    name: 'usage that lies',
    outcome: 'answers',
    play(exchange) {
      const counts = /"((?:prompt|completion|input|output)_tokens|prompt_eval_count|eval_count)":\d+/g
      const parts = exchange.parts.map(part =>
        part.replaceAll(counts, (_, field: string) => `"${field}":${Math.floor(exchange.random() * 1e12)}`),
      )
      stream(exchange, parts)
    },
  },
  {
    name: 'an endless line',
    outcome: 'fails',
    async play({ socket, contentType }) {
      socket.write(chunkedHead(contentType))
      const piece = framed(`data: ${'x'.repeat(256 * 1024)}`)
      for (let megabytes = 0; megabytes < 80 && !socket.destroyed; megabytes++) {
        await new Promise<void>(resolve => {
          socket.once('close', resolve)
          socket.write(piece, () => {
            socket.off('close', resolve)
            resolve()
          })
        })
      }
      socket.end(lastFrame)
    },
    slow: true,
  },
  {
    name: 'a compressed bomb',
    outcome: 'fails',
    play({ socket, contentType }) {
      const body = gzipSync(Buffer.alloc(4 * 1024 * 1024))
      socket.write(`${head(contentType, 200, 'content-encoding: gzip', `content-length: ${body.length}`)}\r\n`)
      socket.end(body)
    },
  },
  {
    name: 'more after the end',
    outcome: 'varies',
    play: exchange => stream(exchange, [...exchange.parts, 'data: {"choices":[{"delta":{"content":"more"}}]}\n\n']),
  },
]
