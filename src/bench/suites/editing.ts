import { applyDiff, applySearchReplace, changedLines } from '../patch.ts'
import { passesCases, Raises, type Case, type CodeLanguage } from './code.ts'
import { prompt, text, verdict, type Difficulty, type Suite, type Task } from './suite.ts'

interface Source {
  language: CodeLanguage
  code: string
}

interface Edit {
  name: string
  difficulty: Difficulty
  format: 'search/replace' | 'diff'
  source: Source
  wanted: string
  cases: readonly Case[]
  /** Maximum lines added and removed: an edit is not a rewrite. */
  lines: number
  /** [from, to] pieces of the source, which become an answer in the format. */
  reference: readonly (readonly [string, string])[]
  wrong: readonly (readonly [string, string])[]
}

const cart: Source = {
  language: 'javascript',
  code: `const TAX = 0.2

class Cart {
  constructor() {
    this.lines = []
  }

  add(name, price, quantity = 1) {
    this.lines.push({ name, price, quantity })
    return this
  }

  remove(name) {
    this.lines = this.lines.filter(line => line.name !== name)
    return this
  }

  get subtotal() {
    let sum = 0
    for (const line of this.lines) {
      sum += line.price * line.quantity
    }
    return sum
  }

  get total() {
    const sum = this.subtotal
    return sum + sum * TAX
  }

  toString() {
    return this.lines.map(line => line.quantity + ' x ' + line.name).join(', ')
  }
}
`,
}

const router: Source = {
  language: 'javascript',
  code: `function createRouter() {
  const routes = []

  function add(method, path, handler) {
    const names = []
    const pattern = path.replace(/:(\\w+)/g, (_, name) => {
      names.push(name)
      return '([^/]+)'
    })
    routes.push({ method, pattern: new RegExp('^' + pattern + '$'), names, handler })
  }

  function match(method, url) {
    for (const route of routes) {
      const found = route.pattern.exec(url)
      if (found === null) continue
      if (route.method !== method) continue
      const params = {}
      route.names.forEach((name, index) => {
        params[name] = found[index + 1]
      })
      return { handler: route.handler, params }
    }
    return null
  }

  return {
    get: (path, handler) => add('GET', path, handler),
    post: (path, handler) => add('POST', path, handler),
    match,
  }
}
`,
}

const inventory: Source = {
  language: 'python',
  code: `class OutOfStock(Exception):
    pass


class Inventory:
    def __init__(self):
        self._stock = {}
        self._reserved = {}

    def receive(self, sku, amount):
        self._stock[sku] = self._stock.get(sku, 0) + amount

    def available(self, sku):
        return self._stock.get(sku, 0) - self._reserved.get(sku, 0)

    def reserve(self, sku, amount):
        if self.available(sku) < amount:
            raise OutOfStock(sku)
        self._reserved[sku] = self._reserved.get(sku, 0) + amount

    def ship(self, sku, amount):
        self._reserved[sku] -= amount
        self._stock[sku] -= amount

    def report(self):
        lines = []
        for sku in self._stock:
            lines.append(f'{sku}: {self.available(sku)}')
        return '\\n'.join(lines)
`,
}

const parser: Source = {
  language: 'python',
  code: `import re

TOKEN = re.compile(r'\\s*(?:(\\d+)|(\\w+)|(.))')


def tokenize(text):
    tokens = []
    for number, name, symbol in TOKEN.findall(text):
        if number:
            tokens.append(('number', int(number)))
        elif name:
            tokens.append(('name', name))
        elif symbol.strip():
            tokens.append(('symbol', symbol))
    return tokens


def evaluate(text, variables):
    total = 0
    sign = 1
    for kind, value in tokenize(text):
        if kind == 'symbol':
            sign = -1 if value == '-' else 1
        elif kind == 'number':
            total += sign * value
        else:
            total += sign * variables[value]
    return total
`,
}

