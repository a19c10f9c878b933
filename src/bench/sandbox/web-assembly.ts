/** The part of the engine's `WebAssembly` that this project uses and Node's types lack. */
export interface WebAssemblyApi {
  compile: (wasm: Uint8Array) => Promise<WasmModule>
  /** For bytes the result has module and instance; for a module it is the instance alone. */
  instantiate: (source: Uint8Array | WasmModule, imports?: WasmImports) => Promise<unknown>
  Module: { imports: (module: WasmModule) => { module: string; name: string; kind: string }[] }
  Memory: new (limits: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer }
}
export type WasmModule = object & { readonly __wasm?: never }
export type WasmImports = Record<string, Record<string, HostFunction>>
/** A function of this process that WebAssembly may call; Emscripten sets its signature on it. */
export type HostFunction = ((...args: never[]) => unknown) & { sig?: string; stub?: boolean }

export const webAssembly = Reflect.get(globalThis, 'WebAssembly') as WebAssemblyApi

/**
 * A WebAssembly module with another memory limit. The engine enforces what the module declares, so neither the code inside
 * nor its host code can exceed it.
 */
export function withMemoryLimit(wasm: Uint8Array, limitBytes: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(wasm)
  const pages = Math.floor(limitBytes / pageBytes)
  const limits = memoryLimits(copy)
  if (limits === undefined) throw new Error('The module declares no memory limit.')
  const { position, length } = limits
  // Written in the same number of bytes: LEB128 allows leading zeros.
  for (let index = 0; index < length; index++)
    copy[position + index] = ((pages >>> (7 * index)) & 0x7f) | (index === length - 1 ? 0 : 0x80)
  return copy
}

const pageBytes = 65_536
const memorySection = 5
const headerBytes = 8

/** The position of the declared memory maximum. */
function memoryLimits(wasm: Uint8Array): { position: number; length: number } | undefined {
  const reader = readerOf(wasm, headerBytes)
  while (reader.position < wasm.length) {
    const section = reader.byte()
    const end = reader.number() + reader.position
    if (section === memorySection) {
      reader.number()
      if (reader.byte() === 1) {
        reader.number()
        return spanOfNumber(wasm, reader.position)
      }
    }
    reader.position = end
  }
  return undefined
}

function readerOf(wasm: Uint8Array, start: number) {
  const reader = {
    position: start,
    byte: () => wasm[reader.position++]!,
    number: () => {
      let value = 0
      for (let shift = 0; ; shift += 7) {
        const byte = reader.byte()
        value |= (byte & 0x7f) << shift
        if (byte < 0x80) return value >>> 0
      }
    },
  }
  return reader
}

function spanOfNumber(wasm: Uint8Array, position: number): { position: number; length: number } {
  let length = 1
  while (wasm[position + length - 1]! >= 0x80) length++
  return { position, length }
}
