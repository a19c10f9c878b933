/** The part of CPython's C interface, as WebAssembly exports it, that runs code and reads values. Pointers are numbers. */
export interface CPython {
  HEAPU8: Uint8Array
  HEAPU32: Uint32Array
  _malloc: (bytes: number) => number
  __Py_NoneStruct: number
  __Py_TrueStruct: number
  __Py_FalseStruct: number
  _PyUnicode_Type: number
  _PyLong_Type: number
  _PyFloat_Type: number
  _PyList_Type: number
  _PyTuple_Type: number
  _PyDict_Type: number
  _PySet_Type: number
  _PyFrozenSet_Type: number
  _PyRange_Type: number
  _PyBytes_Type: number
  _PyByteArray_Type: number
  _PyImport_Inittab: number
  _PyUnicode_FromStringAndSize: (text: number, bytes: number) => number
  _PyUnicode_AsUTF8AndSize: (text: number, size: number) => number
  _PyLong_AsDouble: (value: number) => number
  _PyFloat_AsDouble: (value: number) => number
  _PyList_Size: (list: number) => number
  _PyList_GetItem: (list: number, index: number) => number
  _PyList_AsTuple: (list: number) => number
  _PyList_Sort: (list: number) => number
  _PyTuple_Size: (tuple: number) => number
  _PyTuple_GetItem: (tuple: number, index: number) => number
  _PyDict_Items: (dict: number) => number
  _PyDict_Keys: (dict: number) => number
  _PyDict_GetItemString: (dict: number, name: number) => number
  _PyDict_DelItemString: (dict: number, name: number) => number
  _PySequence_List: (value: number) => number
  _PyObject_GetIter: (value: number) => number
  _PyIter_Check: (value: number) => number
  _PyIter_Next: (iterator: number) => number
  _PyObject_Str: (value: number) => number
  _PyObject_GetAttr: (value: number, name: number) => number
  _PyObject_GetAttrString: (value: number, name: number) => number
  _PyObject_HasAttrString: (value: number, name: number) => number
  _PyObject_CallNoArgs: (call: number) => number
  _PyObject_CallOneArg: (call: number, argument: number) => number
  _PyType_IsSubtype: (type: number, base: number) => number
  _PyType_GetName: (type: number) => number
  _PyErr_GetRaisedException: () => number
  _PyErr_Clear: () => void
  _PyEval_EvalCode: (code: number, globals: number, locals: number) => number
  _PyImport_AddModule: (name: number) => number
  _PyImport_ImportModule: (name: number) => number
  _PyModule_GetDict: (module: number) => number
  _Py_IncRef: (value: number) => void
  _Py_DecRef: (value: number) => void
}

/** A Python exception, as `Name: message`. */
export class PythonError extends Error {
  override name = 'PythonError'
}

const maxIteration = 100_000
const maxDepth = 200
const maxNodes = 300_000
const maxCharacters = 2 ** 20
const messageLimitCharacters = 2_000

/**
 * Reads Python values from outside, through the C interface: none of our own Python runs once a program has started, so
 * there is no frame of ours to inspect, no list of results to add to and no encoder to replace. Nothing is freed: the
 * interpreter is discarded after the program.
 */
