/** A growing byte buffer for numbers, small ones in one byte. */
export interface ByteWriter {
  /** An integer from 0 to 2^32 - 1, seven bits per byte, least significant first. */
  varint(value: number): void
  byte(value: number): void
  bytes(values: Uint8Array): void
  /** For each position of a range of `order`: the gap of its id to the previous one as a varint, and its byte. */
  gaps(order: Uint32Array, from: number, to: number, ids: Uint32Array, values: Uint8Array): void
  text(value: string): void
  readonly length: number
  /** The bytes written, valid until the next write. */
  view(): Buffer
  clear(): void
}

export function createByteWriter(capacity = 1024): ByteWriter {
  let buffer = Buffer.allocUnsafeSlow(capacity)
  let length = 0
  const reserve = (more: number) => {
    if (length + more <= buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(buffer.length * 2, length + more))
    buffer.copy(larger, 0, 0, length)
    buffer = larger
  }
  const varint = (value: number) => {
    reserve(5)
    let rest = value
    while (rest > 127) {
      buffer[length++] = (rest & 127) | 128
      rest >>>= 7
    }
    buffer[length++] = rest
  }
  return {
    varint,
    byte(value) {
      reserve(1)
      buffer[length++] = value
    },
    bytes(values) {
      reserve(values.length)
      buffer.set(values, length)
      length += values.length
    },
    gaps(order, from, to, ids, values) {
      reserve((to - from) * 6)
      const target = buffer
      let offset = length
      let previous = 0
      for (let position = from; position < to; position++) {
        const index = order[position]!
        let rest = ids[index]! - previous
        previous = ids[index]!
        while (rest > 127) {
          target[offset++] = (rest & 127) | 128
          rest >>>= 7
        }
        target[offset++] = rest
        target[offset++] = values[index]!
      }
      length = offset
    },
    text(value) {
      const size = Buffer.byteLength(value)
      varint(size)
      reserve(size)
      length += buffer.write(value, length)
    },
    get length() {
      return length
    },
    view: () => buffer.subarray(0, length),
    clear() {
      length = 0
    },
  }
}

/** Reads the output of a `ByteWriter`. Reading past the end gives zeros, so that damaged data cannot loop forever. */
export interface ByteReader {
  position: number
  readonly bytes: Uint8Array
}

export function readVarint(reader: ByteReader): number {
  const { bytes } = reader
  let byte = bytes[reader.position++] ?? 0
  if (byte < 128) return byte
  let value = byte & 127
  for (let shift = 7; shift < 35; shift += 7) {
    byte = bytes[reader.position++] ?? 0
    value |= (byte & 127) << shift
    if (byte < 128) break
  }
  return value >>> 0
}

export function readText(reader: ByteReader): string {
  const size = readVarint(reader)
  const start = reader.position
  reader.position += size
  return Buffer.from(reader.bytes.buffer, reader.bytes.byteOffset, reader.bytes.byteLength).toString(
    'utf8',
    start,
    Math.min(start + size, reader.bytes.length),
  )
}
