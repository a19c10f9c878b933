import { tries, type Try } from './try.ts'

/** The way out that was taken: an object of the host's prototype chain, then its global object, then Node's modules. */
const climb = `
def climb(to_js):
    host = to_js([1]).__proto__.__proto__
    host.__defineGetter__('WebSocket', to_js(lambda: 1))
    return str(host)
`

const names = [
  'js',
  'pyodide_js',
  'pyodide',
  'pyodide.ffi',
  'pyodide.code',
  'pyodide.http',
  'pyodide.webloop',
  'pyodide.console',
  '_pyodide',
  '_pyodide._base',
  '_pyodide._core_docs',
  '_pyodide_core',
  'ctypes',
  '_ctypes',
  'ctypes.util',
  '_testcapi',
  '_testinternalcapi',
  '_remote_debugging',
  '_posixsubprocess',
  '_socket',
]
const powers =
  "{'to_js', 'run_js', 'eval_code', 'PyDLL', 'CDLL', 'dlopen', 'fork_exec', 'socket', 'fetch', 'open_url', 'RemoteUnwinder', 'raise_signal', 'get_config', 'hamt', 'document'}"

const importing = names.flatMap((name): [string, string][] => [
  [
    `import ${name}, taken out of sys.modules first`,
    `import sys, importlib
sys.modules.pop('${name}', None)
sys.modules.pop('${name.split('.')[0]}', None)
def evidence():
    module = importlib.import_module('${name}')
    return [n for n in ${powers} if callable(getattr(module, n, None))]`,
  ],
])

const builtins = ['_pyodide_core', '_ctypes', '_socket', '_posixsubprocess', '_testcapi', '_remote_debugging'].flatMap(
  (name): [string, string][] => [
    [
      `make the built-in module ${name} anew`,
      `import _imp, importlib.machinery as m
def evidence():
    module = _imp.create_builtin(m.ModuleSpec('${name}', m.BuiltinImporter))
    _imp.exec_builtin(module)
    return [n for n in dir(module) if not n.startswith('__')]`,
    ],
  ],
)

