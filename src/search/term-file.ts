import { closeSync, fstatSync, openSync, read, readSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { privateMode } from '../private-files.ts'
import { createByteWriter, readText, readVarint, type ByteReader } from './varint.ts'

/**
 * A file of sorted terms, each with its bytes, and of named arrays. Written in one pass and read in place: opening
 * reads the first term of every block; a lookup takes one read of a block's directory and one of the bytes, so that
 * memory does not grow with the postings. `preload` caches the blocks where memory allows.
 *
 * block*  = directory of 32 terms (term, size), then their bytes
 * arrays  = the named arrays
 * index   = JSON: where everything is, with the arrays' checksums
 * trailer = magic, version, size and checksum of the index, checksum of the blocks
 */
export interface TermFileWriter {
  /** Terms must come in the order of JavaScript's `<`. */
  add(term: string, payload: Uint8Array): void
  finish(arrays: Readonly<Record<string, NumberArray>>): void
  /** Closes without finishing; what was written so far is not a valid file. */
  abandon(): void
}

export type NumberArray = Uint8Array | Uint16Array | Uint32Array | Float32Array | Float64Array

export interface TermFile {
  /** The bytes added with a term. */
  find(term: string): Uint8Array | undefined
  /** All terms in order. A payload is valid until the next step. */
  entries(): Generator<{ term: string; payload: Uint8Array }>
  /** Reads a named array, on every call. */
  array<T extends ArrayKind>(name: string, kind: T): InstanceType<(typeof arrayKinds)[T]>
  readonly sizeBytes: number
  /** Loads the blocks into memory in the background: lookups then take microseconds less. */
  preload(): Promise<void>
  /** Reads the whole file and compares its checksum. */
  isIntact(): boolean
  close(): void
}

/** The file is foreign, truncated, or was written by another version. */
export class DamagedFile extends Error {
  override readonly name = 'DamagedFile'
}

const arrayKinds = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const
type ArrayKind = keyof typeof arrayKinds

interface ArrayPlace {
  kind: ArrayKind
  offset: number
  bytes: number
  checksum: number
}

interface FileIndex {
  terms: number
  arrays: Record<string, ArrayPlace>
  arraysStart: number
}

const magic = 0x53_42_54_46
const formatVersion = 1
const trailerBytes = 24
const termsPerBlock = 32
const flushBytes = 1 << 20

export function createTermFile(file: string): TermFileWriter {
  const descriptor = openSync(file, 'w', privateMode)
  const pending = createByteWriter(1 << 16)
  const directory = createByteWriter()
  const payloads = createByteWriter(1 << 16)
  const heads = createByteWriter()
  const headEnds: number[] = []
  const blockOffsets: number[] = []
  const directorySizes: number[] = []
  let written = 0
  let terms = 0
  let inBlock = 0
  let blocksChecksum = 0

  const flush = () => {
    const bytes = pending.view()
    writeFully(descriptor, bytes)
    blocksChecksum = crc32(bytes, blocksChecksum)
    written += bytes.length
    pending.clear()
  }
  const endBlock = () => {
    if (inBlock === 0) return
    blockOffsets.push(written + pending.length)
    directorySizes.push(directory.length)
    pending.bytes(directory.view())
    pending.bytes(payloads.view())
    directory.clear()
    payloads.clear()
    inBlock = 0
    if (pending.length >= flushBytes) flush()
  }
  return {
    add(term, payload) {
      if (inBlock === 0) {
        heads.text(term)
        headEnds.push(heads.length)
      }
      directory.text(term)
      directory.varint(payload.length)
      payloads.bytes(payload)
      terms++
      if (++inBlock === termsPerBlock) endBlock()
    },
    finish(arrays) {
      endBlock()
      flush()
      const all: Record<string, NumberArray> = {
        ...arrays,
        'blocks.offset': Float64Array.from(blockOffsets),
        'blocks.directory': Uint32Array.from(directorySizes),
        'blocks.head': heads.view(),
        'blocks.headEnd': Uint32Array.from(headEnds),
      }
      const index = writeArrays(descriptor, written, terms, all)
      const json = Buffer.from(JSON.stringify(index))
      const trailer = Buffer.alloc(trailerBytes)
      trailer.writeUInt32LE(magic, 0)
      trailer.writeUInt32LE(formatVersion, 4)
      trailer.writeUInt32LE(json.length, 8)
      trailer.writeUInt32LE(crc32(json), 12)
      trailer.writeUInt32LE(blocksChecksum, 16)
      writeFully(descriptor, Buffer.concat([json, trailer]))
      closeSync(descriptor)
    },
    abandon: () => closeSync(descriptor),
  }
}

function writeArrays(
  descriptor: number,
  start: number,
  terms: number,
  arrays: Readonly<Record<string, NumberArray>>,
): FileIndex {
  const index: FileIndex = { terms, arrays: {}, arraysStart: start }
  let offset = start
  for (const [name, array] of Object.entries(arrays)) {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
    index.arrays[name] = { kind: kindOf(array), offset, bytes: bytes.length, checksum: crc32(bytes) }
    writeFully(descriptor, bytes)
    offset += bytes.length
  }
  return index
}

export function openTermFile(file: string): TermFile {
  const descriptor = openSync(file, 'r')
  try {
    return readTermFile(descriptor, file)
  } catch (cause) {
    closeSync(descriptor)
    throw cause
  }
}

function readTermFile(descriptor: number, file: string): TermFile {
  const sizeBytes = fstatSync(descriptor).size
  const { index, blocksChecksum } = readIndex(descriptor, sizeBytes, file)
  const array = <T extends ArrayKind>(name: string, kind: T) => {
    const place = index.arrays[name]
    if (place === undefined || place.kind !== kind) throw new DamagedFile(`${file}: missing ${kind} array ${name}`)
    const bytes = readAt(descriptor, place.offset, place.bytes)
    if (crc32(bytes) !== place.checksum) throw new DamagedFile(`${file}: checksum mismatch in array ${name}`)
    const constructor = arrayKinds[kind]
    const length = place.bytes / constructor.BYTES_PER_ELEMENT
    return new constructor(bytes.buffer as ArrayBuffer, 0, length) as InstanceType<(typeof arrayKinds)[T]>
  }
  const offsets = array('blocks.offset', 'f64')
  const directorySizes = array('blocks.directory', 'u32')
  const heads = array('blocks.head', 'u8')
  const headEnds = array('blocks.headEnd', 'u32')
  let resident: Buffer | undefined
  let closed = false
  const blockBytes = (start: number, size: number) =>
    resident === undefined ? readAt(descriptor, start, size) : resident.subarray(start, start + size)

  const blockOf = (term: string) => {
    let low = 0
    let high = offsets.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      const head = { bytes: heads, position: middle === 0 ? 0 : headEnds[middle - 1]! }
      if (compareText(head, readVarint(head), term) <= 0) low = middle
      else high = middle - 1
    }
    return low
  }
  return {
    find(term) {
      if (offsets.length === 0) return undefined
      const block = blockOf(term)
      const start = offsets[block]!
      const directory = { bytes: blockBytes(start, directorySizes[block]!), position: 0 }
      let payloadStart = start + directorySizes[block]!
      while (directory.position < directory.bytes.length) {
        const textSize = readVarint(directory)
        const order = compareText(directory, textSize, term)
        directory.position += textSize
        const size = readVarint(directory)
        if (order === 0) return blockBytes(payloadStart, size)
        if (order > 0) return undefined
        payloadStart += size
      }
      return undefined
    },
    *entries() {
      for (let block = 0; block < offsets.length; block++) {
        const start = offsets[block]!
        const bytes = blockBytes(start, (offsets[block + 1] ?? index.arraysStart) - start)
        let payloadStart = directorySizes[block]!
        const directory = { bytes: bytes.subarray(0, payloadStart), position: 0 }
        while (directory.position < directory.bytes.length) {
          const term = readText(directory)
          const size = readVarint(directory)
          yield { term, payload: bytes.subarray(payloadStart, payloadStart + size) }
          payloadStart += size
        }
      }
    },
    async preload() {
      const buffer = Buffer.allocUnsafeSlow(index.arraysStart)
      for (let filled = 0; filled < buffer.length;) {
        const size = Math.min(flushBytes, buffer.length - filled)
        const bytesRead = await readSome(descriptor, buffer, filled, size)
        // A file that was truncated or closed meanwhile stays unloaded.
        if (bytesRead === 0 || closed) return
        filled += bytesRead
      }
      resident = buffer
    },
    array,
    sizeBytes,
    isIntact() {
      let checksum = 0
      for (let position = 0; position < index.arraysStart; position += flushBytes) {
        checksum = crc32(readAt(descriptor, position, Math.min(flushBytes, index.arraysStart - position)), checksum)
      }
      const arraysIntact = Object.values(index.arrays).every(
        place => crc32(readAt(descriptor, place.offset, place.bytes)) === place.checksum,
      )
      return checksum === blocksChecksum && arraysIntact
    },
    close() {
      closed = true
      closeSync(descriptor)
    },
  }
}

