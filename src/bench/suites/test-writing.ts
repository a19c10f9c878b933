import { solutionFrom, type CodeLanguage } from './code.ts'
import { fenced } from './code-generation.ts'
import { prompt, verdict, type Difficulty, type Suite, type Task } from './suite.ts'

interface Subject {
  name: string
  difficulty: Difficulty
  language: CodeLanguage
  /** The documented behaviour that tests may rely on. */
  contract: string
  code: string
  /** Text replacements in the code, each giving a mutant that the tests must detect. */
  mutants: readonly (readonly [from: string, to: string])[]
  reference: string
  /** Tests that pass on the code but miss a mutant. */
  wrong: string
}

const subjects: readonly Subject[] = [
  {
    name: 'clamp',
    difficulty: 'easy',
    language: 'javascript',
    contract:
      'clamp(value, low, high) gives value, but at least low and at most high. It throws a RangeError when low > high.',
    code: `function clamp(value, low, high) {
  if (low > high) throw new RangeError('low is above high')
  return Math.min(Math.max(value, low), high)
}`,
    mutants: [
      ['low > high', 'low >= high'],
      ['if (low > high) throw', 'if (false) throw'],
      ['Math.max(value, low)', 'value'],
      ['Math.min(Math.max(value, low), high)', 'Math.max(value, low)'],
    ],
    reference: `test('inside', () => assert.equal(clamp(5, 1, 9), 5))
test('below', () => assert.equal(clamp(-3, 1, 9), 1))
test('above', () => assert.equal(clamp(30, 1, 9), 9))
test('a single value', () => assert.equal(clamp(7, 2, 2), 2))
test('crossed', () => assert.throws(() => clamp(1, 3, 2), RangeError))`,
    wrong: `test('inside', () => assert.equal(clamp(5, 1, 9), 5))
test('below', () => assert.equal(clamp(-3, 1, 9), 1))
test('above', () => assert.equal(clamp(30, 1, 9), 9))`,
  },
  {
    name: 'initials',
    difficulty: 'easy',
    language: 'python',
    contract:
      'initials(name) gives the upper-case first letters of the words of a name, each followed by a dot; words are separated by any number of spaces or hyphens. An empty name gives "".',
    code: `import re

def initials(name):
    return ''.join(word[0].upper() + '.' for word in re.split(r'[ -]+', name) if word)`,
    mutants: [
      ['.upper()', ''],
      ['[ -]+', '[ ]+'],
      [' if word', ''],
      ["+ '.'", ''],
    ],
    reference: `def test_plain():
    assert initials('Ada Lovelace') == 'A.L.'

def test_lower():
    assert initials('ada') == 'A.'

def test_hyphen():
    assert initials('Jean-Luc  Picard') == 'J.L.P.'

def test_empty():
    assert initials('') == ''
    assert initials(' x ') == 'X.'`,
    wrong: `def test_plain():
    assert initials('Ada Lovelace') == 'A.L.'

def test_one():
    assert initials('Ada') == 'A.'`,
  },
  {
    name: 'discount',
    difficulty: 'easy',
    language: 'javascript',
    contract:
      'discount(total): 10 % off from 100 on, 20 % off from 500 on; a negative total throws a RangeError. It returns what is to be paid.',
    code: `function discount(total) {
  if (total < 0) throw new RangeError('negative')
  if (total >= 500) return total * 0.8
  if (total >= 100) return total * 0.9
  return total
}`,
    mutants: [
      ['total >= 500', 'total > 500'],
      ['total >= 100', 'total > 100'],
      ['total < 0', 'total <= 0'],
      ['total * 0.8', 'total * 0.9'],
      ['if (total < 0) throw', 'if (false) throw'],
    ],
    reference: `test('steps', () => {
  assert.equal(discount(0), 0)
  assert.equal(discount(99), 99)
  assert.equal(discount(100), 90)
  assert.ok(Math.abs(discount(499) - 449.1) < 1e-9)
  assert.equal(discount(500), 400)
  assert.throws(() => discount(-1), RangeError)
})`,
    wrong: `test('steps', () => {
  assert.equal(discount(50), 50)
  assert.equal(discount(200), 180)
  assert.equal(discount(1000), 800)
  assert.throws(() => discount(-1))
})`,
  },
  {
    name: 'leap-year',
    difficulty: 'easy',
    language: 'python',
    contract:
      'is_leap(year): whether a year of the Gregorian calendar has 366 days. Years before 1583 raise ValueError.',
    code: `def is_leap(year):
    if year < 1583:
        raise ValueError('before the Gregorian calendar')
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)`,
    mutants: [
      [' and (year % 100 != 0 or year % 400 == 0)', ''],
      [' or year % 400 == 0', ''],
      ['year < 1583', 'year < 0'],
      ['year < 1583', 'year <= 1583'],
      ['year % 4 == 0', 'year % 2 == 0'],
    ],
    reference: `import pytest

def test_rules():
    assert is_leap(2024)
    assert not is_leap(2023)
    assert not is_leap(2022)
    assert not is_leap(1900)
    assert is_leap(2000)

def test_range():
    assert not is_leap(1583)
    with pytest.raises(ValueError):
        is_leap(1582)`,
    wrong: `def test_rules():
    assert is_leap(2024)
    assert not is_leap(2023)
    assert not is_leap(1900)
    assert is_leap(2000)`,
  },
  {
    name: 'truncate',
    difficulty: 'easy',
    language: 'javascript',
    contract:
      'truncate(text, length): text unchanged when it has at most length characters, else its first length - 1 characters without trailing spaces, and "…".',
    code: `function truncate(text, length) {
  if (text.length <= length) return text
  return text.slice(0, length - 1).trimEnd() + '…'
}`,
    mutants: [
      ['<= length', '< length'],
      ['length - 1', 'length'],
      ['.trimEnd()', ''],
      ["+ '…'", "+ '...'"],
    ],
    reference: `test('truncate', () => {
  assert.equal(truncate('abc', 3), 'abc')
  assert.equal(truncate('abcd', 3), 'ab…')
  assert.equal(truncate('ab cd', 4), 'ab…')
  assert.equal(truncate('', 2), '')
})`,
    wrong: `test('truncate', () => {
  assert.equal(truncate('ab', 3), 'ab')
  assert.equal(truncate('abcd', 3), 'ab…')
  assert.equal(truncate('', 2), '')
})`,
  },
  {
    name: 'merge-sorted',
    difficulty: 'medium',
    language: 'javascript',
    contract:
      'mergeSorted(a, b) merges two arrays of { key, value } sorted by key into a new sorted array; of equal keys those of a come first. The arguments are not changed.',
    code: `function mergeSorted(a, b) {
  const out = []
  let i = 0, j = 0
  while (i < a.length && j < b.length) out.push(b[j].key < a[i].key ? b[j++] : a[i++])
  return out.concat(a.slice(i), b.slice(j))
}`,
    mutants: [
      ['b[j].key < a[i].key', 'b[j].key <= a[i].key'],
      [', b.slice(j)', ''],
      ['a.slice(i), ', ''],
      ['b[j].key < a[i].key', 'b[j].key > a[i].key'],
      ['return out.concat(a.slice(i), b.slice(j))', 'return out.concat(a.splice(i), b.splice(j))'],
    ],
    reference: `const k = (key, value) => ({ key, value })
test('merges', () => {
  assert.deepEqual(mergeSorted([k(1), k(4)], [k(2), k(3)]).map(x => x.key), [1, 2, 3, 4])
  assert.deepEqual(mergeSorted([k(1), k(2)], [k(3)]).map(x => x.key), [1, 2, 3])
  assert.deepEqual(mergeSorted([k(3), k(5)], [k(1)]).map(x => x.key), [1, 3, 5])
  assert.deepEqual(mergeSorted([], []), [])
})
test('is stable', () => assert.deepEqual(mergeSorted([k(1, 'a')], [k(1, 'b')]).map(x => x.value), ['a', 'b']))
test('leaves its arguments', () => {
  const a = [k(1), k(9)], b = [k(5), k(12)]
  mergeSorted(a, b)
  assert.equal(a.length, 2)
  assert.equal(b.length, 2)
})`,
    wrong: `const k = key => ({ key })
test('merges', () => {
  assert.deepEqual(mergeSorted([k(1), k(4)], [k(2), k(3)]).map(x => x.key), [1, 2, 3, 4])
  assert.deepEqual(mergeSorted([k(1), k(2)], [k(3)]).map(x => x.key), [1, 2, 3])
  assert.deepEqual(mergeSorted([], []), [])
})`,
  },
  {
    name: 'parse-bool',
    difficulty: 'medium',
    language: 'python',
    contract:
      'parse_bool(text, default=None): True for "1", "true", "yes", "on", False for "0", "false", "no", "off", without regard to case and surrounding spaces. Empty or None gives default; anything else raises ValueError.',
    code: `def parse_bool(text, default=None):
    if text is None or text.strip() == '':
        return default
    word = text.strip().lower()
    if word in ('1', 'true', 'yes', 'on'):
        return True
    if word in ('0', 'false', 'no', 'off'):
        return False
    raise ValueError(text)`,
    mutants: [
      ["text is None or text.strip() == ''", "text is None or text == ''"],
      ['.strip().lower()', '.lower()'],
      ['.strip().lower()', '.strip()'],
      ["'yes', 'on'", "'yes'"],
      ['    raise ValueError(text)', '    return False'],
      ['return default', 'return None'],
      ["'no', 'off'", "'no'"],
    ],
    reference: `import pytest

def test_words():
    for word in ['1', 'true', 'yes', 'on', 'TRUE', ' On ']:
        assert parse_bool(word) is True
    for word in ['0', 'false', 'no', 'off', 'False', ' off']:
        assert parse_bool(word) is False

def test_default():
    assert parse_bool('') is None
    assert parse_bool('  ', True) is True
    assert parse_bool(None, False) is False

def test_other():
    with pytest.raises(ValueError):
        parse_bool('maybe')`,
    wrong: `import pytest

def test_words():
    assert parse_bool('true') is True
    assert parse_bool('NO') is False
    assert parse_bool('') is None
    with pytest.raises(ValueError):
        parse_bool('maybe')`,
  },
  {
    name: 'unique-by',
    difficulty: 'medium',
    language: 'javascript',
    contract:
      'uniqueBy(items, keyOf) keeps the first item of each key, in order. Keys are compared like Map keys (1 and "1" differ, NaN equals NaN). keyOf gets item and index.',
    code: `function uniqueBy(items, keyOf) {
  const seen = new Set()
  return items.filter((item, index) => {
    const key = keyOf(item, index)
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}`,
    mutants: [
      ['keyOf(item, index)', 'keyOf(item)'],
      ['const key = keyOf(item, index)', 'const key = String(keyOf(item, index))'],
      ['if (seen.has(key)) return false', 'if (seen.has(key)) return true'],
      [
        'const seen = new Set()',
        'const seen = { list: [], has(k) { return this.list.includes(k) }, add(k) { this.list = [k] } }',
      ],
      ['items.filter(', 'items.toReversed().filter('],
    ],
    reference: `test('keeps the first', () => assert.deepEqual(uniqueBy([{ a: 1, n: 1 }, { a: 2, n: 2 }, { a: 1, n: 3 }], x => x.a).map(x => x.n), [1, 2]))
test('types differ', () => assert.deepEqual(uniqueBy([1, '1', NaN, NaN], x => x).length, 3))
test('index', () => assert.deepEqual(uniqueBy(['a', 'b', 'c'], (_, i) => i % 2), ['a', 'b']))
test('empty', () => assert.deepEqual(uniqueBy([], x => x), []))`,
    wrong: `test('keeps the first', () => assert.deepEqual(uniqueBy([1, 2, 1], x => x), [1, 2]))
test('empty', () => assert.deepEqual(uniqueBy([], x => x), []))`,
  },
  {
    name: 'split-amount',
    difficulty: 'medium',
    language: 'python',
    contract:
      'split_amount(cents, people): a list of whole cents, one per person, that add up to cents and differ by at most one, larger shares first. people < 1 or cents < 0 raises ValueError.',
    code: `def split_amount(cents, people):
    if people < 1 or cents < 0:
        raise ValueError('cannot split')
    each, extra = divmod(cents, people)
    return [each + 1] * extra + [each] * (people - extra)`,
    mutants: [
      ['[each + 1] * extra + [each] * (people - extra)', '[each] * (people - extra) + [each + 1] * extra'],
      ['people < 1', 'people < 0'],
      [' or cents < 0', ''],
      ['cents < 0', 'cents <= 0'],
      ['(people - extra)', 'people'],
      ['[each + 1] * extra + ', ''],
    ],
    reference: `import pytest

def test_split():
    assert split_amount(100, 3) == [34, 33, 33]
    assert split_amount(101, 3) == [34, 34, 33]
    assert split_amount(9, 3) == [3, 3, 3]
    assert split_amount(0, 2) == [0, 0]
    assert split_amount(2, 3) == [1, 1, 0]

def test_refuses():
    for cents, people in [(5, 0), (-1, 2)]:
        with pytest.raises(ValueError):
            split_amount(cents, people)`,
    wrong: `def test_split():
    assert sum(split_amount(100, 3)) == 100
    assert len(split_amount(100, 3)) == 3
    assert split_amount(9, 3) == [3, 3, 3]`,
  },
  {
    name: 'ring-buffer',
    difficulty: 'medium',
    language: 'javascript',
    contract:
      'class RingBuffer(capacity): push(x) appends and drops the oldest when full; toArray() oldest first; size; clear(). A capacity below 1 throws a RangeError.',
    code: `class RingBuffer {
  constructor(capacity) {
    if (capacity < 1) throw new RangeError('capacity')
    this.capacity = capacity
    this.clear()
  }
  clear() {
    this.items = []
    this.next = 0
  }
  get size() {
    return this.items.length
  }
  push(x) {
    this.items[this.next] = x
    this.next = (this.next + 1) % this.capacity
  }
  toArray() {
    if (this.size < this.capacity) return [...this.items]
    return [...this.items.slice(this.next), ...this.items.slice(0, this.next)]
  }
}`,
    mutants: [
      ['capacity < 1', 'capacity < 0'],
      ['% this.capacity', '% (this.capacity + 1)'],
      ['[...this.items.slice(this.next), ...this.items.slice(0, this.next)]', '[...this.items]'],
      ['    this.items = []\n    this.next = 0', '    this.items = this.items ?? []\n    this.next = 0'],
      ['    this.next = 0', '    this.next = this.next ?? 0'],
    ],
    reference: `test('wraps', () => {
  const r = new RingBuffer(3)
  for (const x of [1, 2]) r.push(x)
  assert.deepEqual(r.toArray(), [1, 2])
  for (const x of [3, 4, 5]) r.push(x)
  assert.deepEqual(r.toArray(), [3, 4, 5])
  assert.equal(r.size, 3)
  r.push(6)
  assert.deepEqual(r.toArray(), [4, 5, 6])
  r.push(7)
  r.clear()
  assert.equal(r.size, 0)
  r.push(8)
  r.push(9)
  assert.deepEqual(r.toArray(), [8, 9])
})
test('capacity', () => assert.throws(() => new RingBuffer(0), RangeError))`,
    wrong: `test('wraps', () => {
  const r = new RingBuffer(2)
  r.push(1)
  r.push(2)
  r.push(3)
  r.push(4)
  assert.deepEqual(r.toArray(), [3, 4])
  r.clear()
  assert.equal(r.size, 0)
})`,
  },
  {
    name: 'glob',
    difficulty: 'hard',
    language: 'javascript',
    contract:
      'matches(pattern, name): ? is one character except "/", * any number of characters except "/", ** any number of characters; everything else is literal and the whole name must match.',
    code: `function matches(pattern, name) {
  const source = pattern
    .replace(/[.+^\${}()|[\\]\\\\]/g, '\\\\$&')
    .replaceAll('**', '\\0')
    .replaceAll('*', '[^/]*')
    .replaceAll('\\0', '.*')
    .replaceAll('?', '[^/]')
  return new RegExp('^' + source + '$').test(name)
}`,
    mutants: [
      ["'^' + source + '$'", "'^' + source"],
      ["'^' + source + '$'", "source + '$'"],
      [".replaceAll('*', '[^/]*')", ".replaceAll('*', '.*')"],
      [".replaceAll('?', '[^/]')", ".replaceAll('?', '.')"],
      [".replace(/[.+^${}()|[\\]\\\\]/g, '\\\\$&')", ''],
      [".replaceAll('*', '[^/]*')", ".replaceAll('*', '[^/]+')"],
    ],
    reference: `test('glob', () => {
  assert.ok(matches('*.js', 'a.js'))
  assert.ok(matches('*.js', '.js'))
  assert.ok(!matches('*.js', 'axjs'))
  assert.ok(!matches('*.js', 'src/a.js'))
  assert.ok(!matches('*.js', 'a.js.map'))
  assert.ok(!matches('a.js', 'xa.js'))
  assert.ok(matches('src/**', 'src/x/y.js'))
  assert.ok(matches('a?c', 'abc'))
  assert.ok(!matches('a?c', 'a/c'))
  assert.ok(!matches('a?c', 'ac'))
})`,
    wrong: `test('glob', () => {
  assert.ok(matches('*.js', 'a.js'))
  assert.ok(!matches('*.js', 'a.ts'))
  assert.ok(matches('src/**', 'src/x/y.js'))
  assert.ok(matches('a?c', 'abc'))
  assert.ok(!matches('*.js', 'src/a.js'))
})`,
  },
  {
    name: 'interval-set',
    difficulty: 'hard',
    language: 'python',
    contract:
      'class IntervalSet: add(low, high) adds the integers low..high (both included; low > high raises ValueError); intervals that overlap or touch (1-3 and 4-6) become one; spans() lists them as (low, high) in order; x in set tests membership; len gives how many integers there are.',
    code: `class IntervalSet:
    def __init__(self):
        self._spans = []

    def add(self, low, high):
        if low > high:
            raise ValueError('empty')
        rest = []
        for a, b in self._spans:
            if b < low - 1 or a > high + 1:
                rest.append((a, b))
            else:
                low, high = min(low, a), max(high, b)
        self._spans = sorted(rest + [(low, high)])

    def spans(self):
        return list(self._spans)

    def __contains__(self, x):
        return any(a <= x <= b for a, b in self._spans)

    def __len__(self):
        return sum(b - a + 1 for a, b in self._spans)`,
    mutants: [
      ['low - 1', 'low'],
      ['high + 1', 'high'],
      ['sorted(rest + [(low, high)])', 'rest + [(low, high)]'],
      ['max(high, b)', 'high'],
      ['min(low, a)', 'low'],
      ['a <= x <= b', 'a <= x < b'],
      ['b - a + 1', 'b - a'],
      ['low > high', 'low >= high'],
      ['return list(self._spans)', 'return self._spans'],
    ],
    reference: `import pytest

def make(*pairs):
    s = IntervalSet()
    for low, high in pairs:
        s.add(low, high)
    return s

def test_joins():
    assert make((1, 3), (4, 6)).spans() == [(1, 6)]
    assert make((4, 6), (1, 3)).spans() == [(1, 6)]
    assert make((5, 9), (1, 2)).spans() == [(1, 2), (5, 9)]
    assert make((1, 9), (3, 4)).spans() == [(1, 9)]
    assert make((3, 4), (1, 9)).spans() == [(1, 9)]

def test_contains():
    s = make((2, 4))
    assert 2 in s and 4 in s and 1 not in s and 5 not in s
    assert len(s) == 3

def test_edges():
    assert make((5, 5)).spans() == [(5, 5)]
    with pytest.raises(ValueError):
        make((2, 1))

def test_copy():
    s = make((1, 2))
    s.spans().append((8, 9))
    assert s.spans() == [(1, 2)]`,
    wrong: `def test_joins():
    s = IntervalSet()
    s.add(1, 3)
    s.add(2, 6)
    assert s.spans() == [(1, 6)]
    assert 3 in s and 9 not in s
    assert len(s) == 6`,
  },
  {
    name: 'backoff',
    difficulty: 'hard',
    language: 'javascript',
    contract:
      'backoff(attempt, { baseMs, maxMs, random }): full jitter: random() * min(maxMs, baseMs * 2^(attempt-1)), rounded down; attempt starts at 1 and a lower one throws a RangeError; random defaults to Math.random.',
    code: `function backoff(attempt, { baseMs = 100, maxMs = 10000, random = Math.random } = {}) {
  if (attempt < 1) throw new RangeError('attempt')
  return Math.floor(random() * Math.min(maxMs, baseMs * 2 ** (attempt - 1)))
}`,
    mutants: [
      ['attempt - 1', 'attempt'],
      ['Math.min(maxMs, ', '('],
      ['Math.floor', 'Math.ceil'],
      ['attempt < 1', 'attempt < 0'],
      ['2 **', '2 *'],
      ['random() *', ''],
      ['baseMs = 100', 'baseMs = 10'],
      ['maxMs = 10000', 'maxMs = 100000'],
    ],
    reference: `const half = { baseMs: 100, maxMs: 1000, random: () => 0.5 }
test('doubles up to the bound', () => {
  assert.equal(backoff(1, half), 50)
  assert.equal(backoff(2, half), 100)
  assert.equal(backoff(4, half), 400)
  assert.equal(backoff(9, half), 500)
})
test('rounds down', () => assert.equal(backoff(1, { baseMs: 3, maxMs: 9, random: () => 0.5 }), 1))
test('defaults', () => {
  assert.equal(backoff(1, { random: () => 0.999 }), 99)
  assert.equal(backoff(30, { random: () => 0.5 }), 5000)
})
test('refuses', () => assert.throws(() => backoff(0), RangeError))`,
    wrong: `test('in range', () => {
  for (let i = 1; i < 5; i++) {
    const ms = backoff(i, { baseMs: 100, maxMs: 1000 })
    assert.ok(ms >= 0 && ms <= 1000)
  }
})
test('refuses', () => assert.throws(() => backoff(-1)))`,
  },
  {
    name: 'csv-field',
    difficulty: 'hard',
    language: 'python',
    contract:
      'render_row(values): one CSV line without line end. None is empty; everything else is str(). A field is quoted (quotes doubled) when it holds a comma, a quote, a line end (\\n or \\r), or a leading or trailing space, or when it is an empty string (so that it differs from None).',
    code: `def render_row(values):
    def field(value):
        if value is None:
            return ''
        text = str(value)
        if text == '' or text != text.strip(' ') or any(c in text for c in ',"\\n\\r'):
            return '"' + text.replace('"', '""') + '"'
        return text
    return ','.join(field(value) for value in values)`,
    mutants: [
      ["text == '' or ", ''],
      ["text != text.strip(' ') or ", ''],
      [',"\\n\\r', ',"\\n'],
      [',"\\n\\r', ',\\n\\r'],
      [".replace('\"', '\"\"')", ''],
      ['if value is None', 'if not value'],
      ["text.strip(' ')", "text.lstrip(' ')"],
    ],
    reference: `def test_plain():
    assert render_row(['a', 1, 2.5]) == 'a,1,2.5'

def test_nothing():
    assert render_row([None, '', 0, False]) == ',"",0,False'

def test_quotes():
    assert render_row(['a,b']) == '"a,b"'
    assert render_row(['say "x"']) == '"say ""x"""'
    assert render_row(['"']) == '""""'
    assert render_row(['a\\nb', 'c\\rd']) == '"a\\nb","c\\rd"'

def test_spaces():
    assert render_row([' a', 'b ', 'c d']) == '" a","b ",c d'`,
    wrong: `def test_plain():
    assert render_row(['a', 1, 2.5]) == 'a,1,2.5'
    assert render_row(['a,b']) == '"a,b"'
    assert render_row(['say "x"']) == '"say ""x"""'
    assert render_row([None]) == ''`,
  },
  {
    name: 'undo-stack',
    difficulty: 'hard',
    language: 'javascript',
    contract:
      'createHistory(initial, limit): { current(), set(state), undo(), redo() }. undo and redo return whether they did anything; set after an undo forgets what could be redone; at most limit steps can be undone; setting the current state again (===) is no step.',
    code: `function createHistory(initial, limit) {
  let past = [], present = initial, future = []
  return {
    current: () => present,
    set(state) {
      if (state === present) return
      past = [...past, present].slice(-limit)
      present = state
      future = []
    },
    undo() {
      if (past.length === 0) return false
      future = [present, ...future]
      present = past.at(-1)
      past = past.slice(0, -1)
      return true
    },
    redo() {
      if (future.length === 0) return false
      past = [...past, present]
      present = future[0]
      future = future.slice(1)
      return true
    },
  }
}`,
    mutants: [
      ['      if (state === present) return\n', ''],
      ['.slice(-limit)', ''],
      ['      present = state\n      future = []', '      present = state'],
      ['[present, ...future]', '[...future, present]'],
      ['past = [...past, present]\n      present = future[0]', 'present = future[0]'],
      ['if (past.length === 0) return false', 'if (past.length === 0) return true'],
      ['if (future.length === 0) return false', 'if (future.length === 0) return true'],
    ],
    reference: `test('goes back and forth', () => {
  const h = createHistory(0, 3)
  assert.equal(h.undo(), false)
  assert.equal(h.redo(), false)
  for (const x of [1, 2, 3]) h.set(x)
  assert.equal(h.undo(), true)
  assert.equal(h.undo(), true)
  assert.equal(h.current(), 1)
  assert.equal(h.redo(), true)
  assert.equal(h.current(), 2)
  assert.equal(h.redo(), true)
  assert.equal(h.current(), 3)
  h.undo()
  assert.equal(h.current(), 2)
})
test('forgets the future', () => {
  const h = createHistory('a', 5)
  h.set('b')
  h.undo()
  h.set('c')
  assert.equal(h.redo(), false)
  assert.equal(h.current(), 'c')
})
test('limit and sameness', () => {
  const h = createHistory(0, 2)
  for (const x of [1, 2, 2, 3]) h.set(x)
  assert.equal(h.undo(), true)
  assert.equal(h.current(), 2)
  assert.equal(h.undo(), true)
  assert.equal(h.current(), 1)
  assert.equal(h.undo(), false)
})`,
    wrong: `test('goes back and forth', () => {
  const h = createHistory(0, 10)
  h.set(1)
  h.set(2)
  assert.equal(h.undo(), true)
  assert.equal(h.current(), 1)
  assert.equal(h.redo(), true)
  assert.equal(h.current(), 2)
  assert.equal(h.redo(), false)
})`,
  },
]

