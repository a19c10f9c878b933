/** An answer to one of our tasks with a human label: tests the checks independently of the tasks' own answers. */
export interface LabelledAnswer {
  task: string
  answer: string
  kind: Kind
}

/** Junk uses the right words without solving the task. */
type Kind = 'correct' | 'subtly wrong' | 'junk'

const raw = String.raw

const answers: Readonly<Record<string, Readonly<Record<Kind, string>>>> = {
  'javascript/chunk': {
    correct: `Sure! A generator makes this neat:

\`\`\`js
export function chunk(items, size) {
  if (!(Number.isInteger(size) && size > 0)) {
    throw new RangeError(\`size must be a positive integer, got \${size}\`);
  }
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
\`\`\`

Usage:

\`\`\`js
console.log(chunk([1, 2, 3], 2)); // [[1, 2], [3]]
\`\`\``,
    'subtly wrong': `\`\`\`js
function chunk(items, size) {
  if (size <= 0) throw new RangeError('size must be positive');
  const result = [];
  for (let i = 0; i < items.length; i += size) result.push(items.slice(i, i + size));
  return result;
}
\`\`\``,
    junk: `To chunk an array we slice items by size and push each slice. If size is not a positive integer we throw a RangeError.

\`\`\`js
// function chunk(items, size): for, slice, push, RangeError, Number.isInteger
function chunk(items, size) { return null }
\`\`\``,
  },
  'javascript/slugify': {
    correct:
      raw`<think>Normalise, strip marks, lower, replace, trim. Should I keep underscores? No: a-z and 0-9 only.</think>
Here it is.

` +
      '```javascript\nconst slugify = (title) =>\n  title\n    .normalize("NFKD")\n    .replace(/\\p{M}/gu, "")\n    .toLowerCase()\n    .split(/[^a-z0-9]+/)\n    .filter(Boolean)\n    .join("-")\n```',
    'subtly wrong':
      '```javascript\nfunction slugify(title) {\n  return title\n    .normalize("NFD")\n    .replace(/[\\u0300-\\u036f]/g, "")\n    .toLowerCase()\n    .replace(/[^a-z0-9]/g, "-")\n    .replace(/^-+|-+$/g, "");\n}\n```',
    junk: 'function slugify(title) normalizes, lowercases, replaces non-alphanumerics with a hyphen and trims the ends. return title.normalize().toLowerCase().replace().trim()',
  },
  'javascript/lru-cache': {
    correct: `\`\`\`ts
class LruCache<K, V> {
  private map = new Map<K, V>();
  constructor(private readonly capacity: number) {}
  get size(): number { return this.map.size; }
  has(key: K): boolean { return this.map.has(key); }
  get(key: K): V | undefined {
    if (!this.map.has(key)) return undefined;
    const value = this.map.get(key)!;
    this.map.delete(key);
    this.map.set(key, value);
    return value;
  }
  set(key: K, value: V): void {
    this.map.delete(key);
    this.map.set(key, value);
    while (this.map.size > this.capacity) this.map.delete(this.map.keys().next().value as K);
  }
  delete(key: K): boolean { return this.map.delete(key); }
}
\`\`\``,
    'subtly wrong': `\`\`\`js
class LruCache {
  constructor(capacity) { this.capacity = capacity; this.map = new Map(); }
  get size() { return this.map.size; }
  has(key) { return this.map.has(key); }
  get(key) {
    const value = this.map.get(key);
    if (value !== undefined) { this.map.delete(key); this.map.set(key, value); }
    return value;
  }
  set(key, value) {
    this.map.delete(key);
    this.map.set(key, value);
    if (this.map.size > this.capacity) this.map.delete(this.map.keys().next().value);
  }
  delete(key) { return this.map.delete(key); }
}
\`\`\``,
    junk: `\`\`\`js
class LruCache {
  constructor(capacity) { this.capacity = capacity; this.least = 'recently used'; this.map = new Map(); }
  get(key) { return this.map } set(key, value) { return this.map } has(key) { return true } delete(key) { return true }
  get size() { return this.capacity }
}
\`\`\``,
  },
  'javascript/compare-versions': {
    correct: `\`\`\`js
function compareVersions(a, b) {
  const parse = (v) => {
    const m = /^(\\d+)\\.(\\d+)\\.(\\d+)(?:-([^+]+))?(?:\\+.*)?$/.exec(v);
    return { core: m.slice(1, 4).map(Number), pre: m[4] === undefined ? null : m[4].split('.') };
  };
  const [x, y] = [parse(a), parse(b)];
  for (let i = 0; i < 3; i++) if (x.core[i] !== y.core[i]) return Math.sign(x.core[i] - y.core[i]);
  if (x.pre === null && y.pre === null) return 0;
  if (x.pre === null) return 1;
  if (y.pre === null) return -1;
  for (let i = 0; ; i++) {
    const [p, q] = [x.pre[i], y.pre[i]];
    if (p === undefined && q === undefined) return 0;
    if (p === undefined) return -1;
    if (q === undefined) return 1;
    const [pn, qn] = [/^\\d+$/.test(p), /^\\d+$/.test(q)];
    if (pn && qn && Number(p) !== Number(q)) return Math.sign(Number(p) - Number(q));
    if (pn !== qn) return pn ? -1 : 1;
    if (!pn && p !== q) return p < q ? -1 : 1;
  }
}
\`\`\``,
    'subtly wrong': `\`\`\`js
function compareVersions(a, b) {
  const parse = (v) => { const [core, pre] = v.split('+')[0].split('-'); return [core.split('.').map(Number), pre]; };
  const [[ac, ap], [bc, bp]] = [parse(a), parse(b)];
  for (let i = 0; i < 3; i++) if (ac[i] !== bc[i]) return ac[i] > bc[i] ? 1 : -1;
  if (ap === bp) return 0;
  if (ap === undefined) return 1;
  if (bp === undefined) return -1;
  return ap > bp ? 1 : -1;
}
\`\`\``,
    junk: '```js\nfunction compareVersions(a, b) {\n  // semver: major minor patch, pre-release alpha beta, build metadata ignored, returns -1, 0 or 1\n  return a === b ? 0 : a > b ? 1 : -1\n}\n```',
  },
  'javascript/map-limit': {
    correct: `\`\`\`js
function mapLimit(items, limit, fn) {
  return new Promise((resolve, reject) => {
    const results = Array(items.length);
    let next = 0, active = 0, stopped = false;
    const pump = () => {
      if (stopped) return;
      if (next >= items.length && active === 0) return resolve(results);
      while (active < limit && next < items.length && !stopped) {
        const index = next++;
        active++;
        Promise.resolve()
          .then(() => fn(items[index], index))
          .then((value) => { results[index] = value; active--; pump(); }, (error) => { stopped = true; reject(error); });
      }
    };
    pump();
  });
}
\`\`\``,
    'subtly wrong': `\`\`\`js
async function mapLimit(items, limit, fn) {
  const results = [];
  const running = new Set();
  for (const [index, item] of items.entries()) {
    const work = Promise.resolve(fn(item, index)).then((value) => { results.push(value); running.delete(work); });
    running.add(work);
    if (running.size >= limit) await Promise.race(running);
  }
  await Promise.all(running);
  return results;
}
\`\`\``,
    junk: '```js\nasync function mapLimit(items, limit, fn) {\n  // at most limit in flight; a worker pool; Promise.all keeps order; await fn(item, index); reject on first error\n  return Promise.all([])\n}\n```',
  },
  'python/balanced-brackets': {
    correct: `The classic stack:

\`\`\`python
def is_balanced(text: str) -> bool:
    opening = "([{"
    closing = ")]}"
    stack = []
    for ch in text:
        if ch in opening:
            stack.append(opening.index(ch))
        elif ch in closing:
            if not stack or stack.pop() != closing.index(ch):
                return False
    return stack == []
\`\`\`

It runs in linear time.`,
    'subtly wrong': `\`\`\`python
def is_balanced(text):
    pairs = {")": "(", "]": "[", "}": "{"}
    stack = []
    for ch in text:
        if ch in pairs.values():
            stack.append(ch)
        elif ch in pairs and stack:
            if stack.pop() != pairs[ch]:
                return False
    return not stack
\`\`\``,
    junk: '```python\ndef is_balanced(text):\n    """Uses a stack: push ( [ {, pop on ) ] }, return not stack."""\n    stack = []\n    return not stack\n```',
  },
  'python/run-length': {
    correct: `import re

def encode(text):
    return re.sub(r'(.)\\1+', lambda m: str(len(m.group(0))) + m.group(1), text, flags=re.S)

def decode(code):
    return re.sub(r'(\\d+)(\\D)', lambda m: m.group(2) * int(m.group(1)), code, flags=re.S)`,
    'subtly wrong': `\`\`\`python
from itertools import groupby

def encode(text):
    return ''.join(f'{len(list(g))}{c}' for c, g in groupby(text))

def decode(code):
    out, n = [], ''
    for c in code:
        if c.isdigit():
            n += c
        else:
            out.append(c * int(n or 1))
            n = ''
    return ''.join(out)
\`\`\``,
    junk: '```python\ndef encode(text):\n    # run length: groupby, count, join; leave 1 out\n    return text\n\ndef decode(code):\n    # inverse: repeat, int, join\n    return code\n```',
  },
  'python/parse-size': {
    correct: `\`\`\`python
import re
from decimal import Decimal

_UNITS = {"": 1, "B": 1}
for _i, _p in enumerate("KMGT", start=1):
    _UNITS[_p + "B"] = 1000 ** _i
    _UNITS[_p + "IB"] = 1024 ** _i

def parse_size(text):
    match = re.match(r"^\\s*([0-9]+(?:\\.[0-9]+)?)\\s*([a-zA-Z]*)\\s*$", text)
    if match is None or match.group(2).upper() not in _UNITS:
        raise ValueError(f"not a size: {text!r}")
    return int(Decimal(match.group(1)) * _UNITS[match.group(2).upper()])
\`\`\``,
    'subtly wrong': `\`\`\`python
import re

UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
         "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}

def parse_size(text):
    m = re.fullmatch(r"\\s*([\\d.]+)\\s*([a-z]+)\\s*", text.lower())
    if not m or m[2] not in UNITS:
        raise ValueError(text)
    return int(float(m[1]) * UNITS[m[2]])
\`\`\``,
    junk: 'parse_size(text) handles kB, MB, GB, TB as powers of 1000, KiB, MiB, GiB, TiB as powers of 1024 and raises ValueError.\n\n```python\ndef parse_size(text):\n    raise ValueError(text)\n```',
  },
  'python/merge-intervals': {
    correct: `\`\`\`python
def free_slots(busy, start, end, minimum):
    cursor = start
    free = []
    for a, b in sorted((max(a, start), min(b, end)) for a, b in busy if a < b and b > start and a < end):
        if a > cursor and a - cursor >= minimum:
            free.append((cursor, a))
        cursor = max(cursor, b)
    if end > cursor and end - cursor >= minimum:
        free.append((cursor, end))
    return free
\`\`\``,
    'subtly wrong': `\`\`\`python
def free_slots(busy, start, end, minimum):
    busy.sort()
    cursor, free = start, []
    for a, b in busy:
        if a >= b or b <= start or a >= end:
            continue
        if a - cursor >= minimum:
            free.append((cursor, a))
        cursor = max(cursor, b)
    if end - cursor >= minimum:
        free.append((cursor, end))
    return free
\`\`\``,
    junk: '```python\ndef free_slots(busy, start, end, minimum):\n    # sort the busy intervals, merge overlaps, keep gaps >= minimum between start and end\n    return [(start, end)]\n```',
  },
  'python/key-value-transactions': {
    correct: `\`\`\`python
import copy

class Store:
    def __init__(self):
        self._stack = [{}]

    def get(self, key):
        return self._stack[-1].get(key)

    def set(self, key, value):
        self._stack[-1][key] = value

    def delete(self, key):
        self._stack[-1].pop(key, None)

    def count(self, value):
        return list(self._stack[-1].values()).count(value)

    def begin(self):
        self._stack.append(copy.copy(self._stack[-1]))

    def _pop(self):
        if len(self._stack) == 1:
            raise RuntimeError("no open transaction")
        return self._stack.pop()

    def commit(self):
        self._stack[-1] = top if (top := self._pop()) is not None else {}

    def rollback(self):
        self._pop()
\`\`\``,
    'subtly wrong': `\`\`\`python
class Store:
    def __init__(self):
        self.data, self.open = {}, []

    def get(self, key):
        return self.data.get(key)

    def set(self, key, value):
        self.data[key] = value

    def delete(self, key):
        self.data.pop(key, None)

    def count(self, value):
        return sum(v == value for v in self.data.values())

    def begin(self):
        self.open.append(dict(self.data))

    def commit(self):
        if not self.open:
            raise RuntimeError("none open")
        self.open.clear()

    def rollback(self):
        if not self.open:
            raise RuntimeError("none open")
        self.data = self.open.pop()
\`\`\``,
    junk: '```python\nclass Store:\n    """get, set, delete, count, begin, commit, rollback with nested transactions; raises RuntimeError."""\n    def get(self, key): ...\n    def set(self, key, value): ...\n    def delete(self, key): ...\n    def count(self, value): ...\n    def begin(self): ...\n    def commit(self): ...\n    def rollback(self): ...\n```',
  },
  'bug-fixing/pagination': {
    correct:
      'The page number is 1-based, and pages must be rounded up:\n\n```javascript\nconst paginate = (items, page, perPage) => {\n  const offset = perPage * (page - 1)\n  return { items: items.slice(offset, offset + perPage), page, pages: Math.ceil(items.length / perPage) }\n}\n```',
    'subtly wrong':
      '```javascript\nfunction paginate(items, page, perPage) {\n  const start = (page - 1) * perPage\n  return { items: items.slice(start, start + perPage), page, pages: Math.floor(items.length / perPage) + 1 }\n}\n```',
    junk: 'Fixed: start is now (page - 1) * perPage and pages uses Math.ceil.\n\n```javascript\nfunction paginate(items, page, perPage) {\n  const start = page * perPage\n  return { items: items.slice(start, start + perPage), page, pages: Math.floor(items.length / perPage) }\n}\n```',
  },
  'bug-fixing/median': {
    correct:
      '```python\nimport statistics\n\ndef median(values):\n    if len(values) == 0:\n        raise ValueError("no values")\n    return statistics.median(values)\n```',
    'subtly wrong':
      '```python\ndef median(values):\n    if not values:\n        raise ValueError("empty")\n    values.sort()\n    n = len(values)\n    mid = n // 2\n    return values[mid] if n % 2 else (values[mid - 1] + values[mid]) / 2\n```',
    junk: '```python\ndef median(values):\n    # sorted copy, ValueError when empty, average of the two middle values\n    return 9.5\n```',
  },
  'editing/change-constant': {
    correct:
      'Only the constant changes:\n\n<<<<<<< SEARCH\nconst TAX = 0.2\n=======\nconst TAX = 0.25\n>>>>>>> REPLACE\n\nThat is all.',
    'subtly wrong': '<<<<<<< SEARCH\n    return sum + sum * TAX\n=======\n    return sum + 0.25\n>>>>>>> REPLACE',
    junk: 'SEARCH for const TAX = 0.2 and REPLACE it by const TAX = 0.25 (25 %).',
  },
  'editing/sort-report': {
    correct:
      "```diff\n--- a/inventory.py\n+++ b/inventory.py\n@@ -27,7 +27,7 @@ class Inventory:\n \n     def report(self):\n         lines = []\n-        for sku in self._stock:\n+        for sku in sorted(self._stock.keys()):\n             lines.append(f'{sku}: {self.available(sku)}')\n         return '\\n'.join(lines)\n```",
    'subtly wrong':
      "```diff\n@@ -29,5 +29,5 @@\n         lines = []\n-        for sku in self._stock:\n+        for sku in sorted(self._stock, reverse=True):\n             lines.append(f'{sku}: {self.available(sku)}')\n```",
    junk: '```diff\n--- a/inventory.py\n+++ b/inventory.py\n@@ -1,1 +1,1 @@\n-        for sku in stock:\n+        for sku in sorted(stock):\n```',
  },
  'test-writing/clamp': {
    correct:
      "```js\ndescribe('clamp', () => {\n  it('keeps what lies inside, both ends included', () => {\n    for (const v of [2, 3, 8]) assert.strictEqual(clamp(v, 2, 8), v)\n  })\n  it('bounds', () => {\n    assert.strictEqual(clamp(1, 2, 8), 2)\n    assert.strictEqual(clamp(9, 2, 8), 8)\n  })\n  it('allows low === high and refuses low > high', () => {\n    assert.strictEqual(clamp(0, 4, 4), 4)\n    assert.throws(() => clamp(0, 5, 4), RangeError)\n  })\n})\n```",
    'subtly wrong':
      "```js\ntest('clamp', () => {\n  assert.equal(clamp(5, 1, 9), 5)\n  assert.equal(clamp(0, 1, 9), 1)\n  assert.equal(clamp(10, 1, 9), 9)\n  assert.throws(() => clamp(5, 9, 1), RangeError)\n})\n```",
    junk: "```js\ntest('clamps below, above, inside; throws RangeError when low > high', () => {\n  assert.ok(true)\n  assert.equal(1, 1)\n})\n```",
  },
  'sql/no-city': {
    correct: "```sql\nSELECT id\nFROM customers\nWHERE city IS NULL\n   OR city != 'Rome';\n```",
    'subtly wrong': "```sql\nSELECT id FROM customers WHERE NOT (city = 'Rome');\n```",
    junk: "```sql\n-- id of customers whose city IS NULL OR city <> 'Rome'\nSELECT 'id' FROM customers WHERE city IS NULL OR city <> 'Rome';\n```",
  },
  'sql/referrals': {
    correct:
      '```sql\nSELECT c.id, (SELECT COUNT(*) FROM customers AS r WHERE r.referred_by = c.id) AS referred\nFROM customers AS c\nORDER BY c.id\n```',
    'subtly wrong':
      '```sql\nSELECT referred_by, COUNT(*) FROM customers WHERE referred_by IS NOT NULL GROUP BY referred_by ORDER BY referred_by\n```',
    junk: '```sql\nSELECT id, COUNT(*) FROM customers LEFT JOIN referred_by GROUP BY id ORDER BY id\n```',
  },
  'regex/hex-colours': {
    correct: raw`You can use /#(?:[\da-f]{3}|[\da-f]{4}|[\da-f]{6}|[\da-f]{8})(?![\w])/gi`.replace('You can use ', ''),
    'subtly wrong': '`/#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})\\b/g`',
    junk: '/#hex[0-9a-fA-F]colour{3,4,6,8}/g',
  },
  'regex/repeated-word': {
    correct: raw`/\b([a-zA-Z]+)(?:\s+)\1\b/g`,
    'subtly wrong': raw`/([a-zA-Z]+)\s\1\b/g`,
    junk: '/(repeated) word|the the/g',
  },
  'json-output/contact': {
    correct:
      'Here is the JSON:\n\n```json\n{\n  "phone": "+44 20 7946 0018",\n  "name": "Mara Okafor",\n  "email": "mara@example.org"\n}\n```',
    'subtly wrong': '{"name": "Mara Okafor", "email": "mara@example.org", "phone": "+442079460018"}',
    junk: '{"name": "string", "email": "string", "phone": "string", "additionalProperties": false}',
  },
}

/** Sixty answers, one of each kind for twenty tasks. */
export const labelledAnswers: readonly LabelledAnswer[] = Object.entries(answers).flatMap(([task, byKind]) =>
  Object.entries(byKind).map(([kind, answer]) => ({ task, answer, kind: kind as Kind })),
)