const edits: readonly Edit[] = [
  {
    name: 'change-constant',
    difficulty: 'easy',
    format: 'search/replace',
    source: cart,
    wanted: 'Raise the tax to 25 %.',
    cases: [
      ['new Cart().add("a",10).total', 12.5],
      ['new Cart().add("a",10,2).subtotal', 20],
    ],
    lines: 2,
    reference: [['const TAX = 0.2\n', 'const TAX = 0.25\n']],
    wrong: [['const TAX = 0.2\n', 'const TAX = 25\n']],
  },
  {
    name: 'rename-method',
    difficulty: 'easy',
    format: 'diff',
    source: cart,
    wanted: 'Rename the method remove to removeAll; nothing else changes.',
    cases: [
      ['new Cart().add("a",1).removeAll("a").subtotal', 0],
      ['typeof new Cart().remove', 'undefined'],
    ],
    lines: 2,
    reference: [['  remove(name) {\n', '  removeAll(name) {\n']],
    wrong: [['  remove(name) {\n', '  removeAll(name) {\n    return this.remove(name)\n  }\n\n  remove(name) {\n']],
  },
  {
    name: 'add-put',
    difficulty: 'easy',
    format: 'search/replace',
    source: router,
    wanted: 'The router should also have put(path, handler) and delete(path, handler), for the methods PUT and DELETE.',
    cases: [
      [
        '{const r=createRouter();r.put("/a",1);r.delete("/a",2);[r.match("PUT","/a").handler,r.match("DELETE","/a").handler,r.match("GET","/a")]}',
        [1, 2, null],
      ],
      ['{const r=createRouter();r.get("/a/:id",1);r.match("GET","/a/7").params}', { id: '7' }],
    ],
    lines: 4,
    reference: [
      [
        "    post: (path, handler) => add('POST', path, handler),\n",
        "    post: (path, handler) => add('POST', path, handler),\n    put: (path, handler) => add('PUT', path, handler),\n    delete: (path, handler) => add('DELETE', path, handler),\n",
      ],
    ],
    wrong: [
      [
        "    post: (path, handler) => add('POST', path, handler),\n",
        "    post: (path, handler) => add('POST', path, handler),\n    put: (path, handler) => add('POST', path, handler),\n    delete: (path, handler) => add('DELETE', path, handler),\n",
      ],
    ],
  },
  {
    name: 'sort-report',
    difficulty: 'easy',
    format: 'diff',
    source: inventory,
    wanted: 'report() should list the SKUs in alphabetical order.',
    cases: [['i=Inventory()\ni.receive("b",1)\ni.receive("a",2)\ni.report()', 'a: 2\nb: 1']],
    lines: 2,
    reference: [['        for sku in self._stock:\n', '        for sku in sorted(self._stock):\n']],
    wrong: [["        return '\\n'.join(lines)\n", "        return '\\n'.join(sorted(lines, key=len))\n"]],
  },
  {
    name: 'error-message',
    difficulty: 'easy',
    format: 'search/replace',
    source: inventory,
    wanted:
      'The message of OutOfStock should say what is there: for SKU x with 2 available and 5 wanted exactly "x: 2 available, 5 wanted".',
    cases: [
      [
        'i=Inventory()\ni.receive("x",2)\ndef m():\n  try: i.reserve("x",5)\n  except OutOfStock as e: return str(e)\nm()',
        'x: 2 available, 5 wanted',
      ],
      ['i=Inventory()\ni.receive("x",2)\ni.reserve("x",2)\ni.available("x")', 0],
    ],
    lines: 2,
    reference: [
      [
        '            raise OutOfStock(sku)\n',
        "            raise OutOfStock(f'{sku}: {self.available(sku)} available, {amount} wanted')\n",
      ],
    ],
    wrong: [
      [
        '            raise OutOfStock(sku)\n',
        "            raise OutOfStock(f'{sku}: {self._stock[sku]} available, {amount} needed')\n",
      ],
    ],
  },
  {
    name: 'merge-lines',
    difficulty: 'medium',
    format: 'search/replace',
    source: cart,
    wanted:
      'Adding a name that is already in the cart at the same price should raise the quantity of its line instead of adding another; at another price it stays a line of its own.',
    cases: [
      ['new Cart().add("a",2).add("a",2,3).toString()', '4 x a'],
      ['new Cart().add("a",2).add("a",3).lines.length', 2],
      ['new Cart().add("a",2).add("b",2).toString()', '1 x a, 1 x b'],
      ['new Cart().add("a",2) instanceof Cart && new Cart().add("a",2).add("a",2) instanceof Cart', true],
    ],
    lines: 12,
    reference: [
      [
        '    this.lines.push({ name, price, quantity })\n',
        '    const line = this.lines.find(line => line.name === name && line.price === price)\n    if (line) line.quantity += quantity\n    else this.lines.push({ name, price, quantity })\n',
      ],
    ],
    wrong: [
      [
        '    this.lines.push({ name, price, quantity })\n',
        '    const line = this.lines.find(line => line.name === name)\n    if (line) line.quantity += quantity\n    else this.lines.push({ name, price, quantity })\n',
      ],
    ],
  },
  {
    name: 'round-total',
    difficulty: 'medium',
    format: 'diff',
    source: cart,
    wanted:
      'total must be rounded to whole cents, half a cent up, without errors of binary fractions: a subtotal of 0.9 gives exactly 1.08 and one of 1.0125 gives 1.22 (1.215 rounded up). subtotal stays as it is.',
    cases: [
      ['new Cart().add("a",0.1,9).total', 1.08],
      ['new Cart().add("a",1.0125).total', 1.22],
      ['new Cart().total', 0],
      ['new Cart().add("a",1.006).subtotal', 1.006],
    ],
    lines: 4,
    reference: [
      ['    return sum + sum * TAX\n', '    return Math.round(Number(((sum + sum * TAX) * 100).toFixed(6))) / 100\n'],
    ],
    wrong: [['    return sum + sum * TAX\n', '    return Math.floor((sum + sum * TAX) * 100) / 100\n']],
  },
  {
    name: 'lenient-route',
    difficulty: 'medium',
    format: 'search/replace',
    source: router,
    wanted:
      'A trailing slash in the URL should not matter ("/users/" matches the route "/users"), nor a query string ("/users?page=2"). Parameters are percent-decoded. The root "/" still matches "/".',
    cases: [
      [
        '{const r=createRouter();r.get("/users",1);[r.match("GET","/users/").handler,r.match("GET","/users?page=2").handler,r.match("GET","/users/?a=1").handler]}',
        [1, 1, 1],
      ],
      [
        '{const r=createRouter();r.get("/",1);r.get("/u/:id",2);[r.match("GET","/").handler,r.match("GET","/?x").handler,r.match("GET","/u/a%20b").params.id]}',
        [1, 1, 'a b'],
      ],
      ['{const r=createRouter();r.get("/u/:id",2);[r.match("GET","/u/"),r.match("GET","/u/1/2")]}', [null, null]],
    ],
    lines: 10,
    reference: [
      [
        '      const found = route.pattern.exec(url)\n',
        "      const found = route.pattern.exec(url.split('?')[0].replace(/(.)\\/$/, '$1'))\n",
      ],
      ['        params[name] = found[index + 1]\n', '        params[name] = decodeURIComponent(found[index + 1])\n'],
    ],
    wrong: [
      ['      const found = route.pattern.exec(url)\n', "      const found = route.pattern.exec(url.split('?')[0])\n"],
    ],
  },
  {
    name: 'guard-amount',
    difficulty: 'medium',
    format: 'diff',
    source: inventory,
    wanted: 'receive, reserve and ship must raise ValueError when amount is not above zero, before anything changes.',
    cases: [
      ['i=Inventory()\ni.receive("x",0)', new Raises('ValueError')],
      ['i=Inventory()\ni.receive("x",5)\ni.reserve("x",-1)', new Raises('ValueError')],
      ['i=Inventory()\ni.receive("x",5)\ni.reserve("x",2)\ni.ship("x",-2)', new Raises('ValueError')],
      ['i=Inventory()\ni.receive("x",5)\ni.reserve("x",2)\ni.ship("x",2)\ni.available("x")', 3],
    ],
    lines: 14,
    reference: [
      [
        '    def receive(self, sku, amount):\n',
        '    def _check(self, amount):\n        if amount <= 0:\n            raise ValueError(amount)\n\n    def receive(self, sku, amount):\n        self._check(amount)\n',
      ],
      ['    def reserve(self, sku, amount):\n', '    def reserve(self, sku, amount):\n        self._check(amount)\n'],
      ['    def ship(self, sku, amount):\n', '    def ship(self, sku, amount):\n        self._check(amount)\n'],
    ],
    wrong: [
      [
        '    def receive(self, sku, amount):\n',
        '    def receive(self, sku, amount):\n        if amount < 0:\n            raise ValueError(amount)\n',
      ],
      [
        '    def reserve(self, sku, amount):\n',
        '    def reserve(self, sku, amount):\n        if amount < 0:\n            raise ValueError(amount)\n',
      ],
    ],
  },
  {
    name: 'decimal-numbers',
    difficulty: 'medium',
    format: 'search/replace',
    source: parser,
    wanted:
      'The tokenizer should read decimal numbers such as 1.5 as one number token with a float value; whole numbers stay int.',
    cases: [
      [
        'tokenize("1.5+2")',
        [
          ['number', 1.5],
          ['symbol', '+'],
          ['number', 2],
        ],
      ],
      ['type(tokenize("2")[0][1]).__name__', 'int'],
      ['evaluate("0.25 + x", {"x": 1})', 1.25],
      ['evaluate("10 - 3", {})', 7],
      [
        'tokenize("a.b")',
        [
          ['name', 'a'],
          ['symbol', '.'],
          ['name', 'b'],
        ],
      ],
    ],
    lines: 6,
    reference: [
      [
        "TOKEN = re.compile(r'\\s*(?:(\\d+)|(\\w+)|(.))')\n",
        "TOKEN = re.compile(r'\\s*(?:(\\d+(?:\\.\\d+)?)|(\\w+)|(.))')\n",
      ],
      [
        "            tokens.append(('number', int(number)))\n",
        "            tokens.append(('number', float(number) if '.' in number else int(number)))\n",
      ],
    ],
    wrong: [
      ["TOKEN = re.compile(r'\\s*(?:(\\d+)|(\\w+)|(.))')\n", "TOKEN = re.compile(r'\\s*(?:([\\d.]+)|(\\w+)|(.))')\n"],
      [
        "            tokens.append(('number', int(number)))\n",
        "            tokens.append(('number', float(number)))\n",
      ],
    ],
  },
  {
    name: 'method-not-allowed',
    difficulty: 'medium',
    format: 'diff',
    source: router,
    wanted:
      'When a path exists but only for other methods, match should return { allowed: [...] } with the methods it exists for, in the order in which they were added and without repetition; an unknown path still gives null.',
    cases: [
      [
        '{const r=createRouter();r.get("/a",1);r.post("/a",2);r.get("/a",3);r.match("PUT","/a")}',
        { allowed: ['GET', 'POST'] },
      ],
      ['{const r=createRouter();r.get("/a",1);[r.match("GET","/b"),r.match("GET","/a").handler]}', [null, 1]],
      ['{const r=createRouter();r.post("/:x",1);r.get("/a",2);r.match("GET","/a").handler}', 2],
    ],
    lines: 12,
    reference: [
      ['    for (const route of routes) {\n', '    const allowed = new Set()\n    for (const route of routes) {\n'],
      [
        '      if (route.method !== method) continue\n',
        '      allowed.add(route.method)\n      if (route.method !== method) continue\n',
      ],
      ['    return null\n', '    return allowed.size > 0 ? { allowed: [...allowed] } : null\n'],
    ],
    wrong: [
      [
        '      if (route.method !== method) continue\n',
        '      if (route.method !== method) return { allowed: [route.method] }\n',
      ],
    ],
  },
  {
    name: 'coupon',
    difficulty: 'hard',
    format: 'search/replace',
    source: cart,
    wanted:
      'Add a method coupon(percent, minimum = 0) that returns the cart. The best coupon whose minimum the subtotal reaches (at the time total is read) takes its percentage off before tax; coupons do not add up. A percent outside 0–100 throws a RangeError. subtotal is not affected.',
    cases: [
      ['new Cart().add("a",100).coupon(10).total', 108],
      ['new Cart().coupon(50,200).coupon(10).add("a",100).total', 108],
      ['new Cart().coupon(50,200).coupon(10).add("a",100,2).total', 120],
      ['new Cart().add("a",100).coupon(10).subtotal', 100],
      ['new Cart().coupon(101)', new Raises('RangeError')],
      ['new Cart().coupon(-1)', new Raises('RangeError')],
      ['new Cart().add("a",10).total', 12],
      ['new Cart().coupon(100) instanceof Cart', true],
    ],
    lines: 22,
    reference: [
      [
        '    this.lines = []\n  }\n',
        "    this.lines = []\n    this.coupons = []\n  }\n\n  coupon(percent, minimum = 0) {\n    if (!(percent >= 0 && percent <= 100)) throw new RangeError('percent')\n    this.coupons.push({ percent, minimum })\n    return this\n  }\n",
      ],
      [
        '    return sum + sum * TAX\n',
        '    const percent = Math.max(0, ...this.coupons.filter(coupon => sum >= coupon.minimum).map(coupon => coupon.percent))\n    return (sum * (100 - percent)) / 100 * (1 + TAX)\n',
      ],
    ],
    wrong: [
      [
        '    this.lines = []\n  }\n',
        "    this.lines = []\n    this.percent = 0\n  }\n\n  coupon(percent, minimum = 0) {\n    if (percent < 0 || percent > 100) throw new RangeError('percent')\n    if (this.subtotal >= minimum) this.percent = Math.max(this.percent, percent)\n    return this\n  }\n",
      ],
      ['    return sum + sum * TAX\n', '    return sum * (1 - this.percent / 100) * (1 + TAX)\n'],
    ],
  },
  {
    name: 'transaction',
    difficulty: 'hard',
    format: 'diff',
    source: inventory,
    wanted:
      'Add reserve_all(order), where order maps SKUs to amounts: either everything is reserved or, when one is short, nothing, and OutOfStock is raised with the alphabetically first SKU that is short. Also, ship must raise ValueError when more is shipped than is reserved, and change nothing then.',
    cases: [
      [
        'i=Inventory()\ni.receive("a",1)\ni.receive("b",1)\ni.reserve_all({"a":1,"b":1})\n[i.available("a"),i.available("b")]',
        [0, 0],
      ],
      [
        'i=Inventory()\ni.receive("a",1)\ndef f():\n  try: i.reserve_all({"z":1,"a":1,"b":2})\n  except OutOfStock as e: return [str(e), i.available("a")]\nf()',
        ['b', 1],
      ],
      ['i=Inventory()\ni.receive("a",5)\ni.reserve("a",1)\ni.ship("a",2)', new Raises('ValueError')],
      ['i=Inventory()\ni.ship("q",1)', new Raises('ValueError')],
      ['i=Inventory()\ni.receive("a",5)\ni.reserve("a",2)\ni.ship("a",2)\ni.report()', 'a: 3'],
    ],
    lines: 16,
    reference: [
      [
        '    def ship(self, sku, amount):\n',
        '    def reserve_all(self, order):\n        for sku in sorted(order):\n            if self.available(sku) < order[sku]:\n                raise OutOfStock(sku)\n        for sku, amount in order.items():\n            self.reserve(sku, amount)\n\n    def ship(self, sku, amount):\n        if self._reserved.get(sku, 0) < amount:\n            raise ValueError(sku)\n',
      ],
    ],
    wrong: [
      [
        '    def ship(self, sku, amount):\n',
        '    def reserve_all(self, order):\n        for sku, amount in sorted(order.items()):\n            self.reserve(sku, amount)\n\n    def ship(self, sku, amount):\n        if self._reserved.get(sku, 0) < amount:\n            raise ValueError(sku)\n',
      ],
    ],
  },
  {
    name: 'wildcards',
    difficulty: 'hard',
    format: 'search/replace',
    source: router,
    wanted:
      'Paths may end in "/*", which matches any rest (also an empty one) and gives it as params.rest without the slash: "/files/*" matches "/files", "/files/" (rest "") and "/files/a/b" (rest "a/b"). Characters of a path that mean something in regular expressions, like the dot in "/robots.txt", are literal.',
    cases: [
      [
        '{const r=createRouter();r.get("/files/*",1);["/files","/files/","/files/a/b"].map(u=>r.match("GET",u)?.params.rest)}',
        ['', '', 'a/b'],
      ],
      ['{const r=createRouter();r.get("/files/*",1);r.match("GET","/filesystem")}', null],
      [
        '{const r=createRouter();r.get("/robots.txt",1);[r.match("GET","/robotsxtxt"),r.match("GET","/robots.txt").handler]}',
        [null, 1],
      ],
      ['{const r=createRouter();r.get("/u/:id/*",1);r.match("GET","/u/7/x/y").params}', { id: '7', rest: 'x/y' }],
      ['{const r=createRouter();r.get("/a+b/:n",1);r.match("GET","/a+b/3").params}', { n: '3' }],
    ],
    lines: 16,
    reference: [
      [
        '    const pattern = path.replace(/:(\\w+)/g, (_, name) => {\n',
        "    const literal = path.replace(/\\/\\*$/, '').replace(/[.+*?^${}()|[\\]\\\\]/g, '\\\\$&')\n    let pattern = literal.replace(/:(\\w+)/g, (_, name) => {\n",
      ],
      [
        '    routes.push({ method,',
        "    if (path.endsWith('/*')) {\n      names.push('rest')\n      pattern += '(?:/(.*))?'\n    }\n    routes.push({ method,",
      ],
      ['        params[name] = found[index + 1]\n', "        params[name] = found[index + 1] ?? ''\n"],
    ],
    wrong: [
      [
        '    const pattern = path.replace(/:(\\w+)/g, (_, name) => {\n',
        "    if (path.endsWith('/*')) names.push('rest')\n    const pattern = path.replace('/*', '/(.*)').replace(/:(\\w+)/g, (_, name) => {\n",
      ],
    ],
  },
  {
    name: 'precedence',
    difficulty: 'hard',
    format: 'diff',
    source: parser,
    wanted:
      'evaluate should also know * (binding tighter than + and -) and parentheses, and a minus in front of anything: "2*(x-3)", "-(1+2)*2". Anything that is not an expression raises ValueError; an unknown name still raises KeyError. tokenize stays as it is.',
    cases: [
      ['evaluate("2+3*4", {})', 14],
      ['evaluate("2*(x-3)", {"x": 5})', 4],
      ['evaluate("-(1+2)*2", {})', -6],
      ['evaluate("10-4-3", {})', 3],
      ['evaluate("2*-3", {})', -6],
      ['evaluate("(1", {})', new Raises('ValueError')],
      ['evaluate("1 2", {})', new Raises('ValueError')],
      ['evaluate("", {})', new Raises('ValueError')],
      ['evaluate("y", {})', new Raises('KeyError')],
      [
        'tokenize("a+1")',
        [
          ['name', 'a'],
          ['symbol', '+'],
          ['number', 1],
        ],
      ],
    ],
    lines: 64,
    reference: [
      [
        `    total = 0
    sign = 1
    for kind, value in tokenize(text):
        if kind == 'symbol':
            sign = -1 if value == '-' else 1
        elif kind == 'number':
            total += sign * value
        else:
            total += sign * variables[value]
    return total
`,
        `    tokens = tokenize(text) + [('end', '')]

    def accept(*symbols):
        if tokens[0][0] == 'symbol' and tokens[0][1] in symbols:
            return tokens.pop(0)[1]

    def total():
        value = product()
        while symbol := accept('+', '-'):
            value = value + product() if symbol == '+' else value - product()
        return value

    def product():
        value = unary()
        while accept('*'):
            value *= unary()
        return value

    def unary():
        if accept('-'):
            return -unary()
        if accept('('):
            value = total()
            if not accept(')'):
                raise ValueError('a parenthesis is missing')
            return value
        kind, value = tokens.pop(0)
        if kind == 'number':
            return value
        if kind == 'name':
            return variables[value]
        raise ValueError('a value is missing')

    value = total()
    if tokens[0][0] != 'end':
        raise ValueError('unexpected ' + str(tokens[0][1]))
    return value
`,
      ],
    ],
    wrong: [
      [
        `    total = 0
    sign = 1
    for kind, value in tokenize(text):
        if kind == 'symbol':
            sign = -1 if value == '-' else 1
        elif kind == 'number':
            total += sign * value
        else:
            total += sign * variables[value]
    return total
`,
        `    try:
        return eval(text, {}, dict(variables))
    except SyntaxError:
        raise ValueError(text)
`,
      ],
    ],
  },
]

