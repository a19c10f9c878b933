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
