import { readFileSync } from 'node:fs'
import t from 'tap'
import { openCage } from '../../src/bench/sandbox/cage.ts'
import { openSandbox } from '../../src/bench/sandbox/sandbox.ts'
import { sealChildren } from './sealed-children.ts'

sealChildren()

const sandbox = openSandbox()
t.teardown(() => sandbox.close())

const timeLimitMs = 500
const javascript = (source: string, ...cases: string[]) => sandbox.javascript({ source, cases, timeLimitMs })
const python = (source: string, ...cases: string[]) => sandbox.python({ source, cases, timeLimitMs })
const stopped = /time|ran longer|interrupted|ended its process/i

t.test('JavaScript and TypeScript run, and each case gives its value or its error', async t => {
  const run = await javascript(
    'enum Unit { Metre }\nexport const twice = (n: number): number => n * 2',
    'twice(4)',
    'Unit.Metre',
    'twice.missing.deep',
    'Promise.resolve([1, { a: null }])',
    'const held = 3; held + 1',
    'held',
  )
  t.strictSame(run.outcomes.slice(0, 2), [{ value: 2 * 4 }, { value: 0 }])
  t.match(run.outcomes[2], { error: /^TypeError: / })
  t.strictSame(run.outcomes.slice(3, 5), [{ value: [1, { a: null }] }, { value: 4 }])
  t.match(run.outcomes[5], { error: /^ReferenceError: / })
})

t.test('JavaScript waits in virtual time', async t => {
  const run = await javascript(
    'const sleep = ms => new Promise(done => setTimeout(done, ms))',
    '(async () => { const from = Date.now(); await sleep(3_600_000); return Date.now() - from })()',
    'new Promise(() => {})',
  )
  t.strictSame(run.outcomes[0], { value: 3_600_000 })
  t.match(run.outcomes[1], { error: /never settles/ })
})

t.test('JavaScript finds no way out', async t => {
  const run = await javascript(
    '',
    '[typeof process, typeof require, typeof fetch, typeof WebAssembly, typeof Deno]',
    '[].constructor.constructor("return typeof process")()',
    '(async () => { try { await import("node:fs") } catch (thrown) { return thrown.message } })()',
    'Object.getOwnPropertyNames(globalThis).filter(name => /process|require|fs|fetch|socket/i.test(name))',
  )
  t.strictSame(run.outcomes[0], { value: Array.from({ length: 5 }, () => 'undefined') })
  t.strictSame(run.outcomes[1], { value: 'undefined' })
  t.match(run.outcomes[2], { value: /could not load module/ })
  t.strictSame(run.outcomes[3], { value: [] })
  t.match(await javascript('import fs from "node:fs"'), { failure: /could not load module/ })
})

t.test('endless, greedy and deep JavaScript is stopped, and the next program runs', async t => {
  const programs = {
    'an endless loop': 'for (;;);',
    'an endless chain of promises': 'const again = () => Promise.resolve().then(again); await again()',
    'an endless interval': 'setInterval(() => {}, 0); await new Promise(() => {})',
    'catastrophic backtracking': '/(a+)+$/.test("a".repeat(40) + "b")',
    'a gigabyte string': 'let text = "x"; for (;;) text += text',
    'a huge array': 'const all = []; for (;;) all.push(new Array(1e6).fill(1))',
    'deep recursion': 'const dive = () => dive() + 1; dive()',
    'a deep structure': 'let deep = []; for (let i = 0; i < 1e5; i++) deep = [deep]; JSON.stringify(deep)',
  }
  for (const [name, source] of Object.entries(programs)) {
    t.ok((await javascript(source)).failure, name)
    t.strictSame(await javascript('', '1 + 1'), { outcomes: [{ value: 2 }] }, `after ${name}`)
  }
})

t.test('a program in JavaScript cannot forge what its cases give', async t => {
  const run = await javascript(
    'JSON.stringify = () => "\\"forged\\""; Promise.prototype.then = () => "forged"',
    '1',
    'Promise.resolve(2)',
  )
  t.strictSame(run.outcomes, [{ value: 1 }, { value: 2 }])
})

