import { tries, type Try } from './try.ts'

const briefMs = 300

const endless: readonly (readonly [string, string])[] = [
  ['a loop', 'while True: pass'],
  ['a loop that swallows the interrupt', 'while True:\n  try:\n    while True: pass\n  except BaseException: pass'],
  ['a finally that loops', 'try:\n  while True: pass\nfinally:\n  while True: pass'],
  ['a power', 'n = 3 ** (3 ** 18)'],
  ['backtracking', `import re\nre.match('(a+)+$', 'a' * 40 + 'b')`],
  [
    'a database',
    `import sqlite3\nsqlite3.connect(':memory:').execute('with recursive c as (select 1 x union all select x from c) select count(*) from c').fetchall()`,
  ],
  [
    'an endless iterator put into a list',
    'import itertools\nlist(itertools.repeat(None, 10**12)) if False else [*iter(int, 1)]',
  ],
  ['an endless search', 'next(x for x in iter(int, 1) if x)'],
]

const greedy: readonly (readonly [string, string])[] = [
  ['a string of two gigabytes', `text = 'x' * 2**31`],
  ['a growing list', 'all = []\nwhile True: all.append(bytes(10_000_000))'],
  ['a wide format', `text = '%2000000000d' % 1`],
  [
    'an unpacked bomb',
    `import zlib\ndata = zlib.compress(bytes(10_000_000))\nout = []\nwhile True: out.append(zlib.decompress(data))`,
  ],
  ['a large file', `f = open('/tmp/x', 'wb')\nwhile True: f.write(bytes(1_000_000)); f.flush()`],
  ['a file with a hole', `f = open('/tmp/x', 'wb')\nf.truncate(2**31)\nf.flush()`],
  ['a file by its far end', `f = open('/tmp/x', 'wb')\nf.seek(2**31 - 10)\nf.write(b'x')\nf.flush()`],
  ['many large files', `for i in range(1000): open('/tmp/%d' % i, 'wb').write(bytes(4_000_000))`],
  ['deep recursion', 'def dive(): return dive() + 1\ndive()'],
  ['recursion without a limit', `import sys\nsys.setrecursionlimit(10**9)\ndef dive(): return [dive()]\ndive()`],
  ['a deep structure shown', `deep = []\nfor i in range(10**5): deep = [deep]\nrepr(deep)`],
]

const outsized: readonly (readonly [string, string])[] = [
  ['a long text', `def evidence(): return 'x' * 50_000_000`],
  ['many numbers', `def evidence(): return list(range(3_000_000))`],
  ['a circle', `loop = []\nloop.append(loop)\ndef evidence(): return loop`],
  ['a deep list', `deep = []\nfor i in range(5000): deep = [deep]\ndef evidence(): return deep`],
  [
    'an iterator of iterators',
    `import itertools\ndef evidence(): return (itertools.repeat(1) for _ in itertools.count())`,
  ],
  ['a message of megabytes', `def evidence(): raise ValueError('x' * 50_000_000)`],
  ['a name of megabytes', `kind = type('X' * 20_000_000, (Exception,), {})\ndef evidence(): raise kind`],
]

const javascript: readonly (readonly [string, string])[] = [
  ['a loop', 'for (;;);'],
  ['backtracking', '/(a+)+$/.test("a".repeat(40) + "b")'],
  ['promises', 'const again = () => Promise.resolve().then(again); await again()'],
  ['an interval', 'setInterval(() => {}, 0); await new Promise(() => {})'],
  ['a power', 'let n = 3n; for (;;) n *= n'],
  ['typed arrays', 'const all = []; for (;;) all.push(new Uint8Array(16e6).fill(1))'],
  ['array buffers', 'const all = []; for (;;) all.push(new ArrayBuffer(1e8))'],
  [
    'growing buffers',
    'const b = new ArrayBuffer(1, { maxByteLength: 1e9 }); for (let n = 2; ; n *= 2) { b.resize(n); new Uint8Array(b).fill(1) }',
  ],
  ['a doubled string', 'let text = "x"; for (;;) { text += text; text.charCodeAt(text.length - 1) }'],
  ['a repeated string', '"x".repeat(2 ** 30 - 30).split("")'],
  ['a map', 'const m = new Map(); for (let i = 0; ; i++) m.set(i, { i })'],
  ['a sorted array', 'new Array(4e7).fill(0).map((_, i) => i).sort()'],
  ['a joined array', 'new Array(2 ** 31).join("xxxxxxxx")'],
  ['deep recursion', 'const dive = () => dive() + 1; dive()'],
  ['a deep proxy', 'let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x'],
  ['shared memory', 'const all = []; for (;;) all.push(new Uint8Array(new SharedArrayBuffer(16e6)).fill(1))'],
]
const outsizedJavaScript: readonly (readonly [string, string])[] = [
  ['a long text', 'const evidence = () => "x".repeat(2e7)'],
  ['a circle', 'const loop = []; loop.push(loop); const evidence = () => loop'],
  ['a getter without end', 'const evidence = () => ({ get x() { for (;;); } })'],
  ['a toJSON without end', 'const evidence = () => ({ toJSON() { for (;;); } })'],
  ['a message of megabytes', 'const evidence = () => { throw new Error("x".repeat(2e7)) }'],
  ['a proxy that never ends', 'const evidence = () => new Proxy({}, { ownKeys() { for (;;); } })'],
]

function within(list: readonly Try[], timeLimitMs: number): Try[] {
  return list.map(one => ({ ...one, timeLimitMs }))
}

export const resourceTries: readonly Try[] = [
  ...within(
    tries(
      'python',
      'stopped',
      endless.map(([by, source]) => [`run for ever by ${by}`, source]),
    ),
    briefMs,
  ),
  ...tries(
    'python',
    'stopped',
    greedy.map(([by, source]) => [`take all memory by ${by}`, source]),
  ),
  ...within(
    tries(
      'python',
      'stopped',
      outsized.map(([by, source]) => [`hand out ${by}`, source]),
    ),
    1_500,
  ),
  ...within(
    tries(
      'javascript',
      'stopped',
      javascript.map(([by, source]) => [`exhaust the engine by ${by}`, source]),
    ),
    700,
  ),
  ...within(
    tries(
      'javascript',
      'stopped',
      outsizedJavaScript.map(([by, source]) => [`hand out ${by}`, source]),
    ),
    briefMs,
  ),
  ...within(
    tries('sql', 'stopped', [
      ['SQL without an end', 'WITH RECURSIVE c AS (SELECT 1 AS x UNION ALL SELECT x FROM c) SELECT count(*) FROM c'],
      ['SQL that makes blobs', 'SELECT length(hex(randomblob(500000000)))'],
      [
        'SQL that fills a table',
        'CREATE TABLE big (x); WITH RECURSIVE c AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM c) INSERT INTO big SELECT randomblob(100000) FROM c',
      ],
      [
        'SQL that joins itself',
        'WITH RECURSIVE c AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM c WHERE x < 3000) SELECT count(*) FROM c a, c b, c d, c e',
      ],
    ]),
    briefMs,
  ),
]