export function pythonReader(python: CPython) {
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
  /** A result of the interpreter; throws the exception it raised instead. */
  const checked = (pointer: number): number => {
    if (pointer === 0) throw new PythonError(raised())
    return pointer
  }
  const raised = (): string => {
    const error = python._PyErr_GetRaisedException()
    return error === 0 ? 'SystemError: nothing was raised' : describe(error)
  }
  const describe = (error: number): string => {
    const name = characters(python._PyType_GetName(typeOf(error)))
    const message = python._PyObject_Str(error)
    if (message === 0) python._PyErr_Clear()
    return `${name}: ${message === 0 ? '' : characters(message)}`.slice(0, messageLimitCharacters)
  }
  const is = (type: number, ...bases: readonly number[]): boolean =>
    bases.some(base => type === base || python._PyType_IsSubtype(type, base) !== 0)
  const attribute = (module: string, name: string): number =>
    checked(python._PyObject_GetAttrString(checked(python._PyImport_ImportModule(cString(module))), cString(name)))

  const fieldsName = cString('__dataclass_fields__')
  const deque = attribute('collections', 'deque')
  const listed = [python._PyRange_Type, python._PyBytes_Type, python._PyByteArray_Type, deque]

  const items = (tuple: number): number[] =>
    Array.from({ length: python._PyTuple_Size(tuple) }, (_, index) => python._PyTuple_GetItem(tuple, index))
  const ofList = (list: number): number[] => items(checked(python._PyList_AsTuple(list)))

  const iterated = (value: number): number[] => {
    const iterator = checked(python._PyObject_GetIter(value))
    const values: number[] = []
    while (values.length < maxIteration) {
      const next = python._PyIter_Next(iterator)
      if (next !== 0) {
        values.push(next)
        continue
      }
      const error = python._PyErr_GetRaisedException()
      if (error === 0) break
      throw new PythonError(describe(error))
    }
    return values
  }
  /** The value as plain data, as `json.dumps` would write it; sets become sorted lists and iterators lists. */
  const plain = (root: number): unknown => {
    let nodes = 0
    let length = 0
    const text = (value: number): string => {
      const read = characters(value)
      length += read.length
      if (length > maxCharacters) throw new PythonError(tooLarge)
      return read
    }
    const finite = (value: number): number => {
      if (!Number.isFinite(value)) throw new PythonError('ValueError: Out of range float values are not JSON compliant')
      return value
    }
    const integer = (value: number): number => {
      const read = python._PyLong_AsDouble(value)
      if (read !== -1) return read
      const error = python._PyErr_GetRaisedException()
      if (error !== 0) throw new PythonError(describe(error))
      return read
    }
    const key = (value: number): string => {
      const type = typeOf(value)
      if (is(type, python._PyUnicode_Type)) return text(value)
      if (value === python.__Py_NoneStruct) return 'null'
      if (value === python.__Py_TrueStruct) return 'true'
      if (value === python.__Py_FalseStruct) return 'false'
      if (is(type, python._PyLong_Type, python._PyFloat_Type)) return text(checked(python._PyObject_Str(value)))
      throw new PythonError(
        `TypeError: keys must be str, int, float, bool or None, not ${characters(python._PyType_GetName(type))}`,
      )
    }
    const members = (pairs: readonly (readonly [string, number])[], depth: number): Record<string, unknown> => {
      const record = Object.create(null) as Record<string, unknown>
      for (const [name, member] of pairs) record[name] = read(member, depth)
      return record
    }
    const read = (value: number, above: number): unknown => {
      const depth = above + 1
      if (depth > maxDepth) throw new PythonError('ValueError: the value is circular or too deep')
      if (++nodes > maxNodes) throw new PythonError(tooLarge)
      if (value === python.__Py_NoneStruct) return null
      if (value === python.__Py_TrueStruct) return true
      if (value === python.__Py_FalseStruct) return false
      const type = typeOf(value)
      if (is(type, python._PyUnicode_Type)) return text(value)
      if (is(type, python._PyLong_Type)) return integer(value)
      if (is(type, python._PyFloat_Type)) return finite(python._PyFloat_AsDouble(value))
      if (is(type, python._PyTuple_Type)) return items(value).map(item => read(item, depth))
      if (is(type, python._PyList_Type)) return ofList(value).map(item => read(item, depth))
      if (is(type, python._PyDict_Type)) {
        const pairs = ofList(checked(python._PyDict_Items(value))).map(items)
        return members(
          pairs.map(([name, member]) => [key(name!), member!]),
          depth,
        )
      }
      if (is(type, python._PySet_Type, python._PyFrozenSet_Type)) {
        const list = checked(python._PySequence_List(value))
        if (python._PyList_Sort(list) !== 0) throw new PythonError(raised())
        return ofList(list).map(item => read(item, depth))
      }
      if (is(type, ...listed) || python._PyIter_Check(value) !== 0)
        return iterated(value).map(item => read(item, depth))
      if (python._PyObject_HasAttrString(type, fieldsName) !== 0) {
        const names = ofList(checked(python._PyDict_Keys(checked(python._PyObject_GetAttrString(type, fieldsName)))))
        return members(
          names.map(name => [key(name), checked(python._PyObject_GetAttr(value, name))]),
          depth,
        )
      }
      throw new PythonError(`TypeError: ${characters(python._PyType_GetName(type))} is not plain data`)
    }
    return read(root, 0)
  }

  return {
    cString,
    checked,
    items,
    plain,
    characters,
    /** A Python string. */
    string: (text: string): number => {
      const pointer = cString(text)
      return checked(python._PyUnicode_FromStringAndSize(pointer, new TextEncoder().encode(text).length))
    },
  }
}

const tooLarge = 'ValueError: the value is too large to inspect'