const framework: Readonly<Record<CodeLanguage, string>> = {
  javascript: `const __tests = []
const test = (name, fn) => { __tests.push([name, fn ?? name]) }
const it = test, describe = (name, fn) => fn()
const __fail = message => { throw new Error(message ?? 'assertion failed') }
const __text = value => JSON.stringify(value, (key, v) => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v === undefined ? '__undefined' : v))
const assert = Object.assign((value, message) => { if (!value) __fail(message) }, {
  ok: (value, message) => { if (!value) __fail(message) },
  equal: (a, b, message) => { if (!Object.is(a, b) && a !== b) __fail(message) },
  notEqual: (a, b, message) => { if (a === b) __fail(message) },
  deepEqual: (a, b, message) => { if (__text(a) !== __text(b)) __fail(message) },
  throws: (fn, kind, message) => {
    let thrown
    try { fn() } catch (error) { thrown = { error } }
    if (thrown === undefined) __fail(message)
    if (typeof kind === 'function' && kind.prototype !== undefined && !(thrown.error instanceof kind)) __fail(message)
    if (kind instanceof RegExp && !kind.test(String(thrown.error))) __fail(message)
  },
  rejects: async (work, kind, message) => {
    try { await (typeof work === 'function' ? work() : work) } catch { return }
    __fail(message)
  },
})
Object.assign(assert, { strictEqual: assert.equal, deepStrictEqual: assert.deepEqual, notStrictEqual: assert.notEqual, strict: assert })
`,
  python: `class pytest:
    class raises:
        def __init__(self, kind, match=None):
            self.kind, self.match = kind, match
        def __enter__(self):
            return self
        def __exit__(self, kind, value, trace):
            assert kind is not None and issubclass(kind, self.kind), 'did not raise'
            self.value = value
            return True
    class mark:
        @staticmethod
        def parametrize(names, rows):
            names = [name.strip() for name in names.split(',')] if isinstance(names, str) else list(names)
            def wrap(test):
                def run():
                    for row in rows:
                        test(**dict(zip(names, row if len(names) > 1 else [row])))
                return run
            return wrap
`,
}

