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

const memoryLimitBytes = 64 * 2 ** 20
const stackLimitBytes = 2 ** 20
const outcomeLimitCharacters = 2 ** 20

// Compiled once, instantiated for each program. (The package's types describe its CommonJS face; as an ES module it
// exports the variant itself.)
const wasm = readFileSync(fileURLToPath(import.meta.resolve('@jitl/quickjs-wasmfile-release-sync/wasm')))
const { compile } = Reflect.get(globalThis, 'WebAssembly') as { compile: (bytes: Buffer) => Promise<never> }
const compiled = newVariant(variant as unknown as QuickJSSyncVariant, { wasmModule: await compile(wasm) })

serve(async (program: Program & { timeLimitMs: number }, isLate) => {
  // A fresh engine for every program: nothing that one leaves behind can reach the next, and nothing needs disposing of.
  const engine = await newQuickJSWASMModuleFromVariant(compiled)
  const runtime = engine.newRuntime()
  runtime.setMemoryLimit(memoryLimitBytes)
  runtime.setMaxStackSize(stackLimitBytes)
  runtime.setInterruptHandler(isLate)
  return runProgram(runtime, runtime.newContext(), program, isLate)
})

function runProgram(runtime: QuickJSRuntime, context: QuickJSContext, program: Program, isLate: IsLate): Run {
  context.unwrapResult(context.evalCode(prelude, 'prelude.js')).dispose()
  // Taken before the generated code runs, which may replace anything it can reach.
  const kit = Object.fromEntries(
    ['encode', 'settle', 'tick'].map(name => [name, context.getProp(context.getProp(context.global, '__kit'), name)]),
  )
  context.setProp(context.global, '__kit', context.undefined)

  const settle = (evaluated: QuickJSHandle): Outcome => {
    const state = context.unwrapResult(context.callFunction(kit.settle!, context.undefined, evaluated))
    for (;;) {
      const jobs = runtime.executePendingJobs()
      if (jobs.error !== undefined) return { error: describe(context, jobs.error) }
      const text = context
        .unwrapResult(context.callFunction(kit.encode!, context.undefined, state))
        .consume(handle => context.getString(handle))
      if (text.length > outcomeLimitCharacters) return { error: 'RangeError: the value is too large to look at' }
      if (text !== '') return JSON.parse(text) as Outcome
      if (isLate()) return { error: late }
      const ticked = context.callFunction(kit.tick!, context.undefined)
      if (ticked.error !== undefined) return { error: describe(context, ticked.error) }
      if (context.dump(ticked.value) !== true) return { error: 'Error: the promise never settles' }
    }
  }
  const evaluate = (code: string, type: 'global' | 'module'): Outcome => {
    const evaluated = context.evalCode(code, type === 'module' ? 'solution.js' : 'case.js', { type })
    return evaluated.error === undefined ? settle(evaluated.value) : { error: describe(context, evaluated.error) }
  }

  const loaded = evaluate(`${withoutTypes(program.source)}\n;globalThis.__evaluate = code => eval(code)`, 'module')
  if (loaded.error !== undefined) return { outcomes: [], failure: loaded.error }
  const outcomes: Outcome[] = []
  for (const code of program.cases) {
    outcomes.push(evaluate(`__evaluate(${JSON.stringify(code)})`, 'global'))
    if (isLate()) return { outcomes, failure: late }
  }
  return { outcomes }
}

const late = 'TimeoutError: the code ran out of time'

function describe(context: QuickJSContext, error: QuickJSHandle): string {
  const thrown: unknown = error.consume(handle => context.dump(handle))
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) {
    const { name = 'Error', message } = thrown as { name?: string; message: string }
    return `${name}: ${message}`
  }
  return `Error: ${JSON.stringify(thrown)}`
}

/** Plain JavaScript passes through; what cannot be stripped is left for the engine to complain about. */
function withoutTypes(source: string): string {
  try {
    return stripTypeScriptTypes(source, { mode: 'transform' })
  } catch {
    return source
  }
}
