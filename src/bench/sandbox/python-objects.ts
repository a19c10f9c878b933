import type { CPython } from './cpython.ts'

/** A Python exception, as `Name: message`. */
export class PythonError extends Error {
  override name = 'PythonError'
}

export const maxCharacters = 2 ** 20
export const tooLarge = 'ValueError: the value is too large to inspect'
const maxIteration = 100_000
const messageLimitCharacters = 2_000

/** Access to Python objects through the C interface. Pointers are numbers; a failed call throws a `PythonError`. */
export type PythonObjects = ReturnType<typeof pythonObjects>

export function pythonObjects(python: CPython) {
  const cString = (text: string): number => {
    const bytes = new TextEncoder().encode(text)
    const pointer = python._malloc(bytes.length + 1)
    if (pointer === 0) throw new PythonError('MemoryError: ')
    python.HEAPU8.set(bytes, pointer)
    python.HEAPU8[pointer + bytes.length] = 0
    return pointer
  }
  const word = (pointer: number): number => python.HEAPU32[pointer >>> 2]!
  const typeOf = (value: number): number => word(value + 4)
  const sizeSlot = python._malloc(4)

  const characters = (text: number): string => {
    const start = checked(python._PyUnicode_AsUTF8AndSize(text, sizeSlot))
    const length = word(sizeSlot)
    if (length > 4 * maxCharacters) throw new PythonError(tooLarge)
    return new TextDecoder().decode(python.HEAPU8.slice(start, start + length))
  }
  const checked = (pointer: number): number => {
    if (pointer === 0) throw raised() ?? new PythonError('SystemError: nothing was raised')
    return pointer
  }
  const raised = (): PythonError | undefined => {
    const error = python._PyErr_GetRaisedException()
    return error === 0 ? undefined : new PythonError(describe(error))
  }
  const describe = (error: number): string => {
    const name = characters(python._PyType_GetName(typeOf(error)))
    const message = python._PyObject_Str(error)
    if (message === 0) python._PyErr_Clear()
    return `${name}: ${message === 0 ? '' : characters(message)}`.slice(0, messageLimitCharacters)
  }
  const items = (tuple: number): number[] =>
    Array.from({ length: python._PyTuple_Size(tuple) }, (_, index) => python._PyTuple_GetItem(tuple, index))

  return {
    cString,
    /** A Python string. */
    string: (text: string): number => {
      const pointer = cString(text)
      return checked(python._PyUnicode_FromStringAndSize(pointer, new TextEncoder().encode(text).length))
    },
    /** The text of a Python string. */
    characters,
    /** A result of the interpreter; throws the exception it raised instead. */
    checked,
    /** The exception raised, which is cleared by this call. */
    raised,
    typeOf,
    isSubtype: (type: number, ...bases: readonly number[]): boolean =>
      bases.some(base => type === base || python._PyType_IsSubtype(type, base) !== 0),
    attribute: (module: string, name: string): number =>
      checked(python._PyObject_GetAttrString(checked(python._PyImport_ImportModule(cString(module))), cString(name))),
    /** The elements of a tuple. */
    items,
    elements: (list: number): number[] => items(checked(python._PyList_AsTuple(list))),
    /** What iterating over a value yields, up to a limit. */
    iterated: (value: number): number[] => {
      const iterator = checked(python._PyObject_GetIter(value))
      const values: number[] = []
      while (values.length < maxIteration) {
        const next = python._PyIter_Next(iterator)
        if (next !== 0) {
          values.push(next)
          continue
        }
        const error = raised()
        if (error === undefined) break
        throw error
      }
      return values
    },
  }
}