const formats = {
  'search/replace':
    'Answer with one or more blocks of this form; the text to search for must be copied exactly and occur only once in the file:\n\n<<<<<<< SEARCH\nlines as they are\n=======\nlines as they should be\n>>>>>>> REPLACE',
  diff: 'Answer with a unified diff in one fenced block, with enough context that each hunk fits in only one place. Line numbers in the @@ lines do not matter.',
} as const

function editTask({ name, difficulty, format, source, wanted, cases, lines, reference, wrong }: Edit): Task {
  return {
    id: `editing/${name}`,
    difficulty,
    ask: prompt(
      `Here is a file:\n\n\`\`\`${source.language}\n${source.code}\`\`\`\n\n${wanted}\n\nChange no more than needed; do not repeat the whole file. ${formats[format]}`,
    ),
    check: async (reply, sandbox, signal) => {
      const apply = format === 'diff' ? applyDiff : applySearchReplace
      const patched = apply(source.code, reply.content ?? '')
      if (patched.problem !== undefined) return verdict(patched.problem)
      const changed = changedLines(source.code, patched.text)
      if (changed > lines) return verdict(`${changed} lines changed where ${lines} are enough`)
      return passesCases(patched.text, source.language, cases, sandbox, signal)
    },
    reference: text(written(format, source.code, reference)),
    wrong: text(written(format, source.code, wrong)),
  }
}

/** An edit as a model would write it. */
function written(format: Edit['format'], code: string, pieces: Edit['reference']): string {
  const blocks = pieces.map(([from, to]) => {
    // Both formats require complete lines.
    const start = code.lastIndexOf('\n', code.indexOf(from) - 1) + 1
    const end = code.indexOf('\n', code.indexOf(from) + from.length - 1) + 1
    const before = code.slice(start, end)
    const after = before.replace(from, () => to)
    if (format === 'search/replace') return `<<<<<<< SEARCH\n${before}=======\n${after}>>>>>>> REPLACE`
    const signed = (text: string, sign: string) => text.replace(/^(?=[^]*)/gm, sign).slice(0, -1)
    return `@@ -1 +1 @@\n${signed(before, '-')}${signed(after, '+')}`.trimEnd()
  })
  return format === 'diff' ? `\`\`\`diff\n--- a/file\n+++ b/file\n${blocks.join('\n')}\n\`\`\`` : blocks.join('\n\n')
}

export const editing: Suite = {
  name: 'editing',
  title: 'Editing files by search/replace and diff',
  version: 1,
  maxOutputTokens: 4_096,
  tasks: edits.map(editTask),
}
