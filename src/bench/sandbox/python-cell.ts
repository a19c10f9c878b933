import { serve, stopwatch, type IsLate } from './cell.ts'
import { pythonInterpreters, type Interpreter } from './python-interpreter.ts'
import { PythonError } from './python-objects.ts'
import type { Outcome, Program, Query, Run } from './sandbox.ts'

type Request = { timeLimitMs: number } & (({ kind: 'python' } & Program) | ({ kind: 'sql' } & Query))

const never: IsLate = () => false
let isLate = never
const fresh = await pythonInterpreters(
  deadlineBuffer(() => {
    if (!isLate()) return false
    // Once, so that the exception can be handled; again shortly after for code that swallows it.
    isLate = stopwatch(300)
    return true
  }),
)
/** Prepared in advance, while no program waits for it. */
let next = fresh()

serve(async (request: Request, isRequestLate): Promise<Run> => {
  const interpreter = await next
  isLate = isRequestLate
  try {
    return request.kind === 'sql' ? runQuery(interpreter, request) : runProgram(interpreter, request, isRequestLate)
  } catch (thrown) {
    // The interpreter itself ended (os._exit, a fatal error, the gate).
    const [refused] = interpreter.gate.refused()
    if (refused !== undefined) return { outcomes: [], failure: `the code tried to access the host (${refused})` }
    return { outcomes: [], failure: `the code ended its interpreter (${String(thrown).slice(0, 200)})` }
  } finally {
    isLate = never
    next = fresh()
  }
})

function runProgram({ python, read, functions }: Interpreter, program: Program, isRequestLate: IsLate): Run {
  const { string, items, checked, plain } = read
  const call = (code: number, scope: number): number => checked(python._PyEval_EvalCode(code, scope, scope))
  const attempt = <Value>(work: () => Value): { done: Value } | { error: string } => {
    try {
      return { done: work() }
    } catch (thrown) {
      if (thrown instanceof PythonError) return { error: thrown.message }
      throw thrown
    }
  }

  const prepared = attempt(() => {
    const tuple = checked(python._PyObject_CallOneArg(functions.prepare, string(JSON.stringify(program))))
    const parts = items(tuple)
    const cases = parts.slice(2).map(pair => items(pair))
    // Kept as numbers, so that no Python list shows the program its test cases.
    for (const pointer of [...parts, ...cases.flat()]) python._Py_IncRef(pointer)
    python._Py_DecRef(tuple)
    return { scope: parts[0]!, source: parts[1]!, cases }
  })
  if ('error' in prepared) return { outcomes: [], failure: prepared.error }
  const { scope, source, cases } = prepared.done

  const loaded = attempt(() => call(source, scope))
  if (isRequestLate()) return { outcomes: [], failure: late }
  if ('error' in loaded) return { outcomes: [], failure: loaded.error }
  const outcomes: Outcome[] = []
  for (const [statements, value] of cases) {
    const result = attempt(() => {
      call(statements!, scope)
      return value === python.__Py_NoneStruct ? null : plain(call(value!, scope))
    })
    if (isRequestLate()) return { outcomes: [], failure: late }
    outcomes.push('error' in result ? { error: result.error } : { value: result.done })
  }
  return { outcomes }
}

function runQuery({ python, read, functions }: Interpreter, query: Query): Run {
  try {
    const rows = python._PyObject_CallOneArg(functions.query, read.string(JSON.stringify(query)))
    return { outcomes: [{ value: read.plain(read.checked(rows)) }] }
  } catch (thrown) {
    if (thrown instanceof PythonError) return { outcomes: [], failure: thrown.message }
    throw thrown
  }
}

const late = 'TimeoutError: the code ran out of time'

/** The interpreter polls element 0 between instructions and raises KeyboardInterrupt on 2; this buffer reads the clock. */
function deadlineBuffer(isLate: IsLate): Uint8Array {
  return new Proxy(new Uint8Array(1), {
    get: (_, key) => (key === '0' && isLate() ? 2 : 0),
    set: () => true,
  })
}
