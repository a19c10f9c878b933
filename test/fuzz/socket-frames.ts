import * as fc from 'fast-check'

/** What clients of Responses over a WebSocket send, and what is almost that. */
const events = [
  { type: 'response.create', input: 'Hi' },
  { type: 'response.create', input: [{ type: 'compaction_trigger' }], stream_id: 'a', store: false },
  { type: 'response.create', input: 7, generate: false },
  { type: 'response.create', previous_response_id: {}, stream_id: 1 },
  { type: 'response.steer' },
  { type: null },
  [],
]

/** Bytes that a client of a WebSocket sends after the handshake: frames that are valid, too large, unmasked, cut off or no frames at all. */
export const socketFrames: fc.Arbitrary<Buffer> = fc
  .array(
    fc.record({
      first: fc.oneof(fc.constantFrom(0x81, 0x82, 0x88, 0x89, 0x8a, 0x01, 0x80), fc.nat(255)),
      masked: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
      payload: fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.string({ maxLength: 100 }).map(text => Buffer.from(text)),
        fc.constantFrom(Buffer.alloc(70_000, 120)),
        fc.constantFrom(...events).map(event => Buffer.from(JSON.stringify(event))),
      ),
      claimed: fc.option(fc.constantFrom(0, 1, 126, 65_535, 2 ** 31, 2 ** 53), { nil: undefined, freq: 6 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map(frames => Buffer.concat(frames.map(frame => frameOf(frame))))

interface FrameParts {
  first: number
  masked: boolean
  payload: Uint8Array
  /** The length that the header claims, where it is not the payload's. */
  claimed: number | undefined
}

function frameOf({ first, masked, payload, claimed }: FrameParts): Buffer {
  const length = claimed ?? payload.length
  const bit = masked ? 0x80 : 0
  const header =
    length < 126
      ? Buffer.from([first, bit | length])
      : length < 65_536
        ? Buffer.from([first, bit | 126, length >> 8, length & 255])
        : Buffer.concat([Buffer.from([first, bit | 127]), bigEndian(length)])
  const mask = Buffer.from([1, 2, 3, 4])
  const body = masked ? Buffer.from(payload.map((byte, index) => byte ^ mask[index % 4]!)) : Buffer.from(payload)
  return Buffer.concat(masked ? [header, mask, body] : [header, body])
}

function bigEndian(length: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(length))
  return bytes
}