function readIndex(descriptor: number, sizeBytes: number, file: string) {
  if (sizeBytes < trailerBytes) throw new DamagedFile(`${file}: file is truncated`)
  const trailer = readAt(descriptor, sizeBytes - trailerBytes, trailerBytes)
  const jsonBytes = trailer.readUInt32LE(8)
  if (trailer.readUInt32LE(0) !== magic || jsonBytes > sizeBytes - trailerBytes) {
    throw new DamagedFile(`${file}: not an index file, or truncated`)
  }
  if (trailer.readUInt32LE(4) !== formatVersion) throw new DamagedFile(`${file}: written by another version`)
  const json = readAt(descriptor, sizeBytes - trailerBytes - jsonBytes, jsonBytes)
  if (crc32(json) !== trailer.readUInt32LE(12)) throw new DamagedFile(`${file}: checksum mismatch in the index`)
  return { index: JSON.parse(json.toString()) as FileIndex, blocksChecksum: trailer.readUInt32LE(16) }
}

/** Compares the text at the reader, of `size` bytes, with a term, as JavaScript orders strings. Does not advance. */
function compareText({ bytes, position }: ByteReader, size: number, term: string): number {
  const shorter = Math.min(size, term.length)
  for (let index = 0; index < shorter; index++) {
    const byte = bytes[position + index]!
    const code = term.charCodeAt(index)
    if (byte >= 128 || code >= 128) return compareWide(bytes.subarray(position, position + size), term)
    if (byte !== code) return byte - code
  }
  return size - term.length
}