t.test('Python runs, and each case gives its value or its error', async t => {
  const run = await python(
    'from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int\ndef twice(n): return n * 2',
    'twice(4)',
    '(1, {2, 1}, Point(3))',
    'held = 3\nheld + 1',
    'held',
    'twice(None)',
    'float("nan")',
    'object()',
  )
  t.strictSame(run.outcomes.slice(0, 4), [{ value: 8 }, { value: [1, [1, 2], { x: 3 }] }, { value: 4 }, { value: 3 }])
  t.match(run.outcomes[4], { error: /^TypeError: / })
  t.match(run.outcomes[5], { error: /not JSON compliant/ })
  t.match(run.outcomes[6], { error: /not plain data/ })
})

t.test('Python finds no way out', async t => {
  for (const name of [
    'js',
    'pyodide_js',
    'pyodide',
    'pyodide.code',
    '_pyodide_core',
    'ctypes',
    'socket',
    'subprocess',
    'multiprocessing',
  ]) {
    t.match(await python(`import ${name}`), { failure: /^ModuleNotFoundError/ }, name)
  }
  const run = await python(
    'import os, sys',
    'dict(os.environ)',
    'sorted(os.listdir("/"))',
    'open("/etc/passwd").read()',
    'os.fork()',
    '__import__("threading").Thread(target=print).start()',
    'del sys.modules["js"]\nimport js',
  )
  t.strictSame(run.outcomes[0], { value: {} })
  t.strictSame(run.outcomes[1], { value: ['dev', 'home', 'lib', 'proc', 'tmp'] })
  for (const outcome of run.outcomes.slice(2)) t.match(outcome, { error: /Error/ })
})

t.test('even an object of the host’s JavaScript leads nowhere', async t => {
  const run = await python(
    `import gc
leaked = [o for o in gc.get_objects() if type(o).__name__ == 'JsProxy' or 'JsProxy' in str(type(type(o)))]
host = [o for o in leaked if hasattr(o, 'constructor')]`,
    'host[0].constructor.constructor("return process.pid")() if host else (_ for _ in ()).throw(RuntimeError("nothing leaked"))',
  )
  t.match(run.outcomes[0] ?? { error: run.failure }, { error: /Error/ })
})

t.test('endless, greedy and deadly Python is stopped, and the next program runs', async t => {
  const programs = {
    'an endless loop': 'while True: pass',
    'a loop that swallows the interrupt': 'while True:\n  try:\n    while True: pass\n  except BaseException: pass',
    'a gigabyte string': 'text = "x" * 2**30',
    'a growing list': 'all = []\nwhile True: all.append("x" * 10_000_000)',
    'deep recursion': 'def dive(): return dive() + 1\ndive()',
    'an exit': 'import os\nos._exit(0)',
  }
  for (const [name, source] of Object.entries(programs)) {
    t.ok((await python(source)).failure, name)
    t.strictSame(await python('', '1 + 1'), { outcomes: [{ value: 2 }] }, `after ${name}`)
  }
})

t.test('one Python program cannot spoil the next', async t => {
  await python(
    'import builtins, json, sys, os\nbuiltins.len = lambda _: 5\njson.dumps = None\nsys.setrecursionlimit(50)\nopen("/tmp/left", "w").write("x")',
  )
  t.strictSame((await python('import os', 'len([])', 'os.listdir("/tmp")', 'sum(map(len, ["a"]))')).outcomes, [
    { value: 0 },
    { value: [] },
    { value: 1 },
  ])
})

t.test('the host’s prototypes and Node’s worker threads are out of Python’s reach', async t => {
  const climb = `
    host = to_js([1]).__proto__.__proto__
    host.__defineGetter__('WebSocket', to_js(lambda self: self))
    import ctypes
    return str(ctypes.PyDLL(None).emscripten_websocket_is_supported())`
  const bridges = {
    'the frame below': `import sys\ndef reach():\n    to_js = sys._getframe(1).f_globals['_pyodide_core'].to_js${climb}`,
    'the table of modules': `import sys\nbridge = sys.modules.pop('_pyodide_core', None)\ndef reach():\n    to_js = __import__('_pyodide_core').to_js${climb}`,
  }
  for (const [name, source] of Object.entries(bridges))
    t.match((await python(source, 'reach()')).outcomes, [{ error: /Error/ }], name)
})

