import { tries, type Try } from './try.ts'

/** What one program leaves for the next. */
const leaving: readonly (readonly [string, string])[] = [
  ['a len of its own', `import builtins\nbuiltins.len = lambda _: 5`],
  ['a name among the builtins', `import builtins\nbuiltins.left = 1`],
  ['a json.dumps of its own', `import json\njson.dumps = json.loads = lambda *a, **k: 'spoilt'`],
  [
    'a module of its own as json',
    `import sys, types\nsys.modules['json'] = types.ModuleType('json')\nsys.modules['left'] = sys`,
  ],
  ['a sqlite3 of its own', `import sqlite3\nsqlite3.connect = lambda *a, **k: None`],
  [
    'a cache of expressions',
    `import re\nre._cache.clear(); re.compile = lambda *a: None; re._compile = lambda *a: None`,
  ],
  ['a file in /tmp', `open('/tmp/left', 'w').write('x')`],
  [
    'a module in /tmp and on the path',
    `import sys\nopen('/tmp/json.py', 'w').write('spoilt = 1')\nsys.path.insert(0, '/tmp')`,
  ],
  ['a file at home', `open('/home/pyodide/left', 'w').write('x')`],
  [
    'a module among the packages',
    `import os, sys\np = [p for p in sys.path if 'site-packages' in p][0]\nopen(p + '/left.py', 'w').write('x')\nopen('/lib/left', 'w').write('x')`,
  ],
  ['another standard library', `import os\nos.remove('/lib/python314.zip')`],
  ['a standard library of noise', `open('/lib/python314.zip', 'wb').write(b'noise')`],
  ['a file named __proto__', `open('/tmp/__proto__', 'w').write('x')`],
  ['a folder named __proto__', `import os\nos.mkdir('/tmp/__proto__'); open('/tmp/__proto__/x', 'w').write('x')`],
  [
    'files named as JavaScript’s own',
    `import os\nfor n in ['constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__', '__lookupGetter__']: os.mkdir('/tmp/' + n)`,
  ],
  ['open descriptors', `import os\nfor i in range(50): os.open('/tmp/f%d' % i, os.O_CREAT | os.O_RDWR)`],
  ['standard output closed', `import os, sys\nos.close(1); os.close(2); sys.stdout = None`],
  ['a folder to work in', `import os\nos.mkdir('/left'); os.chdir('/left')`],
  ['a mask', `import os\nos.umask(0o777)`],
  ['variables', `import os\nos.environ['LEFT'] = '1'`],
  ['a recursion limit', `import sys\nsys.setrecursionlimit(120)`],
  ['a limit of digits', `import sys\nsys.set_int_max_str_digits(640)`],
  ['a decimal context', `import decimal\ndecimal.getcontext().prec = 2; decimal.DefaultContext.prec = 2`],
  ['a collector switched off', `import gc\ngc.disable(); gc.freeze(); gc.set_threshold(0)`],
  ['a trace function', `import sys\nsys.settrace(lambda *a: None)`],
  ['a profile function', `import sys\nsys.setprofile(lambda *a: None)`],
  ['a handler of interrupts', `import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)`],
  ['an audit hook', `import sys\ndef hook(event, args):\n    raise RuntimeError('spoilt')\nsys.addaudithook(hook)`],
  ['a seed', `import random\nrandom.seed(1); random.random = lambda: 4`],
  ['a reducer', `import copyreg\ncopyreg.left = 1; copyreg.pickle(int, lambda n: (str, ('spoilt',)))`],
  [
    'dataclasses and enums',
    `import dataclasses, enum\ndataclasses.asdict = lambda *a: {}; enum.EnumType.__call__ = lambda *a: None`,
  ],
  [
    'a thread-local finalizer',
    `class Left:\n    def __del__(self):\n        import builtins\n        builtins.left = 1\nimport sys\nsys.left = Left()`,
  ],
  ['a memory full of noise', `noise = [bytes(1_000_000) for _ in range(150)]`],
  ['a crash', `import faulthandler\nfaulthandler._sigsegv()`],
  ['an overflow of the stack', `import faulthandler\nfaulthandler._stack_overflow()`],
  ['an abort', `import os\nos.abort()`],
]

const leavingJavaScript: readonly (readonly [string, string])[] = [
  ['a map of its own', 'Array.prototype.map = () => 42; Array.prototype.sort = () => 42'],
  ['a global', 'globalThis.left = 1; var left2 = 1'],
  ['a JSON of its own', 'globalThis.JSON = { stringify: () => "42", parse: () => 42 }'],
  ['a clock', 'Date.now = () => 0; await new Promise(done => setTimeout(done, 1e9))'],
  ['a prototype', 'Object.prototype.left = 1; Object.setPrototypeOf(Array.prototype, null)'],
  ['frozen prototypes', 'Object.freeze(Object.prototype); Object.freeze(Array.prototype)'],
  ['timers', 'for (let i = 0; i < 100; i++) setInterval(() => {}, 0)'],
  ['jobs', 'const again = () => Promise.resolve().then(again); again(); throw new Error("left")'],
  ['a full memory', 'globalThis.noise = []; for (;;) noise.push(new Uint8Array(1e6))'],
]

export const nextProgramTries: readonly Try[] = [
  ...tries(
    'python',
    'clean',
    leaving.map(([what, source]) => [`leave the next program ${what}`, source]),
  ),
  ...tries(
    'javascript',
    'clean',
    leavingJavaScript.map(([what, source]) => [`leave the next program ${what}`, source]),
  ),
]