function compareWide(bytes: Uint8Array, term: string): number {
  const text = Buffer.from(bytes).toString()
  return text < term ? -1 : text > term ? 1 : 0
}

function readSome(descriptor: number, buffer: Buffer, index: number, size: number): Promise<number> {
  return new Promise(resolve => {
    read(descriptor, buffer, index, size, index, (error, bytesRead) => resolve(error === null ? bytesRead : 0))
  })
}

function readAt(descriptor: number, position: number, size: number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(size)
  let filled = 0
  while (filled < size) {
    const read = readSync(descriptor, buffer, filled, size - filled, position + filled)
    if (read === 0) throw new DamagedFile('unexpected end of an index file')
    filled += read
  }
  return buffer
}

function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let index = 0; index < bytes.length;) index += writeSync(descriptor, bytes, index)
}

function kindOf(array: NumberArray): ArrayKind {
  const found = (Object.keys(arrayKinds) as ArrayKind[]).find(kind => array instanceof arrayKinds[kind])
  if (found === undefined) throw new TypeError('An index file supports only its own array kinds.')
  return found
}

/** Reads the texts of a column that `createTextColumn` wrote: their bytes, and where each ends. */
export function textAt(file: TermFile, name: string, endName: string): (index: number) => string {
  const bytes = file.array(name, 'u8')
  const ends = file.array(endName, 'u32')
  return index => readText({ bytes, position: index === 0 ? 0 : ends[index - 1]! })
}
