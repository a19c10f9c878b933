import { Raises } from './code.ts'
import { codeTasks } from './code-generation.ts'
import type { Suite } from './suite.ts'

const raw = String.raw

export const javascript: Suite = {
  name: 'javascript',
  title: 'Code generation, JavaScript and TypeScript',
  version: 1,
  maxOutputTokens: 4_096,
  tasks: codeTasks('javascript', 'javascript', [
    {
      name: 'chunk',
      difficulty: 'easy',
      entry: 'chunk',
      wanted: `Write a function chunk(items, size) that splits an array into arrays of at most size items, in order, without
changing its argument. A size that is not a positive integer throws a RangeError.`,
      cases: [
        ['chunk([1,2,3,4,5], 2)', [[1, 2], [3, 4], [5]]],
        ['chunk([], 3)', []],
        ['chunk([1,2], 5)', [[1, 2]]],
        ['const a=[1,2,3]; chunk(a,1); a', [1, 2, 3]],
        ['chunk([1], 0)', new Raises('RangeError')],
        ['chunk([1], 1.5)', new Raises('RangeError')],
        ['chunk([1], -2)', new Raises('RangeError')],
      ],
      reference: `function chunk(items, size) {
  if (!Number.isInteger(size) || size < 1) throw new RangeError('size must be a positive integer')
  const out = []
  for (let i = 0; i < items.length; i += size) out.push(items.slice(i, i + size))
  return out
}`,
      wrong: `function chunk(items, size) {
  const out = []
  while (items.length) out.push(items.splice(0, Math.max(1, size)))
  return out
}`,
    },
    {
      name: 'slugify',
      difficulty: 'easy',
      entry: 'slugify',
      wanted: `Write a function slugify(title). It lowercases, strips accents from Latin letters (é becomes e), turns every run of
characters other than a-z and 0-9 into one hyphen, and leaves no hyphen at either end.`,
      cases: [
        ['slugify("Hello, World!")', 'hello-world'],
        ['slugify("  Crème   Brûlée 2 ")', 'creme-brulee-2'],
        ['slugify("a_b--c")', 'a-b-c'],
        ['slugify("!!!")', ''],
        ['slugify("Ünïcödé")', 'unicode'],
      ],
      reference: raw`const slugify = title => title.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '')`,
      wrong: raw`const slugify = title => title.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '')`,
    },
    {
      name: 'top-words',
      difficulty: 'easy',
      entry: 'topWords',
      wanted: `Write a function topWords(text, n) that returns the n most frequent words as [word, count] pairs, most frequent
first, ties in alphabetical order. Words are runs of letters and apostrophes, compared without case and returned in lower case.`,
      cases: [
        [
          'topWords("The cat. the dog, THE end; a cat", 2)',
          [
            ['the', 3],
            ['cat', 2],
          ],
        ],
        [
          'topWords("b a b a c", 3)',
          [
            ['a', 2],
            ['b', 2],
            ['c', 1],
          ],
        ],
        [`topWords("Don't stop. don't!", 1)`, [["don't", 2]]],
        ['topWords("", 5)', []],
        ['topWords("constructor toString constructor", 1)', [['constructor', 2]]],
      ],
      reference: `function topWords(text, n) {
  const counts = new Map()
  for (const word of text.toLowerCase().match(/[\\p{L}']+/gu) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, n)
}`,
      wrong: `function topWords(text, n) {
  const counts = {}
  for (const word of text.toLowerCase().match(/[a-z']+/g) ?? []) counts[word] = (counts[word] || 0) + 1
  return Object.entries(counts).sort((a, b) => b[1] - a[1]).slice(0, n)
}`,
    },
    {
      name: 'parse-query',
      difficulty: 'easy',
      entry: 'parseQuery',
      wanted: `Write a function parseQuery(query) that parses a URL query string with or without a leading "?" into an object. Keys
and values are percent-decoded and "+" means a space; a key without "=" has the value ""; a key that occurs more than once has an
array of its values in order. An empty string gives {}. Do not use URLSearchParams.`,
      cases: [
        ['parseQuery("?a=1&b=two")', { a: '1', b: 'two' }],
        ['parseQuery("q=caf%C3%A9+noir&flag")', { q: 'café noir', flag: '' }],
        ['parseQuery("x=1&x=2&x=3&y=0")', { x: ['1', '2', '3'], y: '0' }],
        ['parseQuery("")', {}],
        ['parseQuery("?")', {}],
        ['parseQuery("eq=a=b&&")', { eq: 'a=b' }],
        ['parseQuery("p=1%2B1")', { p: '1+1' }],
      ],
      reference: `function parseQuery(query) {
  const out = {}
  const decode = s => decodeURIComponent(s.replaceAll('+', ' '))
  for (const part of query.replace(/^\\?/, '').split('&')) {
    if (part === '') continue
    const at = part.indexOf('=')
    const key = decode(at < 0 ? part : part.slice(0, at))
    const value = at < 0 ? '' : decode(part.slice(at + 1))
    if (!Object.hasOwn(out, key)) out[key] = value
    else if (Array.isArray(out[key])) out[key].push(value)
    else out[key] = [out[key], value]
  }
  return out
}`,
      wrong: `function parseQuery(query) {
  const out = {}
  for (const part of query.replace(/^\\?/, '').split('&')) {
    const [key, value = ''] = part.split('=')
    out[decodeURIComponent(key)] = decodeURIComponent(value.replace(/\\+/g, ' '))
  }
  return out
}`,
    },
    {
      name: 'format-duration',
      difficulty: 'easy',
      entry: 'formatDuration',
      wanted: `Write a function formatDuration(ms) that renders milliseconds as days, hours, minutes and seconds, like "1d 2h 3m 4s".
Parts that are zero are left out; fractions of a second are dropped; less than a second is "0s"; a negative duration is the positive
one with "-" in front (but never "-0s").`,
      cases: [
        ['formatDuration(93784000)', '1d 2h 3m 4s'],
        ['formatDuration(3600000)', '1h'],
        ['formatDuration(61999)', '1m 1s'],
        ['formatDuration(999)', '0s'],
        ['formatDuration(-5000)', '-5s'],
        ['formatDuration(-10)', '0s'],
        ['formatDuration(0)', '0s'],
      ],
      reference: `function formatDuration(ms) {
  let s = Math.floor(Math.abs(ms) / 1000)
  if (s === 0) return '0s'
  const parts = []
  for (const [unit, size] of [['d', 86400], ['h', 3600], ['m', 60], ['s', 1]]) {
    const n = Math.floor(s / size)
    s -= n * size
    if (n > 0) parts.push(n + unit)
  }
  return (ms < 0 ? '-' : '') + parts.join(' ')
}`,
      wrong: `function formatDuration(ms) {
  const s = Math.round(ms / 1000)
  const parts = [[Math.floor(s / 86400), 'd'], [Math.floor(s / 3600) % 24, 'h'], [Math.floor(s / 60) % 60, 'm'], [s % 60, 's']]
  return parts.filter(([n]) => n).map(p => p.join('')).join(' ') || '0s'
}`,
    },
    {
      name: 'deep-equal',
      difficulty: 'medium',
      entry: 'deepEqual',
      wanted: `Write a function deepEqual(a, b) for plain data: primitives (NaN equals NaN, 0 equals -0), arrays, plain objects (own
enumerable keys, in any order; a missing key differs from a key that is undefined), Date, Map and Set (Sets of primitives; Map keys
are primitives, Map values are compared deeply). An array never equals an object.`,
      cases: [
        ['deepEqual({a:[1,{b:2}]}, {a:[1,{b:2}]})', true],
        ['deepEqual({a:1,b:2}, {b:2,a:1})', true],
        ['deepEqual(NaN, NaN)', true],
        ['deepEqual(0, -0)', true],
        ['deepEqual({a:undefined}, {})', false],
        ['deepEqual({a:undefined}, {b:undefined})', false],
        ['deepEqual([], {})', false],
        ['deepEqual(null, {})', false],
        ['deepEqual(new Date(5), new Date(5))', true],
        ['deepEqual(new Date(5), new Date(6))', false],
        ['deepEqual(new Map([["a",[1]]]), new Map([["a",[1]]]))', true],
        ['deepEqual(new Map([["a",1]]), new Map([["a",2]]))', false],
        ['deepEqual(new Set([1,2]), new Set([2,1]))', true],
        ['deepEqual(new Set([1]), new Set([2]))', false],
        ['deepEqual("1", 1)', false],
      ],
      reference: `function deepEqual(a, b) {
  if (a === b || (a !== a && b !== b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (a instanceof Date) return deepEqual(a.getTime(), b.getTime())
  if (a instanceof Map) return a.size === b.size && [...a].every(([k, v]) => b.has(k) && deepEqual(v, b.get(k)))
  if (a instanceof Set) return a.size === b.size && [...a].every(v => b.has(v))
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every(k => Object.hasOwn(b, k) && deepEqual(a[k], b[k]))
}`,
      wrong: `const deepEqual = (a, b) => JSON.stringify(a) === JSON.stringify(b)`,
    },
    {
      name: 'lru-cache',
      difficulty: 'medium',
      entry: 'LruCache',
      wanted: `Write a class LruCache with constructor(capacity), get(key), set(key, value), has(key), delete(key) and a getter size.
When a set would exceed the capacity the least recently used entry goes. get and set count as use, has does not. get of a missing key
gives undefined. set of an existing key replaces its value. A stored undefined is a value like any other.`,
      cases: [
        [
          '{ const c=new LruCache(2); c.set("a",1); c.set("b",2); c.get("a"); c.set("c",3); [c.has("a"),c.has("b"),c.has("c"),c.size] }',
          [true, false, true, 2],
        ],
        [
          '{ const c=new LruCache(2); c.set("a",1); c.set("b",2); c.has("a"); c.set("c",3); [c.has("a"),c.has("b")] }',
          [false, true],
        ],
        [
          '{ const c=new LruCache(2); c.set("a",1); c.set("b",2); c.set("a",9); c.set("c",3); [c.get("a"),c.has("b")] }',
          [9, false],
        ],
        [
          '{ const c=new LruCache(2); c.set("u",undefined); c.set("b",1); c.get("u"); c.set("c",1); [c.has("u"),c.has("b")] }',
          [true, false],
        ],
        [
          '{ const c=new LruCache(1); c.set("a",1); [c.delete("a"),c.delete("a"),c.size,c.get("a")===undefined] }',
          [true, false, 0, true],
        ],
      ],
      reference: `class LruCache {
  #map = new Map()
  constructor(capacity) { this.capacity = capacity }
  get size() { return this.#map.size }
  has(key) { return this.#map.has(key) }
  delete(key) { return this.#map.delete(key) }
  get(key) {
    if (!this.#map.has(key)) return undefined
    const value = this.#map.get(key)
    this.#map.delete(key)
    this.#map.set(key, value)
    return value
  }
  set(key, value) {
    this.#map.delete(key)
    this.#map.set(key, value)
    if (this.#map.size > this.capacity) this.#map.delete(this.#map.keys().next().value)
  }
}`,
      wrong: `class LruCache {
  constructor(capacity) { this.capacity = capacity; this.map = new Map() }
  get size() { return this.map.size }
  has(key) { return this.map.has(key) }
  delete(key) { return this.map.delete(key) }
  get(key) { return this.map.get(key) }
  set(key, value) {
    if (this.map.size >= this.capacity) this.map.delete(this.map.keys().next().value)
    this.map.set(key, value)
  }
}`,
    },
    {
      name: 'parse-csv',
      difficulty: 'medium',
      entry: 'parseCsv',
      wanted: `Write a function parseCsv(text) that returns an array of rows, each an array of strings. Fields are separated by commas,
rows by \\n or \\r\\n. A field in double quotes may hold commas, line ends and doubled quotes (""), which mean one quote. A line end after
the last row adds no row; an empty text has no rows. Fields are not trimmed.`,
      cases: [
        [
          'parseCsv("a,b\\n1,2\\n")',
          [
            ['a', 'b'],
            ['1', '2'],
          ],
        ],
        ['parseCsv(\'"x, y","say ""hi""",z\')', [['x, y', 'say "hi"', 'z']]],
        [
          'parseCsv(\'a,"line1\\nline2"\\r\\nb,c\')',
          [
            ['a', 'line1\nline2'],
            ['b', 'c'],
          ],
        ],
        ['parseCsv("")', []],
        ['parseCsv(",")', [['', '']]],
        ['parseCsv("a\\n\\nb")', [['a'], [''], ['b']]],
        ['parseCsv(\'"",  x \')', [['', '  x ']]],
      ],
      reference: `function parseCsv(text) {
  const rows = []
  let row = [], field = '', quoted = false, any = false
  const endRow = () => { row.push(field); rows.push(row); row = []; field = ''; any = false }
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    any = true
    if (quoted) {
      if (c !== '"') field += c
      else if (text[i + 1] === '"') { field += '"'; i++ }
      else quoted = false
    } else if (c === '"') quoted = true
    else if (c === ',') { row.push(field); field = '' }
    else if (c === '\\n') endRow()
    else if (c === '\\r' && text[i + 1] === '\\n') { i++; endRow() }
    else field += c
  }
  if (any) endRow()
  return rows
}`,
      wrong: `const parseCsv = text => text.trim().split(/\\r?\\n/).map(line => line.split(',').map(f => f.replace(/^"|"$/g, '').replace(/""/g, '"')))`,
    },
    {
      name: 'debounce',
      difficulty: 'medium',
      entry: 'debounce',
      wanted: `Write a function debounce(fn, waitMs) that returns a function. Calling it schedules fn for waitMs after the newest call,
with that call's arguments and this. The returned function has cancel() (drops what is scheduled) and flush() (runs what is scheduled
at once and returns fn's result; undefined when nothing is scheduled). Use setTimeout and clearTimeout.`,
      cases: [
        [
          '(async()=>{const out=[];const d=debounce(x=>out.push(x),50);d(1);d(2);await new Promise(r=>setTimeout(r,40));d(3);await new Promise(r=>setTimeout(r,40));const early=out.length;await new Promise(r=>setTimeout(r,100));return [early,out]})()',
          [0, [3]],
        ],
        [
          '(async()=>{const out=[];const d=debounce(x=>out.push(x),10);d(1);d.cancel();await new Promise(r=>setTimeout(r,50));return out})()',
          [],
        ],
        [
          '(async()=>{let n=0;const d=debounce(x=>{n++;return x*2},10);d(4);const v=d.flush();const again=d.flush();await new Promise(r=>setTimeout(r,50));return [v,again===undefined,n]})()',
          [8, true, 1],
        ],
        [
          '(async()=>{const o={v:7,got:0};o.d=debounce(function(a,b){this.got=this.v+a+b},5);o.d(1,2);await new Promise(r=>setTimeout(r,9));return o.got})()',
          10,
        ],
      ],
      reference: `function debounce(fn, waitMs) {
  let timer, pending
  const run = () => {
    const call = pending
    clearTimeout(timer)
    pending = undefined
    return call === undefined ? undefined : fn.apply(call.self, call.args)
  }
  function debounced(...args) {
    pending = { self: this, args }
    clearTimeout(timer)
    timer = setTimeout(run, waitMs)
  }
  debounced.cancel = () => { clearTimeout(timer); pending = undefined }
  debounced.flush = run
  return debounced
}`,
      wrong: `function debounce(fn, waitMs) {
  let timer
  const d = (...args) => { clearTimeout(timer); timer = setTimeout(() => fn(...args), waitMs) }
  d.cancel = () => clearTimeout(timer)
  d.flush = () => { clearTimeout(timer); return fn() }
  return d
}`,
    },
    {
      name: 'compare-versions',
      difficulty: 'medium',
      entry: 'compareVersions',
      wanted: `Write a function compareVersions(a, b) that orders semantic versions and returns -1, 0 or 1. Versions look like
"1.2.3", "1.2.3-alpha.1" or "1.2.3+build"; build metadata is ignored. A pre-release comes before its release. Pre-release identifiers
are compared from left to right: numbers numerically, text by ASCII order, a number before text; when all are equal the shorter list
comes first.`,
      cases: [
        ['compareVersions("1.2.3","1.10.0")', -1],
        ['compareVersions("2.0.0","2.0.0")', 0],
        ['compareVersions("1.0.0-alpha","1.0.0")', -1],
        ['compareVersions("1.0.0-alpha.2","1.0.0-alpha.10")', -1],
        ['compareVersions("1.0.0-alpha.beta","1.0.0-alpha.1")', 1],
        ['compareVersions("1.0.0-alpha","1.0.0-alpha.1")', -1],
        ['compareVersions("1.0.0+a","1.0.0+b")', 0],
        ['compareVersions("1.0.0-rc.1+x","1.0.0-beta.11")', 1],
        ['compareVersions("1.0.0-a-b","1.0.0-a")', 1],
      ],
      reference: `function compareVersions(a, b) {
  const read = v => {
    const [main, ...pre] = v.split('+')[0].split('-')
    return { numbers: main.split('.').map(Number), pre: pre.length ? pre.join('-').split('.') : [] }
  }
  const x = read(a), y = read(b)
  for (let i = 0; i < 3; i++) if (x.numbers[i] !== y.numbers[i]) return x.numbers[i] < y.numbers[i] ? -1 : 1
  if (!x.pre.length || !y.pre.length) return Math.sign((x.pre.length ? 0 : 1) - (y.pre.length ? 0 : 1))
  for (let i = 0; i < Math.max(x.pre.length, y.pre.length); i++) {
    const p = x.pre[i], q = y.pre[i]
    if (p === undefined) return -1
    if (q === undefined) return 1
    const pn = /^\\d+$/.test(p), qn = /^\\d+$/.test(q)
    if (pn !== qn) return pn ? -1 : 1
    if (p === q) continue
    return (pn ? Number(p) < Number(q) : p < q) ? -1 : 1
  }
  return 0
}`,
      wrong: `function compareVersions(a, b) {
  const x = a.split('+')[0].split(/[.-]/), y = b.split('+')[0].split(/[.-]/)
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const p = x[i] ?? '', q = y[i] ?? ''
    if (p !== q) return (Number(p) - Number(q) || (p < q ? -1 : 1)) < 0 ? -1 : 1
  }
  return 0
}`,
    },
    {
      name: 'event-emitter',
      difficulty: 'medium',
      entry: 'Emitter',
      wanted: `Write a class Emitter with on(event, fn), once(event, fn), off(event, fn) and emit(event, ...args). Listeners run in the
order they were added. on and once return a function that removes that listener. once listeners run at most one time. A listener that is
added or removed during an emit does not change who is called in that emit. The same function added twice runs twice, and one off
removes one of them. emit returns whether anyone was called.`,
      cases: [
        [
          '{const e=new Emitter(),o=[];e.on("a",x=>o.push("1"+x));e.on("a",x=>o.push("2"+x));const r=e.emit("a","!");[r,o,e.emit("zz")]}',
          [true, ['1!', '2!'], false],
        ],
        ['{const e=new Emitter();let n=0;e.once("a",()=>n++);e.emit("a");e.emit("a");n}', 1],
        [
          '{const e=new Emitter(),o=[];const b=()=>o.push("b");e.on("x",()=>{o.push("a");e.off("x",b)});e.on("x",b);e.emit("x");e.emit("x");o}',
          ['a', 'b', 'a'],
        ],
        [
          '{const e=new Emitter(),o=[];e.on("x",()=>{o.push(1);if(o.length<3)e.on("x",()=>o.push(2))});e.emit("x");o}',
          [1],
        ],
        ['{const e=new Emitter();let n=0;const f=()=>n++;e.on("x",f);e.on("x",f);e.off("x",f);e.emit("x");n}', 1],
        ['{const e=new Emitter();let n=0;const stop=e.on("x",()=>n++);stop();stop();[e.emit("x"),n]}', [false, 0]],
        ['{const e=new Emitter();let n=0;const f=()=>n++;e.once("x",f);e.off("x",f);e.emit("x");n}', 0],
        ['{const e=new Emitter();let n=0;e.once("x",()=>{n++;e.emit("x")});e.emit("x");n}', 1],
      ],
      reference: `class Emitter {
  #lists = new Map()
  #add(event, fn, once) {
    const entry = { fn, once }
    this.#lists.set(event, [...(this.#lists.get(event) ?? []), entry])
    return () => this.#remove(event, e => e === entry)
  }
  #remove(event, is) {
    const list = this.#lists.get(event) ?? []
    const at = list.findIndex(is)
    if (at >= 0) this.#lists.set(event, list.toSpliced(at, 1))
  }
  on(event, fn) { return this.#add(event, fn, false) }
  once(event, fn) { return this.#add(event, fn, true) }
  off(event, fn) { this.#remove(event, e => e.fn === fn) }
  emit(event, ...args) {
    const list = this.#lists.get(event) ?? []
    for (const entry of list) {
      if (entry.once) this.#remove(event, e => e === entry)
      entry.fn(...args)
    }
    return list.length > 0
  }
}`,
      wrong: `class Emitter {
  constructor() { this.l = {} }
  on(event, fn) { (this.l[event] ??= []).push(fn); return () => this.off(event, fn) }
  once(event, fn) { const w = (...a) => { this.off(event, w); fn(...a) }; return this.on(event, w) }
  off(event, fn) { this.l[event] = (this.l[event] ?? []).filter(f => f !== fn) }
  emit(event, ...args) { (this.l[event] ?? []).forEach(f => f(...args)); return (this.l[event] ?? []).length > 0 }
}`,
    },
    {
      name: 'merge-patch',
      difficulty: 'medium',
      entry: 'mergePatch',
      wanted: `Write mergePatch(target, patch), JSON Merge Patch: when patch is not an object (arrays are not objects here) the result is
patch itself. Otherwise the result is target (or {} when target is not an object) with each key of patch merged in recursively; a
value of null removes the key. Neither argument is changed.`,
      cases: [
        ['mergePatch({a:1,b:{c:2,d:3}}, {b:{c:null,e:4}})', { a: 1, b: { d: 3, e: 4 } }],
        ['mergePatch({a:[1,2]}, {a:[3]})', { a: [3] }],
        ['mergePatch({a:1}, null)', null],
        ['mergePatch([1,2], {a:"b",c:null})', { a: 'b' }],
        ['mergePatch({}, {a:{bb:{ccc:null}}})', { a: { bb: {} } }],
        ['{const t={a:{b:1}};mergePatch(t,{a:{b:null,c:2}});t}', { a: { b: 1 } }],
        ['mergePatch({a:"x"}, {a:{b:null}})', { a: {} }],
        ['mergePatch("s", {n:0,f:false,e:""})', { n: 0, f: false, e: '' }],
      ],
      reference: `function mergePatch(target, patch) {
  const isObject = v => typeof v === 'object' && v !== null && !Array.isArray(v)
  if (!isObject(patch)) return patch
  const out = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key]
    else out[key] = mergePatch(out[key], value)
  }
  return out
}`,
      wrong: `function mergePatch(target, patch) {
  if (typeof patch !== 'object') return patch
  const out = Object.assign({}, target)
  for (const k in patch) out[k] = patch[k] && typeof patch[k] === 'object' ? mergePatch(out[k], patch[k]) : patch[k]
  return out
}`,
    },
    {
      name: 'map-limit',
      difficulty: 'hard',
      entry: 'mapLimit',
      wanted: `Write an async function mapLimit(items, limit, fn): it calls await fn(item, index) for every item with at most limit calls
under way at any time, starts a waiting one as soon as one ends, and resolves to the results in the order of items. When a call fails
it rejects with that error and starts no further call. An fn that throws synchronously counts as failing.`,
      cases: [
        [
          '(async()=>{let now=0,max=0;const r=await mapLimit([30,10,20,5],2,async(ms,i)=>{now++;max=Math.max(max,now);await new Promise(r=>setTimeout(r,ms));now--;return i*10+ms});return [r,max]})()',
          [[30, 20, 40, 35], 2],
        ],
        ['mapLimit([],3,async x=>x)', []],
        [
          '(async()=>{const t=Date.now();await mapLimit([30,10,10,10],2,ms=>new Promise(r=>setTimeout(r,ms)));return Date.now()-t})()',
          30,
        ],
        [
          '(async()=>{const started=[];let error;try{await mapLimit([1,2,3,4,5],2,async x=>{started.push(x);await new Promise(r=>setTimeout(r,10*x));if(x===1)throw new Error("boom")})}catch(e){error=e.message}await new Promise(r=>setTimeout(r,200));return [error,started]})()',
          ['boom', [1, 2]],
        ],
        ['(async()=>{try{await mapLimit([1],1,()=>{throw new Error("sync")})}catch(e){return e.message}})()', 'sync'],
        ['mapLimit([1,2],10,x=>x+1)', [2, 3]],
      ],
      reference: `async function mapLimit(items, limit, fn) {
  const results = new Array(items.length)
  let next = 0, failed = false
  const worker = async () => {
    while (next < items.length && !failed) {
      const i = next++
      try { results[i] = await fn(items[i], i) } catch (error) { failed = true; throw error }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return results
}`,
      wrong: `async function mapLimit(items, limit, fn) {
  const results = []
  for (let i = 0; i < items.length; i += limit) results.push(...(await Promise.all(items.slice(i, i + limit).map((x, j) => fn(x, i + j)))))
  return results
}`,
    },
    {
      name: 'calculator',
      difficulty: 'hard',
      entry: 'calculate',
      wanted: `Write a function calculate(expression) that evaluates arithmetic without eval or Function: decimal numbers, + - * / and ^
(power, which groups from the right and binds tighter than a minus sign in front: -2^2 is -4), unary minus, parentheses, spaces
anywhere. Anything else, such as a missing operand, an unknown character or an empty text, throws a SyntaxError.`,
      cases: [
        ['calculate("1 + 2 * 3")', 7],
        ['calculate("(1+2)*3")', 9],
        ['calculate("10 - 4 - 3")', 3],
        ['calculate("2^3^2")', 512],
        ['calculate("-2^2")', -4],
        ['calculate("2^-1")', 0.5],
        ['calculate("2*-3")', -6],
        ['calculate("--4")', 4],
        ['calculate(" .5 + 1.25 ")', 1.75],
        ['calculate("8/4/2")', 1],
        ['calculate("1 +")', new Raises('SyntaxError')],
        ['calculate("(1")', new Raises('SyntaxError')],
        ['calculate("1 2")', new Raises('SyntaxError')],
        ['calculate("")', new Raises('SyntaxError')],
        ['calculate("2a")', new Raises('SyntaxError')],
        ['calculate("1..2")', new Raises('SyntaxError')],
      ],
      reference: `function calculate(expression) {
  const tokens = []
  const re = /\\s*(?:(\\d+\\.?\\d*|\\.\\d+)|([-+*/^()]))/y
  let at = 0
  const text = expression.trimEnd()
  while (at < text.length) {
    re.lastIndex = at
    const m = re.exec(text)
    if (!m) throw new SyntaxError('unexpected ' + text[at])
    tokens.push(m[1] !== undefined ? Number(m[1]) : m[2])
    at = re.lastIndex
  }
  let i = 0
  const sum = () => {
    let left = product()
    while (tokens[i] === '+' || tokens[i] === '-') left = tokens[i++] === '+' ? left + product() : left - product()
    return left
  }
  const product = () => {
    let left = unary()
    while (tokens[i] === '*' || tokens[i] === '/') left = tokens[i++] === '*' ? left * unary() : left / unary()
    return left
  }
  const unary = () => {
    if (tokens[i] === '-') { i++; return -unary() }
    const base = atom()
    if (tokens[i] !== '^') return base
    i++
    return base ** unary()
  }
  const atom = () => {
    const token = tokens[i++]
    if (typeof token === 'number') return token
    if (token !== '(') throw new SyntaxError('a number is missing')
    const value = sum()
    if (tokens[i++] !== ')') throw new SyntaxError('a parenthesis is missing')
    return value
  }
  const value = sum()
  if (i < tokens.length) throw new SyntaxError('unexpected ' + tokens[i])
  return value
}`,
      wrong: `function calculate(expression) {
  if (!/^[\\d\\s.+*\\/^()-]+$/.test(expression)) throw new SyntaxError('bad')
  const tokens = expression.match(/\\d*\\.?\\d+|[-+*\\/^()]/g)
  let i = 0
  const atom = () => { const t = tokens[i++]; if (t === '(') { const v = sum(); i++; return v } if (t === '-') return -atom(); return Number(t) }
  const power = () => { let l = atom(); while (tokens[i] === '^') { i++; l = l ** atom() } return l }
  const product = () => { let l = power(); while ('*/'.includes(tokens[i] ?? ' ')) l = tokens[i++] === '*' ? l * power() : l / power(); return l }
  const sum = () => { let l = product(); while ('+-'.includes(tokens[i] ?? ' ')) l = tokens[i++] === '+' ? l + product() : l - product(); return l }
  return sum()
}`,
    },
    {
      name: 'build-order',
      difficulty: 'hard',
      entry: 'buildOrder',
      wanted: `Write a function buildOrder(dependencies). Its argument maps each package name to the array of names that must be built
before it; names that only occur as a dependency are packages too. Return all packages in build order; of those that could come next,
always take the alphabetically first. When there is a cycle, throw an Error whose property cycle is an array of the names on one cycle
in dependency order, its first name repeated at its end (each name depends on the next).`,
      cases: [
        ['buildOrder({app:["lib","util"],lib:["util"],util:[]})', ['util', 'lib', 'app']],
        ['buildOrder({b:[],a:[],c:["a"]})', ['a', 'b', 'c']],
        ['buildOrder({z:["m"]})', ['m', 'z']],
        ['buildOrder({})', []],
        ['buildOrder({a:["c"],b:[],c:[],d:["a","b"]})', ['b', 'c', 'a', 'd']],
        [
          '{const deps={a:["b"],b:["c"],c:["a"],d:["a"]};let out;try{buildOrder(deps)}catch(e){const c=e.cycle;out=[e instanceof Error,c.length,c[0]===c.at(-1),c.slice(1).every((n,i)=>deps[c[i]].includes(n))]}out}',
          [true, 4, true, true],
        ],
        ['{let out;try{buildOrder({x:["x"]})}catch(e){out=e.cycle}out}', ['x', 'x']],
        ['buildOrder({constructor:["toString"]})', ['toString', 'constructor']],
      ],
      reference: `function buildOrder(dependencies) {
  const needs = new Map()
  for (const [name, list] of Object.entries(dependencies)) {
    needs.set(name, new Set([...(needs.get(name) ?? []), ...list]))
    for (const other of list) if (!needs.has(other)) needs.set(other, new Set())
  }
  const order = []
  const done = new Set()
  while (done.size < needs.size) {
    const ready = [...needs.keys()].filter(n => !done.has(n) && [...needs.get(n)].every(d => done.has(d))).sort()
    if (ready.length === 0) {
      const path = [[...needs.keys()].find(n => !done.has(n))]
      for (;;) {
        const next = [...needs.get(path.at(-1))].find(d => !done.has(d))
        const at = path.indexOf(next)
        path.push(next)
        if (at >= 0) throw Object.assign(new Error('there is a cycle'), { cycle: path.slice(at) })
      }
    }
    done.add(ready[0])
    order.push(ready[0])
  }
  return order
}`,
      wrong: `function buildOrder(dependencies) {
  const order = [], seen = new Set()
  const visit = (n, path) => {
    if (path.includes(n)) throw Object.assign(new Error('cycle'), { cycle: [...path, n] })
    if (seen.has(n)) return
    seen.add(n)
    for (const d of dependencies[n] ?? []) visit(d, [...path, n])
    order.push(n)
  }
  for (const n of Object.keys(dependencies).sort()) visit(n, [])
  return order
}`,
    },
    {
      name: 'retry-backoff',
      difficulty: 'hard',
      entry: 'retry',
      wanted: `Write, in TypeScript, an async function retry<T>(fn: (attempt: number) => Promise<T>, options: { attempts: number; baseMs:
number; maxMs: number; retryable?: (error: unknown) => boolean }): Promise<T>. Attempts are numbered from 1. After a failed attempt n it
waits min(maxMs, baseMs * 2^(n-1)) milliseconds (setTimeout) and tries again, at most attempts times in all. An error for which
retryable returns false is rethrown at once. After the last attempt the last error is rethrown without waiting.`,
      cases: [
        [
          '(async()=>{const at=[];const t=Date.now();const r=await retry(async n=>{at.push([n,Date.now()-t]);if(n<4)throw new Error("no");return "ok"},{attempts:5,baseMs:100,maxMs:250});return [r,at]})()',
          [
            'ok',
            [
              [1, 0],
              [2, 100],
              [3, 300],
              [4, 550],
            ],
          ],
        ],
        [
          '(async()=>{const t=Date.now();let n=0;try{await retry(async()=>{n++;throw new Error("e"+n)},{attempts:3,baseMs:10,maxMs:1000})}catch(e){return [e.message,n,Date.now()-t]}})()',
          ['e3', 3, 30],
        ],
        [
          '(async()=>{let n=0;try{await retry(async()=>{n++;throw new TypeError("fatal")},{attempts:9,baseMs:1,maxMs:1,retryable:e=>!(e instanceof TypeError)})}catch(e){return [e.message,n]}})()',
          ['fatal', 1],
        ],
        ['retry(async()=>7,{attempts:1,baseMs:5,maxMs:5})', 7],
      ],
      reference: `async function retry<T>(
  fn: (attempt: number) => Promise<T>,
  options: { attempts: number; baseMs: number; maxMs: number; retryable?: (error: unknown) => boolean },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await fn(attempt)
    } catch (error) {
      if (attempt >= options.attempts || options.retryable?.(error) === false) throw error
      await new Promise<void>(resolve => setTimeout(resolve, Math.min(options.maxMs, options.baseMs * 2 ** (attempt - 1))))
    }
  }
}`,
      wrong: `async function retry<T>(fn: (attempt: number) => Promise<T>, options: any): Promise<T> {
  let last: unknown
  for (let attempt = 1; attempt <= options.attempts; attempt++) {
    try { return await fn(attempt) } catch (error) {
      last = error
      await new Promise(resolve => setTimeout(resolve, Math.min(options.maxMs, options.baseMs * 2 ** attempt)))
    }
  }
  throw last
}`,
    },
  ]),
}