export const bridgeTries: readonly Try[] = [
  ...tries('python', 'no evidence', importing),
  ...tries('python', 'no evidence', builtins),
  ...tries('python', 'no evidence', [
    [
      'the bridge in the globals of the frame that called',
      `import sys${climb}
def evidence(): return climb(sys._getframe(1).f_globals['_pyodide_core'].to_js)`,
    ],
    [
      'the bridge in any frame below',
      `import sys${climb}
frame, found = sys._getframe(), []
while frame is not None:
    found += [v for v in [*frame.f_globals.values(), *frame.f_locals.values()] if hasattr(v, 'to_js')]
    frame = frame.f_back
def evidence(): return climb(found[0].to_js)`,
    ],
    [
      'a frame of somebody else below this module',
      `import sys
frames, frame = [], sys._getframe()
while frame is not None:
    frames.append(frame.f_code.co_filename)
    frame = frame.f_back
def evidence(): return [name for name in frames if name != 'solution.py']`,
    ],
    [
      'a frame of somebody else by a traceback',
      `try: raise ValueError
except ValueError as error: below = error.__traceback__.tb_frame.f_back
def evidence(): return below is not None`,
    ],
    [
      'a frame of somebody else by a generator',
      `import sys
def walk():
    frame = sys._getframe()
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back
class Value:
    def __iter__(self): return (name for name in list(walk()) if name not in ('solution.py', 'case.py'))
def evidence():
    return iter(Value())`,
    ],
    [
      'frames of somebody else while a value is read',
      `import sys
seen = []
class Value:
    def __init__(self): self.left = 1
    def __iter__(self): return self
    def __next__(self):
        if not self.left: raise StopIteration
        self.left = 0
        frame = sys._getframe(1) if hasattr(sys, '_getframe') else None
        return None if frame is None else frame.f_code.co_filename
def evidence(): return Value()`,
    ],
    [
      'frames of somebody else while a set is sorted',
      `import sys
seen = []
class Value:
    def __hash__(self): return id(self)
    def __lt__(self, other):
        try: seen.append(sys._getframe(1).f_code.co_filename)
        except ValueError: pass
        return False
    def __iter__(self): return iter([])
    def __next__(self): raise StopIteration
sorts = {Value(), Value()}
def evidence():
    return seen
def first(): return sorts`,
    ],
    [
      'all threads’ frames',
      `import sys
def evidence(): return [f.f_code.co_filename for f in sys._current_frames().values() if f.f_code.co_filename not in ('solution.py', 'case.py')]`,
    ],
    [
      'objects of JavaScript among all objects',
      `import gc
def evidence():
    for o in gc.get_objects():
        if 'Js' in type(o).__name__ and not isinstance(o, type): return [str(o), dir(o)]`,
    ],
    [
      'classes of JavaScript’s objects, made anew',
      `def evidence():
    found = []
    todo = [object]
    while todo:
        for c in type.__subclasses__(todo.pop()):
            todo.append(c)
            if c.__name__.startswith('Js'):
                try: found.append(str(c.__new__(c).constructor))
                except BaseException: pass
    return found`,
    ],
    [
      'the bridge in the globals of any function',
      `import gc, types${climb}
def evidence():
    for f in gc.get_objects():
        if isinstance(f, types.FunctionType) and 'to_js' in f.__globals__ and f.__globals__ is not globals():
            return climb(f.__globals__['to_js'])`,
    ],
    [
      'the bridge in the closures of any function',
      `import gc, types${climb}
def evidence():
    for f in gc.get_objects():
        if isinstance(f, types.FunctionType):
            for cell in f.__closure__ or ():
                try: value = cell.cell_contents
                except ValueError: continue
                if hasattr(value, 'to_js'): return climb(value.to_js)`,
    ],
    [
      'functions of the bridge by their own names',
      `import gc, types
wanted = {'to_js', 'run_js', 'create_proxy', 'create_once_callable', 'destroy_proxies', 'eval_code', 'register_js_module'}
def evidence():
    found = []
    for o in [*gc.get_objects(), *[r for o in gc.get_objects()[:2000] for r in gc.get_referents(o)]]:
        if isinstance(o, types.BuiltinFunctionType) and o.__name__ in wanted:
            found.append(str(o([1]) if o.__name__ == 'to_js' else o('globalThis')))
    return found`,
    ],
    [
      'JavaScript by the event loop',
      `import asyncio
def evidence():
    loop = asyncio.new_event_loop()
    return [n for n in dir(type(loop)) if 'js' in n.lower()] or str(loop.run_until_complete(asyncio.sleep(0, 'slept')).__proto__)`,
    ],
    [
      'JavaScript by an importer on the meta path',
      `import sys
def evidence(): return [str(f.find_spec('js', None)) for f in sys.meta_path if f.find_spec('js', None)]`,
    ],
    [
      'JavaScript by pickle',
      `import pickle
def evidence(): return str(pickle.loads(b"cjs\\nfetch\\n."))`,
    ],
    [
      'JavaScript by a display hook',
      `import sys
def evidence(): return 'pyodide' in (getattr(sys.displayhook, '__module__', '') or '') or sys.displayhook.__globals__`,
    ],
    ['what is typed', `def evidence(): return input()`],
    [
      'a shared library',
      `import _imp, importlib.machinery as m
def evidence(): return str(_imp.create_dynamic(m.ModuleSpec('x', None, origin='/tmp/x.so')))`,
    ],
    [
      'a shared library that the code brings',
      `import _imp, importlib.machinery as m
open('/tmp/x.so', 'wb').write(b'\\0asm\\1\\0\\0\\0\\0\\x08dylink.0' + b'\\0' * 20)
def evidence(): return str(_imp.create_dynamic(m.ModuleSpec('x', None, origin='/tmp/x.so')))`,
    ],
    [
      'another interpreter beside this one',
      `import _interpreters
def evidence():
    i = _interpreters.create()
    return str(_interpreters.exec(i, 'import js; js.fetch'))`,
    ],
    [
      'bytecode that reads beyond its constants',
      `def f(): return 1
import sys
def evidence():
    g = type(f)(f.__code__.replace(co_consts=(), co_code=bytes([b for i in range(60) for b in (82, 200 + i % 50)])), {})
    return [type(g()).__name__] if 'Js' in type(g()).__name__ else None`,
    ],
    [
      'bytecode of noise',
      `import random
def f(): return 1
def evidence():
    r = random.Random(3)
    for _ in range(50):
        try: type(f)(f.__code__.replace(co_code=bytes(r.randrange(256) for _ in range(40))), {})()
        except Exception: pass`,
    ],
    [
      'memory by a freed buffer',
      `class B(bytearray): pass
class C:
    def __index__(self):
        b.clear(); b.extend(b'x' * 8)
        return 1
b = bytearray(1000)
def evidence():
    b[C()] = 1
    return None`,
    ],
    [
      'memory by a forged memoryview',
      `def evidence():
    m = memoryview(bytearray(8)).cast('Q')
    return len(m) > 1`,
    ],
    [
      'addresses handed to ctypes',
      `import importlib.util, sys
sys.modules.pop('ctypes', None); sys.modules.pop('_ctypes', None)
def evidence():
    import ctypes
    return ctypes.string_at(id(1), 8).hex()`,
    ],
    [
      'a symbol of the WebAssembly module',
      `import sys
sys.modules.pop('ctypes', None); sys.modules.pop('_ctypes', None)
def evidence():
    import ctypes
    return str(ctypes.PyDLL(None).emscripten_websocket_is_supported())`,
    ],
    [
      'a script by the runtime',
      `import sys
sys.modules.pop('ctypes', None); sys.modules.pop('_ctypes', None)
def evidence():
    import ctypes
    return str(ctypes.PyDLL(None).emscripten_run_script_string(b'process.version'))`,
    ],
  ]),
  ...tries('javascript', 'no evidence', [
    ['process', 'const evidence = () => typeof process !== "undefined"'],
    ['require', 'const evidence = () => typeof require !== "undefined"'],
    [
      'the function constructor’s world',
      "const evidence = () => [].constructor.constructor(\"return typeof process !== 'undefined' || typeof WebAssembly !== 'undefined'\")()",
    ],
    [
      'generator and async constructors',
      'const evidence = async () => (await (async () => {}).constructor("return typeof process")()) !== "undefined"',
    ],
    ['Node’s modules by import()', 'const evidence = async () => Object.keys(await import("node:fs"))'],
    ['Node’s modules by import', 'import fs from "node:fs"; const evidence = () => Object.keys(fs)'],
    [
      'QuickJS’s own modules',
      'const evidence = async () => Object.keys(await import("std").catch(() => import("os")))',
    ],
    ['a file by import()', 'const evidence = async () => Object.keys(await import("{{file}}"))'],
    [
      'data by import()',
      'const evidence = async () => (await import("data:text/javascript,export default 1")).default',
    ],
    ['the caller of a function', 'function f() { return f.caller } const evidence = () => String(f() ?? "")'],
    [
      'the caller of sloppy code',
      'const evidence = () => String((0, eval)("(function f() { return f.caller })()") ?? "")',
    ],
    [
      'objects behind an error',
      'const evidence = () => { try { null.x } catch (e) { return Object.keys(e).length > 0 } }',
    ],
    [
      'a realm by document, self, window, global',
      'const evidence = () => [typeof document, typeof self, typeof window, typeof global].some(t => t !== "undefined")',
    ],
    [
      'workers and shared memory between them',
      'const evidence = () => typeof Worker !== "undefined" || typeof Atomics?.wait?.(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1) === "string" && false',
    ],
    ['WebAssembly', 'const evidence = () => typeof WebAssembly !== "undefined"'],
    ['what the prelude kept', 'const evidence = () => globalThis.__kit'],
    [
      'the other names of the global object',
      'const evidence = () => Object.getOwnPropertyNames(globalThis).filter(n => /process|require|fs|fetch|socket|worker|std|^os$|bjson|scriptArgs|print|load/i.test(n))',
    ],
    ['bytecode handed to the engine', 'const evidence = () => typeof bjson !== "undefined"'],
  ]),
]
