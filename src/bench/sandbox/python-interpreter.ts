import { constants } from 'node:fs'
import type { CPython } from './cpython.ts'
import { createGate, type Gate } from './python-gate.ts'
import { harness } from './python-harness.ts'
import { pythonReader, type PythonReader } from './python-reader.ts'
import { webAssembly, withMemoryLimit, type HostFunction, type WasmImports, type WasmModule } from './web-assembly.ts'

const memoryLimitBytes = 384 * 2 ** 20
/** Limit of one file, and of all bytes ever written: in-memory files are outside WebAssembly's memory. */
const filesLimitBytes = 64 * 2 ** 20
const noSpaceLeft = 51

/** One interpreter, for one program. */
export interface Interpreter {
  python: CPython
  read: PythonReader
  gate: Gate
  /** Pointers to the functions of the harness. */
  functions: { prepare: number; query: number }
}

interface Pyodide {
  _module: CPython
  FS: FileSystem
  runPython: (code: string) => unknown
  setInterruptBuffer: (buffer: Uint8Array) => void
  makeMemorySnapshot: () => Uint8Array
}

interface FileSystem {
  ErrnoError: new (code: number) => Error
  filesystems: {
    MEMFS: {
      expandFileStorage: (node: object, size: number) => void
      resizeFileStorage: (node: object, size: number) => void
      ops_table: {
        file: {
          stream: {
            write: (stream: object, buffer: object, offset: number, length: number, ...rest: unknown[]) => number
          }
        }
      }
    }
  }
}

/**
 * Starts, prepares and closes one interpreter and keeps a snapshot of its memory; every call creates a new interpreter from
 * that snapshot, in about 100 ms. `interrupt` is polled between instructions: a 2 in it raises KeyboardInterrupt.
 */
export async function pythonInterpreters(interrupt: Uint8Array): Promise<() => Promise<Interpreter>> {
  // Pyodide reads file flags through this deprecated API, which the permission model disables.
  Object.assign(process, { binding: () => ({ fs: constants }) })
  const { loadPyodide } = await import('pyodide')
  const load = loadPyodide as unknown as (options: object) => Promise<Pyodide>
  const options = {
    jsglobals: Object.create(null) as object,
    stdin: () => null,
    stdout: () => undefined,
    stderr: () => undefined,
  }

  let gate = createGate()
  instantiateThrough(imports => {
    gate.guard(imports)
  })
  const first = await load({ ...options, _makeSnapshot: true })
  first.runPython(harness)
  removeModules(first._module)
  const picture = first.makeMemorySnapshot()

  return async () => {
    gate = createGate()
    const own = gate
    const pyodide = await load({ ...options, _loadSnapshot: picture })
    boundFiles(pyodide.FS)
    pyodide.setInterruptBuffer(interrupt)
    const python = pyodide._module
    const read = pythonReader(python)
    const functions = { prepare: take(python, read, 'prepare'), query: take(python, read, 'query') }
    read.checked(python._PyObject_CallNoArgs(take(python, read, 'close')))
    Reflect.deleteProperty(globalThis, 'require')
    own.close()
    return { python, read, gate: own, functions }
  }
}

/** Pyodide compiles for every instance; this compiles once, with our memory limit, and passes the imports to `guard`. */
function instantiateThrough(guard: (imports: Record<string, HostFunction>) => void): void {
  const instantiate = webAssembly.instantiate.bind(webAssembly)
  let compiled: WasmModule | undefined
  webAssembly.instantiate = async (source, imports?: WasmImports) => {
    const environment = imports?.env
    if (environment === undefined || !(source instanceof Uint8Array)) return instantiate(source, imports)
    compiled ??= await webAssembly.compile(withMemoryLimit(source, memoryLimitBytes))
    guard(environment)
    return { module: compiled, instance: await instantiate(compiled, imports) }
  }
}

/**
 * Removes the built-in modules that give access to the host from the table of built-ins: an entry without its function gives
 * an empty module. The interpreter uses a copy of the table, so both are changed.
 */
function removeModules(python: CPython): void {
  const memory = python.HEAPU32
  const table = memory[python._PyImport_Inittab >>> 2]! >>> 2
  const removed = new Map<number, number>()
  for (let entry = table; memory[entry] !== 0; entry += 2)
    if (outward.has(nameAt(python, memory[entry]!))) removed.set(memory[entry]!, memory[entry + 1]!)
  for (let index = 0; index < memory.length - 1; index++)
    if (memory[index + 1] !== 0 && removed.get(memory[index]!) === memory[index + 1]) memory[index + 1] = 0
}

const outward: ReadonlySet<string> = new Set([
  '_pyodide_core',
  '_ctypes',
  '_posixsubprocess',
  '_socket',
  '_remote_debugging',
  '_testinternalcapi',
  '_testcapi',
  '_testlimitedcapi',
  '_testclinic',
  '_testclinic_limited',
  '_testbuffer',
  '_xxtestfuzz',
  'xxsubtype',
])

function nameAt({ HEAPU8 }: CPython, pointer: number): string {
  return Buffer.from(HEAPU8.subarray(pointer, HEAPU8.indexOf(0, pointer))).toString('latin1')
}

/** Emscripten calls these functions through their objects, so a limit that wraps them applies to every file. */
function boundFiles({ ErrnoError, filesystems: { MEMFS } }: FileSystem): void {
  let written = 0
  const { write } = MEMFS.ops_table.file.stream
  MEMFS.ops_table.file.stream.write = (stream, buffer, offset, length, ...rest) => {
    written += length
    if (written > filesLimitBytes) throw new ErrnoError(noSpaceLeft)
    return write(stream, buffer, offset, length, ...rest)
  }
  for (const name of ['expandFileStorage', 'resizeFileStorage'] as const) {
    const change = MEMFS[name]
    MEMFS[name] = (node, size) => {
      if (size > filesLimitBytes) throw new ErrnoError(noSpaceLeft)
      change(node, size)
    }
  }
}

function take(python: CPython, { cString, checked }: PythonReader, name: string): number {
  const scope = python._PyModule_GetDict(checked(python._PyImport_AddModule(cString('__main__'))))
  const taken = checked(python._PyDict_GetItemString(scope, cString(name)))
  python._Py_IncRef(taken)
  python._PyDict_DelItemString(scope, cString(name))
  return taken
}
