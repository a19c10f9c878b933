import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import variant from '@jitl/quickjs-wasmfile-release-sync'
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSSyncVariant,
} from 'quickjs-emscripten-core'
import { serve, type IsLate } from './cell.ts'
import { prelude } from './javascript-prelude.ts'
import type { Outcome, Program, Run } from './sandbox.ts'
import { webAssembly } from './web-assembly.ts'

const memoryLimitBytes = 64 * 2 ** 20
/** WebAssembly's memory limit, in addition to QuickJS's own, which does not count every allocation. */
const programPages = memoryLimitBytes / 65_536
const ownPages = 256
const stackLimitBytes = 2 ** 20
const outcomeLimitCharacters = 2 ** 20
const messageLimitCharacters = 2_000

// Compiled once, instantiated for each program. (The package's types describe its CommonJS exports; as an ES module it
// exports the variant itself.)
const wasm = readFileSync(fileURLToPath(import.meta.resolve('@jitl/quickjs-wasmfile-release-sync/wasm')))
const wasmModule = (await webAssembly.compile(wasm)) as never

// Node loads this on first use, which must be before the cell disables the host.
withoutTypes('enum Warm { Up }')

serve(async (program: Program & { timeLimitMs: number }, isLate) => {
  // A fresh engine for every program: no state can reach the next one, and nothing needs disposing.
  const wasmMemory = new webAssembly.Memory({ initial: ownPages, maximum: ownPages + programPages }) as never
  const engine = await newQuickJSWASMModuleFromVariant(
    newVariant(variant as unknown as QuickJSSyncVariant, { wasmModule, wasmMemory }),
  )
  const runtime = engine.newRuntime()
  runtime.setMemoryLimit(memoryLimitBytes)
  runtime.setMaxStackSize(stackLimitBytes)
  runtime.setInterruptHandler(isLate)
  return runProgram(runtime, runtime.newContext(), program, isLate)
})

function runProgram(runtime: QuickJSRuntime, context: QuickJSContext, program: Program, isLate: IsLate): Run {
  context.unwrapResult(context.evalCode(prelude, 'prelude.js')).dispose()
  // Captured before the generated code runs, which may replace anything it can reach.
  const kit = Object.fromEntries(
    ['encode', 'settle', 'tick', 'isIntact'].map(name => [
      name,
      context.getProp(context.getProp(context.global, '__kit'), name),
    ]),
  )
  context.setProp(context.global, '__kit', context.undefined)

  const property = (handle: QuickJSHandle, name: string): unknown => context.dump(context.getProp(handle, name))
  /** Waits, in virtual time, until the promise settles. The state then has its value or its error. */
  const settle = (evaluated: QuickJSHandle): { state: QuickJSHandle } | { error: string } => {
    const state = context.unwrapResult(context.callFunction(kit.settle!, context.undefined, evaluated))
    for (;;) {
      const jobs = runtime.executePendingJobs()
      if (jobs.error !== undefined) return { error: isLate() ? late : describe(context, jobs.error) }
      if (property(state, 'done') === true) return { state }
      if (isLate()) return { error: late }
      const ticked = context.callFunction(kit.tick!, context.undefined)
      if (ticked.error !== undefined) return { error: describe(context, ticked.error) }
      if (context.dump(ticked.value) !== true) return { error: 'Error: the promise never settles' }
    }
  }
  const load = (): { evaluate: QuickJSHandle } | { error: string } => {
    // An unguessable name, so that only the module's own scope can answer its cases.
    const evaluator = `evaluate_${randomUUID().replaceAll('-', '')}`
    const code = `${withoutTypes(program.source)}\n;export const ${evaluator} = code => eval(code)`
    const loaded = context.evalCode(code, 'solution.js', { type: 'module' })
    if (loaded.error !== undefined) return { error: describe(context, loaded.error) }
    const settled = settle(loaded.value)
    if ('error' in settled) return settled
    const error = property(settled.state, 'error')
    if (typeof error === 'string') return { error }
    return { evaluate: context.getProp(context.getProp(settled.state, 'value'), evaluator) }
  }
  const evaluate = (call: QuickJSHandle, code: string): Outcome => {
    const intact = context.callFunction(kit.isIntact!, context.undefined)
    if (intact.error !== undefined || context.dump(intact.value) !== true) return { error: 'Error: eval was replaced' }
    const evaluated = context.callFunction(call, context.undefined, context.newString(code))
    if (evaluated.error !== undefined) return { error: describe(context, evaluated.error) }
    const settled = settle(evaluated.value)
    if ('error' in settled) return settled
    const encoded = context.callFunction(kit.encode!, context.undefined, settled.state)
    if (encoded.error !== undefined) return { error: describe(context, encoded.error) }
    if (Number(property(encoded.value, 'length')) > outcomeLimitCharacters)
      return { error: 'RangeError: the value is too large to inspect' }
    const { error, ...rest } = JSON.parse(context.getString(encoded.value)) as Outcome
    return error === undefined ? { value: null, ...rest } : { error: error.slice(0, messageLimitCharacters) }
  }

  const loaded = load()
  if ('error' in loaded) return { outcomes: [], failure: loaded.error }
  const outcomes: Outcome[] = []
  for (const code of program.cases) {
    outcomes.push(evaluate(loaded.evaluate, code))
    if (isLate()) return { outcomes: [], failure: late }
  }
  return { outcomes }
}

const late = 'TimeoutError: the code ran out of time'

function describe(context: QuickJSContext, error: QuickJSHandle): string {
  const thrown: unknown = error.consume(handle => context.dump(handle))
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) {
    const { name = 'Error', message } = thrown as { name?: string; message: string }
    return `${name}: ${message}`.slice(0, messageLimitCharacters)
  }
  return `Error: ${JSON.stringify(thrown)}`.slice(0, messageLimitCharacters)
}

/** Plain JavaScript passes through; if types cannot be stripped, the engine reports the error. */
function withoutTypes(source: string): string {
  try {
    return stripTypeScriptTypes(source, { mode: 'transform' })
  } catch {
    return source
  }
}
