import { Raises, passesCases, solutionFrom, type Case, type CodeLanguage } from './code.ts'
import { fenced } from './code-generation.ts'
import { prompt, type Difficulty, type Suite, type Task } from './suite.ts'

interface Bug {
  name: string
  difficulty: Difficulty
  language: CodeLanguage
  entry: string
  /** The bug report, or the failing test. */
  report: string
  buggy: string
  fixed: string
  /** Hidden: the reported case, similar ones, and what worked before. */
  cases: readonly Case[]
}

const bugs: readonly Bug[] = [
  {
    name: 'pagination',
    difficulty: 'easy',
    language: 'javascript',
    entry: 'paginate',
    report:
      'Page 1 of a list begins with the second page, and the number of pages is one too low unless it divides evenly.',
    buggy: `function paginate(items, page, perPage) {
  const start = page * perPage
  return {
    items: items.slice(start, start + perPage),
    page,
    pages: Math.floor(items.length / perPage),
  }
}`,
    fixed: `function paginate(items, page, perPage) {
  const start = (page - 1) * perPage
  return {
    items: items.slice(start, start + perPage),
    page,
    pages: Math.ceil(items.length / perPage),
  }
}`,
    cases: [
      ['paginate([1,2,3,4,5],1,2)', { items: [1, 2], page: 1, pages: 3 }],
      ['paginate([1,2,3,4,5],3,2)', { items: [5], page: 3, pages: 3 }],
      ['paginate([1,2],1,2).pages', 1],
      ['paginate([],1,10)', { items: [], page: 1, pages: 0 }],
    ],
  },
  {
    name: 'price-filter',
    difficulty: 'easy',
    language: 'javascript',
    entry: 'filterByPrice',
    report:
      'filterByPrice(products, { min: 0, max: 0 }) should find the free products but returns everything. Without min or max there is no bound.',
    buggy: `function filterByPrice(products, { min, max } = {}) {
  return products.filter(product => {
    if (min && product.price < min) return false
    if (max && product.price > max) return false
    return true
  })
}`,
    fixed: `function filterByPrice(products, { min, max } = {}) {
  return products.filter(product => {
    if (min !== undefined && product.price < min) return false
    if (max !== undefined && product.price > max) return false
    return true
  })
}`,
    cases: [
      ['filterByPrice([{price:0},{price:5}],{min:0,max:0})', [{ price: 0 }]],
      ['filterByPrice([{price:-1},{price:5}],{min:0})', [{ price: 5 }]],
      ['filterByPrice([{price:1},{price:5}],{max:3})', [{ price: 1 }]],
      ['filterByPrice([{price:1}]).length', 1],
    ],
  },
  {
    name: 'mutable-default',
    difficulty: 'easy',
    language: 'python',
    entry: 'add_tag',
    report: 'Tags of one article turn up on others that were made without a list.',
    buggy: `def add_tag(tag, tags=[]):
    tag = tag.strip().lower()
    if tag and tag not in tags:
        tags.append(tag)
    return tags`,
    fixed: `def add_tag(tag, tags=None):
    tags = [] if tags is None else tags
    tag = tag.strip().lower()
    if tag and tag not in tags:
        tags.append(tag)
    return tags`,
    cases: [
      ['add_tag("A")\nadd_tag("b")', ['b']],
      ['t=["x"]\nadd_tag(" Y ", t)\nt', ['x', 'y']],
      ['t=[]\nadd_tag("q", t)\nt', ['q']],
      ['add_tag("  ")', []],
      ['add_tag("x", ["x"])', ['x']],
    ],
  },
  {
    name: 'median',
    difficulty: 'easy',
    language: 'python',
    entry: 'median',
    report:
      'median([10, 9, 100, 1]) gives 54.5 instead of 9.5, and the list that callers pass in must stay as it is. An empty list should raise ValueError, not IndexError.',
    buggy: `def median(values):
    n = len(values)
    middle = n // 2
    if n % 2:
        return values[middle]
    return (values[middle - 1] + values[middle]) / 2`,
    fixed: `def median(values):
    if not values:
        raise ValueError('median of nothing')
    values = sorted(values)
    n = len(values)
    middle = n // 2
    if n % 2:
        return values[middle]
    return (values[middle - 1] + values[middle]) / 2`,
    cases: [
      ['median([10,9,100,1])', 9.5],
      ['median([3,1,2])', 2],
      ['v=[3,1,2]\nmedian(v)\nv', [3, 1, 2]],
      ['median([])', new Raises('ValueError')],
      ['median([7])', 7],
    ],
  },
  {
    name: 'escape-html',
    difficulty: 'easy',
    language: 'javascript',
    entry: 'escapeHtml',
    report:
      'escapeHtml("<b>") returns "&amp;lt;b&amp;gt;", only the first quote of a text is replaced, and apostrophes should become &#39;.',
    buggy: `function escapeHtml(text) {
  return text
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace('"', '&quot;')
    .replace(/&/g, '&amp;')
}`,
    fixed: `function escapeHtml(text) {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;')
}`,
    cases: [
      ['escapeHtml("<b>")', '&lt;b&gt;'],
      [`escapeHtml('say "a" & "b"')`, 'say &quot;a&quot; &amp; &quot;b&quot;'],
      [`escapeHtml("it's")`, 'it&#39;s'],
      ['escapeHtml("&lt;")', '&amp;lt;'],
    ],
  },
  {
    name: 'await-in-loop',
    difficulty: 'medium',
    language: 'javascript',
    entry: 'saveAll',
    report:
      'saveAll resolves before anything is saved, and errors of single records are lost instead of being counted in failed.',
    buggy: `async function saveAll(records, save) {
  let saved = 0
  const failed = []
  records.forEach(async record => {
    try {
      save(record)
      saved++
    } catch (error) {
      failed.push({ id: record.id, error: error.message })
    }
  })
  return { saved, failed }
}`,
    fixed: `async function saveAll(records, save) {
  let saved = 0
  const failed = []
  for (const record of records) {
    try {
      await save(record)
      saved++
    } catch (error) {
      failed.push({ id: record.id, error: error.message })
    }
  }
  return { saved, failed }
}`,
    cases: [
      [
        '(async()=>{const seen=[];const r=await saveAll([{id:1},{id:2}],async x=>{await new Promise(r=>setTimeout(r,5));seen.push(x.id)});return [r,seen.sort()]})()',
        [{ saved: 2, failed: [] }, [1, 2]],
      ],
      [
        'saveAll([{id:1},{id:2},{id:3}],async x=>{await null;if(x.id===2)throw new Error("full")})',
        { saved: 2, failed: [{ id: 2, error: 'full' }] },
      ],
      ['saveAll([{id:9}],()=>{throw new Error("sync")})', { saved: 0, failed: [{ id: 9, error: 'sync' }] }],
      ['saveAll([],async()=>{})', { saved: 0, failed: [] }],
    ],
  },
  {
    name: 'binary-search',
    difficulty: 'medium',
    language: 'javascript',
    entry: 'lowerBound',
    report:
      'lowerBound should give the first index whose value is >= target (the length when there is none). It hangs for some inputs and finds the wrong one of equal values.',
    buggy: `function lowerBound(sorted, target) {
  let low = 0
  let high = sorted.length - 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (sorted[middle] === target) return middle
    if (sorted[middle] < target) low = middle
    else high = middle - 1
  }
  return low
}`,
    fixed: `function lowerBound(sorted, target) {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (sorted[middle] < target) low = middle + 1
    else high = middle
  }
  return low
}`,
    cases: [
      ['lowerBound([1,2,2,2,3],2)', 1],
      ['lowerBound([1,3],2)', 1],
      ['lowerBound([1,2],9)', 2],
      ['lowerBound([],1)', 0],
      ['lowerBound([5],5)', 0],
      ['lowerBound([1,2,3,4],0)', 0],
    ],
  },
  {
    name: 'closure-state',
    difficulty: 'medium',
    language: 'javascript',
    entry: 'memoize',
    report:
      'memoize(fn) mixes up f(1, 23) and f(12, 3), f("1") and f(1), calls fn again when its result was undefined, and keeps a rejected promise for ever (a failed call must be tried again).',
    buggy: `function memoize(fn) {
  const cache = {}
  return (...args) => {
    const key = args.join('')
    if (cache[key]) return cache[key]
    cache[key] = fn(...args)
    return cache[key]
  }
}`,
    fixed: `function memoize(fn) {
  const cache = new Map()
  return (...args) => {
    const key = JSON.stringify(args)
    if (cache.has(key)) return cache.get(key)
    const result = fn(...args)
    cache.set(key, result)
    if (result instanceof Promise) result.catch(() => cache.delete(key))
    return result
  }
}`,
    cases: [
      ['{const f=memoize((a,b)=>a+"-"+b);[f(1,23),f(12,3)]}', ['1-23', '12-3']],
      ['{const f=memoize(x=>typeof x);[f("1"),f(1)]}', ['string', 'number']],
      ['{let n=0;const f=memoize(()=>{n++});f();f();n}', 1],
      [
        '(async()=>{let n=0;const f=memoize(async()=>{if(++n===1)throw new Error("x");return n});try{await f()}catch{}await null;return f()})()',
        2,
      ],
      ['{let n=0;const f=memoize(x=>{n++;return x});f(1);f(1);f(2);n}', 2],
    ],
  },
  {
    name: 'age',
    difficulty: 'medium',
    language: 'python',
    entry: 'age_on',
    report:
      'age_on(born, day) is a year too high before the birthday in the current year. People born on 29 February have their birthday on 1 March in other years. A day before the birth must raise ValueError.',
    buggy: `def age_on(born, day):
    return day.year - born.year`,
    fixed: `def age_on(born, day):
    if day < born:
        raise ValueError('not born yet')
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))`,
    cases: [
      ['from datetime import date as d\nage_on(d(2000,6,15), d(2024,6,14))', 23],
      ['age_on(d(2000,6,15), d(2024,6,15))', 24],
      ['age_on(d(2000,2,29), d(2023,2,28))', 22],
      ['age_on(d(2000,2,29), d(2023,3,1))', 23],
      ['age_on(d(2000,1,1), d(1999,12,31))', new Raises('ValueError')],
      ['age_on(d(2000,1,1), d(2000,1,1))', 0],
    ],
  },
  {
    name: 'iterate-and-remove',
    difficulty: 'medium',
    language: 'python',
    entry: 'drop_expired',
    report:
      'Some expired sessions stay when several expire at once, and a session exactly max_age old should stay. The function must change the dict it is given and return the sorted names it removed.',
    buggy: `def drop_expired(sessions, now, max_age):
    removed = []
    for name in list(sessions)[::2]:
        if now - sessions[name]['seen'] >= max_age:
            del sessions[name]
            removed.append(name)
    return removed`,
    fixed: `def drop_expired(sessions, now, max_age):
    removed = []
    for name in sorted(sessions):
        if now - sessions[name]['seen'] > max_age:
            del sessions[name]
            removed.append(name)
    return removed`,
    cases: [
      ['s={n:{"seen":1} for n in "cab"}\nr=drop_expired(s,100,10)\n[r,len(s)]', [['a', 'b', 'c'], 0]],
      ['s={"a":{"seen":90}}\ndrop_expired(s,100,10)', []],
      ['s={"a":{"seen":89},"b":{"seen":95}}\ndrop_expired(s,100,10)\nlist(s)', ['b']],
      ['drop_expired({},1,1)', []],
    ],
  },
  {
    name: 'deep-merge',
    difficulty: 'medium',
    language: 'python',
    entry: 'merge',
    report:
      'Merging an override into the defaults changes the defaults, an override of None is ignored (it must win), and a section that is overridden by a plain value crashes.',
    buggy: `def merge(defaults, override):
    result = defaults
    for key, value in override.items():
        if isinstance(value, dict):
            result[key] = merge(result.get(key, {}), value)
        elif value is not None:
            result[key] = value
    return result`,
    fixed: `import copy

def merge(defaults, override):
    result = copy.deepcopy(defaults)
    for key, value in override.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merge(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result`,
    cases: [
      ['d={"a":{"b":1}}\nmerge(d,{"a":{"b":2}})\nd', { a: { b: 1 } }],
      ['merge({"a":1},{"a":None})', { a: null }],
      ['merge({"a":1},{"a":{"b":2}})', { a: { b: 2 } }],
      ['merge({"a":{"b":1,"c":2}},{"a":{"b":9}})', { a: { b: 9, c: 2 } }],
      ['merge({"a":{"b":1}},{"a":5})', { a: 5 }],
      ['o={"n":{"l":[1]}}\nr=merge({},o)\nr["n"]["l"].append(2)\no', { n: { l: [1] } }],
    ],
  },
  {
    name: 'lost-update',
    difficulty: 'hard',
    language: 'javascript',
    entry: 'createAccount',
    report:
      'Two withdrawals at the same time overdraw the account: both read the same balance. Operations must run one after the other in the order of the calls, and a failing one must not block those after it. load and store are asynchronous.',
    buggy: `function createAccount(load, store) {
  return {
    async deposit(amount) {
      const balance = await load()
      await store(balance + amount)
      return balance + amount
    },
    async withdraw(amount) {
      const balance = await load()
      if (balance < amount) throw new Error('insufficient funds')
      await store(balance - amount)
      return balance - amount
    },
  }
}`,
    fixed: `function createAccount(load, store) {
  let last = Promise.resolve()
  const inTurn = work => {
    const next = last.then(work)
    last = next.catch(() => {})
    return next
  }
  return {
    deposit: amount =>
      inTurn(async () => {
        const balance = await load()
        await store(balance + amount)
        return balance + amount
      }),
    withdraw: amount =>
      inTurn(async () => {
        const balance = await load()
        if (balance < amount) throw new Error('insufficient funds')
        await store(balance - amount)
        return balance - amount
      }),
  }
}`,
    cases: [
      [
        'const bank=(b)=>({get:()=>b,a:createAccount(async()=>{const v=b;await new Promise(r=>setTimeout(r,5));return v},async v=>{await new Promise(r=>setTimeout(r,5));b=v})}); (async()=>{const k=bank(100);const r=await Promise.allSettled([k.a.withdraw(80),k.a.withdraw(80)]);return [r.map(x=>x.status),k.get()]})()',
        [['fulfilled', 'rejected'], 20],
      ],
      [
        '(async()=>{let b=0;const a=createAccount(async()=>b,async v=>{b=v});const r=await Promise.all([a.deposit(5),a.deposit(7)]);return [r,b]})()',
        [[5, 12], 12],
      ],
      [
        '(async()=>{let b=0;const a=createAccount(async()=>b,async v=>{b=v});let m;try{await a.withdraw(1)}catch(e){m=e.message}await a.deposit(3);return [m,await a.withdraw(2)]})()',
        ['insufficient funds', 1],
      ],
    ],
  },
  {
    name: 'streaming-decoder',
    difficulty: 'hard',
    language: 'javascript',
    entry: 'createLineSplitter',
    report:
      'Lines that are cut between two chunks come out as two lines, a \\r\\n that is cut in the middle gives an empty line, and the text after the last line end is lost at the end (finish() should emit it unless it is empty).',
    buggy: `function createLineSplitter(onLine) {
  return {
    push(chunk) {
      for (const line of chunk.split(/\\r\\n|\\n|\\r/)) onLine(line)
    },
    finish() {},
  }
}`,
    fixed: `function createLineSplitter(onLine) {
  let rest = ''
  let sawReturn = false
  return {
    push(chunk) {
      for (const letter of chunk) {
        if (letter === '\\n' && sawReturn) {
          sawReturn = false
          continue
        }
        sawReturn = letter === '\\r'
        if (letter === '\\n' || letter === '\\r') {
          onLine(rest)
          rest = ''
        } else rest += letter
      }
    },
    finish() {
      if (rest !== '') onLine(rest)
      rest = ''
    },
  }
}`,
    cases: [
      [
        'globalThis.run=(...c)=>{const o=[];const s=createLineSplitter(l=>o.push(l));c.forEach(x=>s.push(x));s.finish();return o}; run("ab","c\\nd")',
        ['abc', 'd'],
      ],
      ['run("a\\r","\\nb\\r\\n")', ['a', 'b']],
      ['run("a\\n\\nb\\n")', ['a', '', 'b']],
      ['run("a\\rb")', ['a', 'b']],
      ['run()', []],
      ['run("x\\r\\n","\\r\\n")', ['x', '']],
    ],
  },
  {
    name: 'topology-depth',
    difficulty: 'hard',
    language: 'python',
    entry: 'schedule',
    report:
      'schedule(tasks) should give each task its earliest start, where tasks maps a name to (duration, [names it waits for]). Tasks that wait for several others start too early when the longest is not the last in the list, it takes for ever on deep shared dependencies (40 layers of two tasks each), and a cycle must raise ValueError instead of overflowing the stack.',
    buggy: `def schedule(tasks):
    def start(name):
        begin = 0
        for other in tasks[name][1]:
            begin = start(other) + tasks[other][0]
        return begin
    return {name: start(name) for name in tasks}`,
    fixed: `def schedule(tasks):
    starts, open_names = {}, set()
    def start(name):
        if name in starts:
            return starts[name]
        if name in open_names:
            raise ValueError('cycle at ' + name)
        open_names.add(name)
        starts[name] = max((start(other) + tasks[other][0] for other in tasks[name][1]), default=0)
        open_names.discard(name)
        return starts[name]
    return {name: start(name) for name in tasks}`,
    cases: [
      ['schedule({"a":(5,[]),"b":(2,[]),"c":(1,["a","b"])})', { a: 0, b: 0, c: 5 }],
      ['schedule({"a":(1,["b"]),"b":(1,["a"])})', new Raises('ValueError')],
      [
        't={}\nfor i in range(40):\n  deps=["x%d"%(i-1),"y%d"%(i-1)] if i else []\n  t["x%d"%i]=(1,deps)\n  t["y%d"%i]=(1,deps)\nschedule(t)["x39"]',
        39,
      ],
      ['schedule({})', {}],
    ],
  },
  {
    name: 'cache-expiry',
    difficulty: 'hard',
    language: 'python',
    entry: 'TtlCache',
    report:
      'get refreshes nothing but returns values past their time; setting a key again keeps the old expiry; the size bound counts expired entries and throws out live ones; when all are live the entry that expires first should go.',
    buggy: `class TtlCache:
    def __init__(self, capacity, ttl, clock):
        self.capacity, self.ttl, self.clock = capacity, ttl, clock
        self.values, self.expires = {}, {}

    def set(self, key, value):
        if len(self.values) >= self.capacity:
            oldest = next(iter(self.values))
            del self.values[oldest]
        self.values[key] = value
        self.expires.setdefault(key, self.clock() + self.ttl)

    def get(self, key, default=None):
        if key in self.values and self.expires[key] >= self.clock() - self.ttl:
            return self.values[key]
        return default`,
    fixed: `class TtlCache:
    def __init__(self, capacity, ttl, clock):
        self.capacity, self.ttl, self.clock = capacity, ttl, clock
        self.values, self.expires = {}, {}

    def _remove(self, key):
        self.values.pop(key, None)
        self.expires.pop(key, None)

    def set(self, key, value):
        now = self.clock()
        self._remove(key)
        for name in [n for n, at in self.expires.items() if at <= now]:
            self._remove(name)
        if len(self.values) >= self.capacity:
            self._remove(min(self.expires, key=self.expires.get))
        self.values[key] = value
        self.expires[key] = now + self.ttl

    def get(self, key, default=None):
        if key in self.values and self.clock() < self.expires[key]:
            return self.values[key]
        return default`,
    cases: [
      ['t=[0]\nc=TtlCache(2,10,lambda:t[0])\nc.set("a",1)\nt[0]=10\nc.get("a","gone")', 'gone'],
      ['t=[0]\nc=TtlCache(2,10,lambda:t[0])\nc.set("a",1)\nt[0]=9\nc.get("a")', 1],
      ['t=[0]\nc=TtlCache(2,10,lambda:t[0])\nc.set("a",1)\nt[0]=8\nc.set("a",2)\nt[0]=15\nc.get("a")', 2],
      [
        't=[0]\nc=TtlCache(2,10,lambda:t[0])\nc.set("a",1)\nt[0]=6\nc.set("b",2)\nt[0]=11\nc.set("c",3)\n[c.get("a"),c.get("b"),c.get("c")]',
        [null, 2, 3],
      ],
      [
        't=[0]\nc=TtlCache(2,10,lambda:t[0])\nc.set("a",1)\nt[0]=1\nc.set("b",2)\nt[0]=2\nc.set("a",9)\nt[0]=3\nc.set("c",3)\n[c.get("a"),c.get("b"),c.get("c")]',
        [9, null, 3],
      ],
      ['t=[0]\nc=TtlCache(1,10,lambda:t[0])\nc.set("a",1)\nc.set("a",2)\nc.get("a")', 2],
    ],
  },
]

export const bugFixing: Suite = {
  name: 'bug-fixing',
  title: 'Bug fixing, judged by hidden tests',
  version: 1,
  maxOutputTokens: 4_096,
  tasks: bugs.map(({ name, difficulty, language, entry, report, buggy, fixed, cases }): Task => ({
    id: `bug-fixing/${name}`,
    difficulty,
    ask: prompt(
      `This code has bugs.\n\n\`\`\`${language}\n${buggy}\n\`\`\`\n\nWhat was reported: ${report}\n\nFix it without changing its interface. Reply with the whole corrected code in one fenced block.`,
    ),
    check: (reply, sandbox, signal) =>
      passesCases(solutionFrom(reply, language, entry), language, cases, sandbox, signal),
    reference: fenced(language, fixed),
    wrong: fenced(language, buggy),
  })),
}
