import { constants } from 'node:fs'
import { serve, stopwatch, type IsLate } from './cell.ts'
import { harness } from './python-harness.ts'
import type { Outcome, Run } from './sandbox.ts'

const memoryLimitBytes = 384 * 2 ** 20
const pageBytes = 65_536

limitMemory()
// Pyodide asks for file flags through this old door, which the permission model keeps shut.
Object.assign(process, { binding: () => ({ fs: constants }) })
const { loadPyodide } = await import('pyodide')
const python = await loadPyodide({
  jsglobals: Object.create(null) as object,
  stdin: () => null,
  stdout: () => undefined,
  stderr: () => undefined,
})
const answer = python.runPython(harness) as (request: string) => string
Reflect.deleteProperty(process, 'binding')

const never: IsLate = () => false
let isLate = never
python.setInterruptBuffer(
  deadlineBuffer(() => {
    if (!isLate()) return false
    // Once, so that the exception can be handled; again a little later for code that swallows it.
    isLate = stopwatch(300)
    return true
  }),
)

serve((request: { timeLimitMs: number }, isRequestLate) => {
  isLate = isRequestLate
  try {
    const run = JSON.parse(answer(JSON.stringify(request))) as { outcomes: Encoded[]; failure?: string }
    return { ...run, outcomes: run.outcomes.map(decode) } satisfies Run
  } catch {
    // The interpreter itself gave way (os._exit, a fatal error). Its state is unknown, so the process goes with it.
    return process.exit(1)
  } finally {
    isLate = never
  }
})

type Encoded = { json: string } | { error: string }

function decode(encoded: Encoded): Outcome {
  return 'json' in encoded ? { value: JSON.parse(encoded.json) as unknown } : encoded
}

interface WebAssemblyMemory {
  readonly buffer: ArrayBuffer
  grow: (this: WebAssemblyMemory, pages: number) => number
}

/** WebAssembly memory is outside V8's heap limit; refusing to grow it makes Python raise `MemoryError`. */
function limitMemory(): void {
  const { Memory } = Reflect.get(globalThis, 'WebAssembly') as { Memory: { prototype: WebAssemblyMemory } }
  const grow = Memory.prototype.grow
  Memory.prototype.grow = function (this: WebAssemblyMemory, pages: number) {
    if (this.buffer.byteLength + pages * pageBytes > memoryLimitBytes) throw new RangeError('memory limit')
    return grow.call(this, pages)
  }
}

/** The interpreter polls element 0 between instructions and raises KeyboardInterrupt on 2; this one reads the clock. */
function deadlineBuffer(isLate: IsLate): Uint8Array {
  return new Proxy(new Uint8Array(1), {
    get: (_, key) => (key === '0' && isLate() ? 2 : 0),
    set: () => true,
  })
}