const runAll: Readonly<Record<CodeLanguage, string>> = {
  javascript: '(async () => { for (const [, fn] of __tests) await fn(); return __tests.length })()',
  python: `import unittest as _unittest
_count = 0
for _name, _value in list(globals().items()):
    if _name.startswith('test') and callable(_value):
        _value()
        _count += 1
    elif isinstance(_value, type) and _value is not _unittest.TestCase and (_name.startswith('Test') or issubclass(_value, _unittest.TestCase)):
        for _method in [m for m in dir(_value) if m.startswith('test')]:
            _case = _value(_method) if issubclass(_value, _unittest.TestCase) else _value()
            getattr(_case, 'setUp', lambda: None)()
            getattr(_case, 'setup_method', lambda *a: None)()
            getattr(_case, _method)()
            _count += 1
_count`,
}

const instructions: Readonly<Record<CodeLanguage, string>> = {
  javascript:
    'Write tests for it in JavaScript with the global functions test(name, fn), assert.ok(value), assert.equal(actual, expected), assert.deepEqual(actual, expected) and assert.throws(fn, ErrorClass). The code under test is global: do not import or repeat it.',
  python:
    'Write tests for it in Python as functions named test_…, with assert and pytest.raises. The code under test is already in scope: do not import or repeat it.',
}

