import type { CPython } from './cpython.ts'
import { maxCharacters, PythonError, pythonObjects, tooLarge, type PythonObjects } from './python-objects.ts'

const maxDepth = 200
const maxNodes = 300_000

export interface PythonReader extends PythonObjects {
  /** The value as plain data, as `json.dumps` would write it; sets become sorted lists and iterators lists. */
  plain: (value: number) => unknown
}

/**
 * Reads Python values from outside, through the C interface: none of our own Python runs once a program has started, so
 * there is no frame of ours to inspect, no list of results to add to and no encoder to replace. Nothing is freed: the
 * interpreter is discarded after the program.
 */
export function pythonReader(python: CPython): PythonReader {
  const objects = pythonObjects(python)
  const { cString, checked, typeOf, isSubtype, items, elements, iterated } = objects
  const dataclassFields = cString('__dataclass_fields__')
  const deque = objects.attribute('collections', 'deque')
  const listed = [python._PyRange_Type, python._PyBytes_Type, python._PyByteArray_Type, deque]

  const plain = (root: number): unknown => {
    let nodes = 0
    const { text, integer, key } = scalarReader(python, objects)
    const record = (pairs: readonly (readonly [string, number])[], depth: number): Record<string, unknown> => {
      const members = Object.create(null) as Record<string, unknown>
      for (const [name, member] of pairs) members[name] = read(member, depth)
      return members
    }
    const read = (value: number, above: number): unknown => {
      const depth = above + 1
      if (depth > maxDepth) throw new PythonError('ValueError: the value is circular or too deep')
      if (++nodes > maxNodes) throw new PythonError(tooLarge)
      if (value === python.__Py_NoneStruct) return null
      if (value === python.__Py_TrueStruct) return true
      if (value === python.__Py_FalseStruct) return false
      const type = typeOf(value)
      if (isSubtype(type, python._PyUnicode_Type)) return text(value)
      if (isSubtype(type, python._PyLong_Type)) return integer(value)
      if (isSubtype(type, python._PyFloat_Type)) return finite(python._PyFloat_AsDouble(value))
      if (isSubtype(type, python._PyTuple_Type)) return items(value).map(item => read(item, depth))
      if (isSubtype(type, python._PyList_Type)) return elements(value).map(item => read(item, depth))
      if (isSubtype(type, python._PyDict_Type)) {
        const pairs = elements(checked(python._PyDict_Items(value))).map(items)
        return record(
          pairs.map(([name, member]) => [key(name!), member!]),
          depth,
        )
      }
      if (isSubtype(type, python._PySet_Type, python._PyFrozenSet_Type)) {
        const list = checked(python._PySequence_List(value))
        const sorted = python._PyList_Sort(list) === 0
        return elements(checked(sorted ? list : 0)).map(item => read(item, depth))
      }
      if (isSubtype(type, ...listed) || python._PyIter_Check(value) !== 0)
        return iterated(value).map(item => read(item, depth))
      if (python._PyObject_HasAttrString(type, dataclassFields) !== 0) {
        const fields = checked(python._PyObject_GetAttrString(type, dataclassFields))
        const names = elements(checked(python._PyDict_Keys(fields)))
        return record(
          names.map(name => [key(name), checked(python._PyObject_GetAttr(value, name))]),
          depth,
        )
      }
      throw new PythonError(`TypeError: ${typeName(python, objects, value)} is not plain data`)
    }
    return read(root, 0)
  }

  return { ...objects, plain }
}

/** Reads the values without members of one result, whose texts together are limited. */
function scalarReader(python: CPython, objects: PythonObjects) {
  const { characters, checked, raised, typeOf, isSubtype } = objects
  let length = 0
  const text = (value: number): string => {
    const read = characters(value)
    length += read.length
    if (length > maxCharacters) throw new PythonError(tooLarge)
    return read
  }
  return {
    text,
    integer: (value: number): number => {
      const read = python._PyLong_AsDouble(value)
      // -1 also stands for a failure.
      const error = read === -1 ? raised() : undefined
      if (error !== undefined) throw error
      return read
    },
    /** The key of a dictionary, as `json.dumps` would write it. */
    key: (value: number): string => {
      const type = typeOf(value)
      if (isSubtype(type, python._PyUnicode_Type)) return text(value)
      if (value === python.__Py_NoneStruct) return 'null'
      if (value === python.__Py_TrueStruct) return 'true'
      if (value === python.__Py_FalseStruct) return 'false'
      if (isSubtype(type, python._PyLong_Type, python._PyFloat_Type)) return text(checked(python._PyObject_Str(value)))
      throw new PythonError(
        `TypeError: keys must be str, int, float, bool or None, not ${typeName(python, objects, value)}`,
      )
    },
  }
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new PythonError('ValueError: Out of range float values are not JSON compliant')
  return value
}

function typeName(python: CPython, { characters, typeOf }: PythonObjects, value: number): string {
  return characters(python._PyType_GetName(typeOf(value)))
}
