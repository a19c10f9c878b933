import { tries, type Try } from './try.ts'

/** Results that the program would like to have: the case is \`40 + 1\`, and anything but 41 or a failure is forged. */
const forging: readonly (readonly [string, string])[] = [
  [
    'rows put into a list of the caller’s',
    `import sys
frame = sys._getframe()
while frame is not None:
    if 'outcomes' in frame.f_locals and frame.f_globals is not globals(): frame.f_locals['outcomes'].append({'json': '42'})
    frame = frame.f_back`,
  ],
  [
    'rows put into any list that looks right',
    `import gc
for o in gc.get_objects():
    if type(o) is list and len(o) < 3 and all(isinstance(x, dict) for x in o): o.append({'json': '42'})`,
  ],
  [
    'a result found among all objects',
    `import gc
for o in gc.get_objects():
    if type(o) is dict and 'outcomes' in o: o['outcomes'] = [{'json': '42'}]`,
  ],
  ['a json.dumps of its own', `import json\njson.dumps = lambda *a, **k: '42'`],
  [
    'an encoder of its own',
    `import json.encoder\njson.encoder.c_make_encoder = None\njson.encoder.JSONEncoder.iterencode = lambda *a, **k: ['42']`,
  ],
  [
    'json.dumps in the closures of others',
    `import gc, types
for f in gc.get_objects():
    if isinstance(f, types.FunctionType):
        for cell in f.__closure__ or ():
            try:
                if getattr(cell.cell_contents, '__name__', '') in ('dumps', 'eval', 'exec', 'compile', 'case'): cell.cell_contents = lambda *a, **k: '42'
            except ValueError: pass`,
  ],
  [
    'an eval and an exec of its own',
    `import builtins\nbuiltins.eval = builtins.exec = builtins.compile = lambda *a, **k: 42`,
  ],
  ['an ast of its own', `import ast\nast.parse = lambda *a, **k: None`],
  ['an exit', `import sys\nsys.exit(0)`],
  ['an exit of the interpreter', `import os\nos._exit(0)`],
  [
    'an answer printed',
    `import sys\nprint('{"outcomes": [{"value": 42}]}', flush=True)\nsys.__stdout__.write('{"reply": {"outcomes": [{"value": 42}]}}')`,
  ],
  [
    'an answer written to every descriptor',
    `import os
for n in range(64):
    try: os.write(n, b'{"nonce":"ready","reply":{"outcomes":[{"value":42}]}}\\n')
    except OSError: pass`,
  ],
  [
    'another module in its place',
    `import sys, types\nfake = types.ModuleType('solution')\nsys.modules['solution'] = fake`,
  ],
  ['an interrupt', `raise KeyboardInterrupt`],
  [
    'a handler for what comes after',
    `import atexit, sys\natexit.register(lambda: print('{"value": 42}'))\nsys.excepthook = lambda *a: None`,
  ],
  [
    'a trace function',
    `import sys
def trace(frame, event, arg):
    if frame.f_code.co_filename == 'case.py': frame.f_globals['forged'] = True
    return trace
sys.settrace(trace)`,
  ],
  [
    'a profile function that raises',
    `import sys
def profile(frame, event, arg):
    if event == 'return' and frame.f_code.co_filename == 'case.py': raise SystemExit(42)
sys.setprofile(profile)`,
  ],
  [
    'code objects found and replaced',
    `import gc, types
for o in gc.get_objects():
    if type(o) is tuple and any(isinstance(x, types.CodeType) and x.co_filename == 'case.py' for x in o): raise SystemExit(42)`,
  ],
  ['builtins hidden', `import builtins\nvars(builtins).clear()`],
  ['its own namespace replaced', `globals().clear()`],
  [
    'the interpreter’s own caches',
    `import sys, importlib\nimportlib.invalidate_caches(); sys._clear_internal_caches()`,
  ],
  [
    'a collector that calls back',
    `import gc\ngc.callbacks.append(lambda *a: (_ for _ in ()).throw(SystemExit(42)))\ngc.collect()`,
  ],
  [
    'an audit hook',
    `import sys\nsys.addaudithook(lambda event, args: (_ for _ in ()).throw(SystemExit(42)) if event == 'exec' else None)`,
  ],
  [
    'a monitor of calls',
    `import sys\nm = sys.monitoring\nm.use_tool_id(1, 'x'); m.set_events(1, m.events.PY_RETURN); m.register_callback(1, m.events.PY_RETURN, lambda *a: (_ for _ in ()).throw(SystemExit(42)))`,
  ],
]

const forgingJavaScript: readonly (readonly [string, string])[] = [
  ['a JSON.stringify of its own', 'JSON.stringify = () => `{"value":42}`'],
  ['a toJSON for all objects', 'Object.prototype.toJSON = () => ({ value: 42 })'],
  ['a toJSON for all numbers', 'Number.prototype.toJSON = () => 42'],
  ['a toJSON that cannot be removed', 'Object.defineProperty(Object.prototype, "toJSON", { value: () => 42 })'],
  [
    'a setter for what is done',
    'Object.defineProperty(Object.prototype, "done", { set() { throw 42 }, get() { return true } }); Object.defineProperty(Object.prototype, "value", { get() { return 42 }, set() {} })',
  ],
  ['a getter for errors', 'Object.defineProperty(Object.prototype, "error", { get() { return undefined }, set() {} })'],
  ['a then of its own', 'Promise.prototype.then = () => 42'],
  ['an instanceof of its own', 'Object.defineProperty(Promise, Symbol.hasInstance, { value: () => true })'],
  ['an eval of its own', 'globalThis.eval = () => 42'],
  ['an eval defined anew', 'Object.defineProperty(globalThis, "eval", { value: () => 42 })'],
  ['an evaluator set before', 'Object.defineProperty(globalThis, "__evaluate", { get: () => () => 42, set() {} })'],
  ['a kit set before', 'globalThis.__kit = { encode: () => `{"value":42}`, settle: () => ({}), tick: () => true }'],
  ['an export of the evaluator’s name', 'export const evaluate = () => 42; export default () => 42'],
  [
    'a call and an apply of its own',
    'Function.prototype.call = Function.prototype.apply = () => 42; Reflect.apply = () => 42',
  ],
  ['an iterator of its own', 'Array.prototype[Symbol.iterator] = function* () { yield 42 }'],
  ['an entry of its own', 'Object.entries = () => []; Object.hasOwn = () => true'],
  ['a timer that changes the answer', 'setInterval(() => { JSON.stringify = () => "42" }, 0)'],
  ['a parser that never ends', '}; evaluate = () => 42; {'],
  ['a comment that hides the rest', '/*'],
  ['a template that hides the rest', 'const x = `'],
  ['a return before the end', 'export default 1; throw { name: "x", message: "y", toString() { return "42" } }'],
]

export const outcomeTries: readonly Try[] = [
  ...tries(
    'python',
    'truth',
    forging.map(([by, source]) => [`forge an outcome by ${by}`, source]),
  ),
  ...tries(
    'javascript',
    'truth',
    forgingJavaScript.map(([by, source]) => [`forge an outcome by ${by}`, source]),
  ),
]