t.test('rows that a program puts into a list of outcomes are nobody’s results', async t => {
  const run = await python(
    `import gc, sys
for frame in [sys._getframe()] + [o for o in gc.get_objects() if type(o).__name__ == 'frame']:
    while frame is not None:
        rows = frame.f_locals.get('outcomes')
        if isinstance(rows, list): rows.append({'json': '42'})
        frame = frame.f_back`,
    '1 + 1',
  )
  t.strictSame(run, { outcomes: [{ value: 2 }] })
})

t.test('QuickJS keeps to its memory, whatever asks for more', { skip: process.platform !== 'linux' }, async t => {
  const own = openSandbox()
  t.teardown(() => own.close())
  await own.javascript({ source: '', cases: ['1'] })
  const pids = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ')
  const greedy = [
    'const all = []; for (;;) all.push(new Uint8Array(4e6).fill(1))',
    'const all = []; for (let i = 0; ; i++) all.push("x".repeat(1e6) + i)',
    'const b = new ArrayBuffer(1, { maxByteLength: 1e9 }); for (let n = 2; ; n *= 2) { b.resize(n); new Uint8Array(b).fill(1) }',
  ]
  for (const source of [...greedy, ...greedy, ...greedy]) t.ok((await own.javascript({ source, cases: [] })).failure)
  const peaks = pids
    .map(pid => readFileSync(`/proc/${pid}/status`, 'utf8'))
    .filter(status => status.includes('node'))
    .map(status => Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1_024)
  t.ok(Math.max(...peaks) < 320, `${Math.round(Math.max(...peaks))} MB at most`)
})

t.test('SQL runs on its own database', async t => {
  const setup = 'CREATE TABLE a (x); INSERT INTO a VALUES (1), (2);'
  t.strictSame(await sandbox.sql({ setup, source: 'SELECT x FROM a ORDER BY x DESC;' }), {
    outcomes: [{ value: [[2], [1]] }],
  })
  t.strictSame(
    await sandbox.sql({
      setup,
      source: "UPDATE a SET x = ';' WHERE x = 1; DELETE FROM a WHERE x = 2",
      inspect: 'SELECT * FROM a',
    }),
    {
      outcomes: [{ value: [[';']] }],
    },
  )
  t.match(await sandbox.sql({ setup, source: 'SELEC x' }), { failure: /syntax error/ })
})

t.test('SQL reaches no file, no extension and no end of memory or time', async t => {
  const refused = [
    "ATTACH '/tmp/x' AS x",
    "VACUUM INTO '/tmp/x'",
    'PRAGMA writable_schema = 1',
    "SELECT load_extension('x')",
    'SELECT length(hex(randomblob(500000000)))',
  ]
  for (const source of refused) t.ok((await sandbox.sql({ setup: '', source })).failure, source)
  const endless = 'WITH RECURSIVE c AS (SELECT 1 AS x UNION ALL SELECT x FROM c) SELECT count(*) FROM c'
  t.match(await sandbox.sql({ setup: '', source: endless, timeLimitMs }), { failure: stopped })
})

t.test('a package that is not installed is named, with how to install it', async t => {
  const cage = openCage({
    cell: 'javascript-cell',
    packages: ['quickjs-that-nobody-installed'],
    heapMegabytes: 64,
    processMegabytes: 512,
    walls: () => Promise.reject(new Error('it looked for walls first')),
  })
  await t.rejects(cage.ask({ timeLimitMs }), { message: /npm install quickjs-that-nobody-installed/ })
})

t.test('an aborted program is killed', async t => {
  const stop = new AbortController()
  const running = sandbox.javascript({ source: 'for (;;);', cases: [], timeLimitMs: 60_000 }, stop.signal)
  setImmediate(() => {
    stop.abort()
  })
  await t.rejects(running, { name: 'AbortError' })
})