/** Imports of names that are in scope anyway. */
const scaffolding =
  /^\s*(?:import\s.*from\s.*|(?:const|let|var)\s.*=\s*require\(.*\).*|import\s+(?:pytest|['"].*['"]).*|from\s+\S+\s+import\s.*)$/gm

function testTask(subject: Subject): Task {
  const { name, difficulty, language, contract, code, mutants, reference, wrong } = subject
  return {
    id: `test-writing/${name}`,
    difficulty,
    ask: prompt(
      `${contract}\n\n\`\`\`${language}\n${code}\n\`\`\`\n\n${instructions[language]} They must pass on this code and fail when any part of the behaviour described is broken. Reply with the tests in one fenced block.`,
    ),
    check: async (reply, sandbox, signal) => {
      const tests = solutionFrom(reply, language, 'test').replace(scaffolding, '')
      if (tests.trim() === '') return verdict('the reply contains no tests')
      const run = (subject: string) =>
        sandbox[language]({ source: `${framework[language]}\n${subject}\n${tests}`, cases: [runAll[language]] }, signal)
      const first = await run(code)
      const outcome = first.outcomes[0]
      if (first.failure !== undefined || outcome?.error !== undefined)
        return verdict(`the tests fail on the code itself: ${first.failure ?? outcome?.error}`)
      if (!(Number(outcome?.value) > 0)) return verdict('the reply contains no tests')
      for (const [from, to] of mutants) {
        const mutant = code.replace(from, () => to)
        if (mutant === code) throw new Error(`test-writing/${name}: the mutant ${from} changes nothing`)
        const second = await run(mutant)
        if (second.failure === undefined && second.outcomes[0]?.error === undefined)
          return verdict(`not caught: ${from.trim()} → ${to.trim()}`)
      }
      return verdict(undefined)
    },
    reference: fenced(language, reference),
    wrong: fenced(language, wrong),
  }
}

export const testWriting: Suite = {
  name: 'test-writing',
  title: 'Writing tests that catch mutants',
  version: 1,
  maxOutputTokens: 4_096,
  tasks: subjects.map(testTask),
}
