import { Raises } from './code.ts'
import { codeTasks } from './code-generation.ts'
import type { Suite } from './suite.ts'

const raw = String.raw

export const python: Suite = {
  name: 'python',
  title: 'Code generation, Python',
  version: 1,
  maxOutputTokens: 4_096,
  tasks: codeTasks('python', 'python', [
    {
      name: 'balanced-brackets',
      difficulty: 'easy',
      entry: 'is_balanced',
      wanted: `Write is_balanced(text): whether every (, [ and { in text is closed by its own kind in the right order. All other
characters are ignored.`,
      cases: [
        ['is_balanced("a(b[c]{d})")', true],
        ['is_balanced("([)]")', false],
        ['is_balanced("(")', false],
        ['is_balanced(")(")', false],
        ['is_balanced("")', true],
        ['is_balanced("]")', false],
      ],
      reference: `def is_balanced(text):
    pairs = {')': '(', ']': '[', '}': '{'}
    stack = []
    for c in text:
        if c in '([{':
            stack.append(c)
        elif c in pairs:
            if not stack or stack.pop() != pairs[c]:
                return False
    return not stack`,
      wrong: `def is_balanced(text):
    return all(text.count(a) == text.count(b) for a, b in ['()', '[]', '{}'])`,
    },
    {
      name: 'run-length',
      difficulty: 'easy',
      entry: 'encode',
      wanted: `Write encode(text) and decode(code). encode replaces every run of a character by its length and the character, but leaves
the length out when it is 1: "aaab" becomes "3ab". decode is its inverse. The texts hold no digits.`,
      cases: [
        ['encode("aaab")', '3ab'],
        ['encode("")', ''],
        ['encode("x" * 12 + "y")', '12xy'],
        ['decode("12xy")', 'xxxxxxxxxxxxy'],
        ['decode(encode("  hello!!  "))', '  hello!!  '],
        ['decode("")', ''],
      ],
      reference: `import itertools, re

def encode(text):
    out = []
    for char, run in itertools.groupby(text):
        n = len(list(run))
        out.append((str(n) if n > 1 else '') + char)
    return ''.join(out)

def decode(code):
    return ''.join(c * int(n or 1) for n, c in re.findall(r'(\\d*)(\\D)', code))`,
      wrong: `def encode(text):
    out, i = '', 0
    while i < len(text):
        j = i
        while j < len(text) and text[j] == text[i]:
            j += 1
        out += (str(j - i) if j - i > 1 else '') + text[i]
        i = j
    return out

def decode(code):
    out, n = '', 1
    for c in code:
        if c.isdigit():
            n = int(c)
        else:
            out += c * n
            n = 1
    return out`,
    },
    {
      name: 'parse-size',
      difficulty: 'easy',
      entry: 'parse_size',
      wanted: `Write parse_size(text) that turns a size such as "512", "10kB", "1.5 GiB" or "2mb" into a whole number of bytes (rounded
down). Units: B, kB, MB, GB, TB are powers of 1000; KiB, MiB, GiB, TiB are powers of 1024; case does not matter; spaces around the
number and the unit do not matter. Anything else raises ValueError.`,
      cases: [
        ['parse_size("512")', 512],
        ['parse_size("10kB")', 10_000],
        ['parse_size(" 1.5 GiB ")', 1_610_612_736],
        ['parse_size("2mb")', 2_000_000],
        ['parse_size("1 kib")', 1024],
        ['parse_size("0.5B")', 0],
        ['parse_size("3 XB")', new Raises('ValueError')],
        ['parse_size("")', new Raises('ValueError')],
        ['parse_size("-1kB")', new Raises('ValueError')],
        ['parse_size("1.2.3")', new Raises('ValueError')],
      ],
      reference: raw`import re

def parse_size(text):
    m = re.fullmatch(r'\s*(\d+(?:\.\d+)?|\.\d+)\s*(?:([kmgt])(i?))?b?\s*', text, re.I)
    if not m:
        raise ValueError(text)
    base = 1024 if m[3] else 1000
    power = ' kmgt'.index(m[2].lower()) if m[2] else 0
    return int(float(m[1]) * base ** power)`,
      wrong: `def parse_size(text):
    units = {'kib': 1024, 'mib': 1024**2, 'gib': 1024**3, 'tib': 1024**4, 'kb': 1024, 'mb': 1024**2, 'gb': 1024**3, 'tb': 1024**4, 'b': 1}
    t = text.strip().lower()
    for unit, factor in units.items():
        if t.endswith(unit):
            return int(float(t[:-len(unit)]) * factor)
    return int(float(t))`,
    },
    {
      name: 'group-anagrams',
      difficulty: 'easy',
      entry: 'group_anagrams',
      wanted: `Write group_anagrams(words): lists of words that are anagrams of one another, ignoring case and spaces. Within a group words
keep their order of appearance, groups are ordered by their first word's appearance, and groups of a single word are left out. A word
that occurs twice counts twice.`,
      cases: [
        [
          'group_anagrams(["listen","Silent","cat","act","dog"])',
          [
            ['listen', 'Silent'],
            ['cat', 'act'],
          ],
        ],
        ['group_anagrams([])', []],
        ['group_anagrams(["a gentleman","elegant man","x"])', [['a gentleman', 'elegant man']]],
        ['group_anagrams(["no","no"])', [['no', 'no']]],
        ['group_anagrams(["aab","abb"])', []],
      ],
      reference: `def group_anagrams(words):
    groups = {}
    for word in words:
        groups.setdefault(''.join(sorted(word.lower().replace(' ', ''))), []).append(word)
    return [group for group in groups.values() if len(group) > 1]`,
      wrong: `def group_anagrams(words):
    groups = {}
    for word in words:
        groups.setdefault(frozenset(word.lower()), []).append(word)
    return [group for group in groups.values() if len(group) > 1]`,
    },
    {
      name: 'flatten',
      difficulty: 'easy',
      entry: 'flatten',
      wanted: `Write a generator flatten(value) that yields the leaves of arbitrarily nested lists and tuples from left to right. Strings,
bytes, dicts and everything else are leaves. Nesting may be 10,000 levels deep, so do not recurse.`,
      cases: [
        ['list(flatten([1,[2,(3,[])],"ab"]))', [1, 2, 3, 'ab']],
        ['list(flatten([]))', []],
        ['list(flatten(5))', [5]],
        ['x=[1]\nfor _ in range(10000): x=[x]\nlist(flatten(x))', [1]],
        ['next(flatten([[7,8],[9]]))', 7],
        ['[type(v).__name__ for v in flatten([{"a":[1]},None])]', ['dict', 'NoneType']],
      ],
      reference: `def flatten(value):
    stack = [iter([value])]
    while stack:
        for item in stack[-1]:
            if isinstance(item, (list, tuple)):
                stack.append(iter(item))
                break
            yield item
        else:
            stack.pop()`,
      wrong: `def flatten(value):
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from flatten(item)
    else:
        yield value`,
    },
    {
      name: 'merge-intervals',
      difficulty: 'medium',
      entry: 'free_slots',
      wanted: `Write free_slots(busy, start, end, minimum): the free intervals as (from, to) tuples between start and end that are at least
minimum long, in order. busy is a list of (from, to) pairs in any order that may overlap, touch, be empty (from == to) or reach
outside start..end. The argument must not be changed.`,
      cases: [
        [
          'free_slots([(9,10),(12,13)], 8, 17, 1)',
          [
            [8, 9],
            [10, 12],
            [13, 17],
          ],
        ],
        [
          'free_slots([(12,13),(9,12.5),(9,10)], 8, 17, 1)',
          [
            [8, 9],
            [13, 17],
          ],
        ],
        ['free_slots([], 8, 17, 1)', [[8, 17]]],
        ['free_slots([(0,20)], 8, 17, 1)', []],
        ['free_slots([(7,9),(16,19)], 8, 17, 2)', [[9, 16]]],
        ['free_slots([(8,12),(9,10)], 8, 17, 1)', [[12, 17]]],
        ['free_slots([(10,10)], 8, 12, 3)', [[8, 12]]],
        ['free_slots([(20,30),(1,2)], 8, 17, 1)', [[8, 17]]],
        [
          'b=[(3,4),(1,2)]\nfree_slots(b,0,5,1)\nb',
          [
            [3, 4],
            [1, 2],
          ],
        ],
      ],
      reference: `def free_slots(busy, start, end, minimum):
    slots, at = [], start
    for low, high in sorted(busy):
        if low >= high:
            continue
        low, high = max(low, start), min(high, end)
        if low >= high:
            continue
        if low > at and low - at >= minimum:
            slots.append((at, low))
        at = max(at, high)
    if end > at and end - at >= minimum:
        slots.append((at, end))
    return slots`,
      wrong: `def free_slots(busy, start, end, minimum):
    slots, at = [], start
    for low, high in sorted(busy):
        if low - at >= minimum:
            slots.append((at, low))
        at = high
    if end - at >= minimum:
        slots.append((at, end))
    return slots`,
    },
    {
      name: 'parse-ini',
      difficulty: 'medium',
      entry: 'parse_ini',
      wanted: `Write parse_ini(text) without configparser. It returns a dict of sections, each a dict of strings. Lines are "[section]",
"key = value" (split at the first "="; spaces around key and value are dropped), comments (first non-space character ; or #) or blank. A line that starts
with a space or tab and follows a key continues its value, joined by one newline. Keys before any section belong to the section "".
Sections that occur twice are merged, later keys win. Any other line raises ValueError. Empty sections are kept; "" only if it has keys.`,
      cases: [
        ['parse_ini("[a]\\nx = 1\\ny=2=3\\n")', { a: { x: '1', y: '2=3' } }],
        ['parse_ini("top=1\\n; c\\n# d\\n\\n[s]\\n")', { '': { top: '1' }, s: {} }],
        ['parse_ini("[a]\\nk = one\\n  two\\n\\tthree\\n")', { a: { k: 'one\ntwo\nthree' } }],
        ['parse_ini("[a]\\nx=1\\n[b]\\n[a]\\nx=2\\nz=3")', { a: { x: '2', z: '3' }, b: {} }],
        ['parse_ini("[a]\\nnonsense")', new Raises('ValueError')],
        ['parse_ini("")', {}],
        ['parse_ini("[a]\\nk =\\n")', { a: { k: '' } }],
        ['parse_ini("[a]\\nk = v\\n  # not a value\\nm = 1")', { a: { k: 'v', m: '1' } }],
      ],
      reference: `def parse_ini(text):
    sections, section, key = {}, '', None
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare[0] in ';#':
            continue
        if line[0] in ' \\t' and key is not None:
            sections[section][key] += '\\n' + bare
        elif bare.startswith('[') and bare.endswith(']'):
            section, key = bare[1:-1], None
            sections.setdefault(section, {})
        elif '=' in bare:
            key, value = (part.strip() for part in bare.split('=', 1))
            sections.setdefault(section, {})[key] = value
        else:
            raise ValueError(line)
    return sections`,
      wrong: `def parse_ini(text):
    sections, current = {}, {}
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith((';', '#')):
            continue
        if line.startswith('['):
            current = sections[line[1:-1]] = {}
        else:
            key, _, value = line.partition('=')
            current[key.strip()] = value.strip()
    return sections`,
    },
    {
      name: 'rate-limiter',
      difficulty: 'medium',
      entry: 'RateLimiter',
      wanted: `Write a class RateLimiter(limit, window, clock) where clock() returns seconds. allow(key) returns True and counts the call
when fewer than limit allowed calls of that key happened in the last window seconds, else False (a refused call does not count). A
call exactly window seconds old no longer counts. wait(key) returns the seconds until allow(key) would succeed (0 when it would now).`,
      cases: [
        [
          't=[0.0]\nr=RateLimiter(2,10,lambda:t[0])\n[r.allow("a"),r.allow("a"),r.allow("a"),r.allow("b")]',
          [true, true, false, true],
        ],
        [
          't=[0.0]\nr=RateLimiter(1,10,lambda:t[0])\nr.allow("a")\nt[0]=9.5\nx=r.allow("a")\nt[0]=10\n[x,r.allow("a")]',
          [false, true],
        ],
        [
          't=[0.0]\nr=RateLimiter(2,10,lambda:t[0])\nr.allow("a")\nt[0]=4\nr.allow("a")\n[r.wait("a"),r.wait("zz")]',
          [6, 0],
        ],
        [
          't=[0.0]\nr=RateLimiter(1,10,lambda:t[0])\nr.allow("a")\nfor i in range(9):\n  t[0]=float(i)\n  r.allow("a")\nt[0]=10.0\nr.allow("a")',
          true,
        ],
        [
          't=[0.0]\nr=RateLimiter(2,10,lambda:t[0])\nr.allow("a")\nt[0]=8\nr.allow("a")\nt[0]=11\nr.allow("a")\n[r.allow("a"),r.wait("a")]',
          [false, 7],
        ],
      ],
      reference: `from collections import deque

class RateLimiter:
    def __init__(self, limit, window, clock):
        self.limit, self.window, self.clock = limit, window, clock
        self.calls = {}

    def _recent(self, key):
        calls = self.calls.setdefault(key, deque())
        while calls and self.clock() - calls[0] >= self.window:
            calls.popleft()
        return calls

    def allow(self, key):
        calls = self._recent(key)
        if len(calls) >= self.limit:
            return False
        calls.append(self.clock())
        return True

    def wait(self, key):
        calls = self._recent(key)
        return 0 if len(calls) < self.limit else calls[0] + self.window - self.clock()`,
      wrong: `class RateLimiter:
    def __init__(self, limit, window, clock):
        self.limit, self.window, self.clock, self.data = limit, window, clock, {}

    def allow(self, key):
        start, n = self.data.get(key, (self.clock(), 0))
        if self.clock() - start >= self.window:
            start, n = self.clock(), 0
        self.data[key] = (start, n + 1)
        return n < self.limit

    def wait(self, key):
        start, n = self.data.get(key, (self.clock(), 0))
        return 0 if n < self.limit else start + self.window - self.clock()`,
    },
    {
      name: 'markdown-table',
      difficulty: 'medium',
      entry: 'parse_table',
      wanted: raw`Write parse_table(text) that reads a Markdown table (header line, separator line of dashes with optional colons, rows) into
a list of dicts from header to cell. Cells are stripped; leading and trailing pipes are optional; "\|" inside a cell is a literal pipe.
A row with too few cells is filled with "", extra cells are dropped. Lines before the table and after it (it ends at the first line
without a pipe) are ignored. Without a table the result is [].`,
      cases: [
        ['parse_table("| a | b |\\n|---|:-:|\\n| 1 | 2 |\\n")', [{ a: '1', b: '2' }]],
        [
          'parse_table("a|b\\n-|-\\n1|2\\n3|4")',
          [
            { a: '1', b: '2' },
            { a: '3', b: '4' },
          ],
        ],
        ['parse_table("| x |\\n|---|\\n| a \\\\| b |")', [{ x: 'a | b' }]],
        [
          'parse_table("Hi\\n\\n| a | b |\\n|--|--|\\n| 1 |\\n| 1 | 2 | 3 |\\n\\n| no | more |")',
          [
            { a: '1', b: '' },
            { a: '1', b: '2' },
          ],
        ],
        ['parse_table("no table | here\\nat all")', []],
        ['parse_table("")', []],
      ],
      reference: raw`import re

def cells(line):
    line = line.strip()
    if line.startswith('|'):
        line = line[1:]
    if line.endswith('|') and not line.endswith('\\|'):
        line = line[:-1]
    return [c.strip().replace('\\|', '|') for c in re.split(r'(?<!\\)\|', line)]

def parse_table(text):
    lines = text.splitlines()
    for i in range(len(lines) - 1):
        if '|' in lines[i] and '-' in lines[i + 1] and re.fullmatch(r'[\s|:-]+', lines[i + 1]):
            head = cells(lines[i])
            rows = []
            for line in lines[i + 2:]:
                if '|' not in line:
                    break
                row = cells(line)
                rows.append(dict(zip(head, row + [''] * len(head))))
            return rows
    return []`,
      wrong: raw`def parse_table(text):
    lines = [l.strip().strip('|') for l in text.splitlines() if '|' in l]
    if len(lines) < 2:
        return []
    head = [c.strip() for c in lines[0].split('|')]
    return [dict(zip(head, [c.strip() for c in l.split('|')])) for l in lines[2:]]`,
    },
    {
      name: 'natural-sort',
      difficulty: 'medium',
      entry: 'natural_sort',
      wanted: `Write natural_sort(names): a new list sorted as people expect. Runs of ASCII digits compare as numbers, everything else
compares without case, and where a number meets text the number comes first. Names that are then equal keep numbers with fewer leading
zeros first, and otherwise their original order.`,
      cases: [
        ['natural_sort(["img12","img10","img2","IMG1"])', ['IMG1', 'img2', 'img10', 'img12']],
        ['natural_sort(["a","1","b2","b"])', ['1', 'a', 'b', 'b2']],
        ['natural_sort(["x007","x7","x07"])', ['x7', 'x07', 'x007']],
        ['natural_sort(["v1.10.2","v1.9.9","v1.10"])', ['v1.9.9', 'v1.10', 'v1.10.2']],
        ['natural_sort(["B","a","A","b"])', ['a', 'A', 'B', 'b']],
        ['natural_sort([])', []],
        ['natural_sort(["2a","a2","10","1"])', ['1', '2a', '10', 'a2']],
      ],
      reference: raw`import re

def natural_sort(names):
    def key(name):
        parts = [p for p in re.split(r'([0-9]+)', name) if p]
        main = [(0, int(p), '') if p.isdigit() and p.isascii() else (1, 0, p.lower()) for p in parts]
        return main, [len(p) for p in parts if p.isdigit() and p.isascii()]
    return sorted(names, key=key)`,
      wrong: raw`import re

def natural_sort(names):
    return sorted(names, key=lambda n: [int(p) if p.isdigit() else p.lower() for p in re.split(r'(\d+)', n)])`,
    },
    {
      name: 'working-days',
      difficulty: 'medium',
      entry: 'add_working_days',
      wanted: `Write add_working_days(start, days, holidays=()): start is a datetime.date, days an integer (may be negative or zero). It
returns the date that is that many working days later (earlier when negative); Saturdays, Sundays and holidays (dates) are skipped.
With days == 0 the result is start itself if it is a working day, else the next working day.`,
      cases: [
        ['import datetime as d\nadd_working_days(d.date(2024,3,1), 1).isoformat()', '2024-03-04'],
        ['add_working_days(d.date(2024,3,4), -1).isoformat()', '2024-03-01'],
        ['add_working_days(d.date(2024,3,2), 0).isoformat()', '2024-03-04'],
        ['add_working_days(d.date(2024,3,1), 0).isoformat()', '2024-03-01'],
        ['add_working_days(d.date(2024,3,1), 2, [d.date(2024,3,4)]).isoformat()', '2024-03-06'],
        ['add_working_days(d.date(2024,3,2), 1).isoformat()', '2024-03-04'],
        ['add_working_days(d.date(2024,3,3), -1).isoformat()', '2024-03-01'],
        ['add_working_days(d.date(2024,1,1), 260).isoformat()', '2024-12-30'],
      ],
      reference: `import datetime

def add_working_days(start, days, holidays=()):
    off = set(holidays)
    works = lambda day: day.weekday() < 5 and day not in off
    step = datetime.timedelta(days=1 if days >= 0 else -1)
    day = start
    if days == 0:
        while not works(day):
            day += step
        return day
    left = abs(days)
    while left:
        day += step
        if works(day):
            left -= 1
    return day`,
      wrong: `import datetime

def add_working_days(start, days, holidays=()):
    day = start
    while days > 0:
        day += datetime.timedelta(days=1)
        if day.weekday() < 5 and day not in holidays:
            days -= 1
    return day`,
    },
    {
      name: 'shortest-path',
      difficulty: 'hard',
      entry: 'cheapest_route',
      wanted: `Write cheapest_route(edges, start, goal, max_stops): edges is a list of (from, to, cost) with costs >= 0, one-way, possibly
parallel. Return (cost, path) of the cheapest route from start to goal with at most max_stops nodes between them, path being the list
of names including both ends; of equally cheap routes take the one with fewer nodes, then the alphabetically smallest path (compared as
lists). None when there is no such route. start == goal gives (0, [start]).`,
      cases: [
        ['cheapest_route([("a","b",1),("b","c",1),("a","c",5)],"a","c",1)', [2, ['a', 'b', 'c']]],
        ['cheapest_route([("a","b",1),("b","c",1),("a","c",5)],"a","c",0)', [5, ['a', 'c']]],
        ['cheapest_route([("a","b",1)],"b","a",5)', null],
        ['cheapest_route([],"x","x",0)', [0, ['x']]],
        ['cheapest_route([("a","c",1),("c","d",1),("a","b",1),("b","d",1)],"a","d",3)', [2, ['a', 'b', 'd']]],
        ['cheapest_route([("a","b",1),("b","d",1),("a","d",2)],"a","d",3)', [2, ['a', 'd']]],
        ['cheapest_route([("a","b",1),("a","b",0),("b","a",0),("b","c",0)],"a","c",9)', [0, ['a', 'b', 'c']]],
        ['cheapest_route([("s","a",1),("a","b",1),("b","t",1),("s","b",5)],"s","t",1)', [6, ['s', 'b', 't']]],
      ],
      reference: `import heapq

def cheapest_route(edges, start, goal, max_stops):
    out = {}
    for a, b, cost in edges:
        out.setdefault(a, []).append((b, cost))
    heap = [(0, 1, [start])]
    best = {}
    while heap:
        cost, nodes, path = heapq.heappop(heap)
        here = path[-1]
        if here == goal:
            return cost, path
        if best.get(here, float('inf')) <= nodes or nodes > max_stops + 1:
            continue
        best[here] = nodes
        for to, extra in out.get(here, []):
            if to not in path:
                heapq.heappush(heap, (cost + extra, nodes + 1, path + [to]))
    return None`,
      wrong: `import heapq

def cheapest_route(edges, start, goal, max_stops):
    out = {}
    for a, b, cost in edges:
        out.setdefault(a, []).append((b, cost))
    heap, seen = [(0, [start])], set()
    while heap:
        cost, path = heapq.heappop(heap)
        if path[-1] == goal:
            return cost, path
        if path[-1] in seen or len(path) > max_stops + 1:
            continue
        seen.add(path[-1])
        for to, extra in out.get(path[-1], []):
            heapq.heappush(heap, (cost + extra, path + [to]))
    return None`,
    },
    {
      name: 'justify',
      difficulty: 'hard',
      entry: 'justify',
      wanted: `Write justify(text, width): wraps the words of text (split at whitespace) greedily into lines of at most width characters and
fully justifies them: spaces are spread as evenly as possible, extra ones going to the gaps from the left. The last line and lines of a
single word are left-aligned without padding. A word longer than width stands alone on its line. Returns a list of lines.`,
      cases: [
        [
          'justify("the quick brown fox jumps over the lazy dog", 16)',
          ['the  quick brown', 'fox  jumps  over', 'the lazy dog'],
        ],
        ['justify("a b c d", 4)', ['a  b', 'c d']],
        ['justify("", 10)', []],
        ['justify("extraordinarily x y", 5)', ['extraordinarily', 'x y']],
        ['justify("aa bb cc dddddddd", 10)', ['aa  bb  cc', 'dddddddd']],
        ['justify("aaa bb c ddddd", 10)', ['aaa  bb  c', 'ddddd']],
        ['justify("one  two\\nthree", 9)', ['one   two', 'three']],
        ['justify("x", 3)', ['x']],
      ],
      reference: `def justify(text, width):
    rows, row = [], []
    for word in text.split():
        if row and len(' '.join(row + [word])) > width:
            rows.append(row)
            row = []
        row.append(word)
    lines = []
    for words in rows:
        gaps = len(words) - 1
        if gaps == 0:
            lines.append(words[0])
            continue
        spaces = width - sum(map(len, words))
        each, extra = divmod(spaces, gaps)
        line = ''
        for i, word in enumerate(words[:-1]):
            line += word + ' ' * (each + (1 if i < extra else 0))
        lines.append(line + words[-1])
    if row:
        lines.append(' '.join(row))
    return lines`,
      wrong: `import textwrap

def justify(text, width):
    lines = textwrap.wrap(text, width, break_long_words=False)
    out = []
    for line in lines[:-1]:
        words = line.split()
        while len(' '.join(words)) < width and len(words) > 1:
            words[0] += ' '
        out.append(' '.join(words))
    return out + lines[-1:]`,
    },
    {
      name: 'expand-braces',
      difficulty: 'hard',
      entry: 'expand',
      wanted: raw`Write expand(pattern): shell brace expansion as a list in shell order. "a{b,c}d" gives abd, acd; braces nest and combine
("{a,b}{1,2}" gives a1 a2 b1 b2); parts may be empty; "{1..4}" and "{9..7}" are ranges of integers, zero-padded to the width of the
wider end when either end has a leading zero ("{08..10}" gives 08 09 10). Braces without a top-level comma and without a range, and
braces that do not match, are literal text. A backslash makes the next character literal and disappears.`,
      cases: [
        ['expand("a{b,c}d")', ['abd', 'acd']],
        ['expand("{a,b}{1,2}")', ['a1', 'a2', 'b1', 'b2']],
        ['expand("x{a,{b,c}y}z")', ['xaz', 'xbyz', 'xcyz']],
        ['expand("{1..4}")', ['1', '2', '3', '4']],
        ['expand("{9..7}")', ['9', '8', '7']],
        ['expand("{08..10}")', ['08', '09', '10']],
        ['expand("a{,s}")', ['a', 'as']],
        ['expand("{x}")', ['{x}']],
        ['expand("a{b,c")', ['a{b,c']],
        ['expand("\\\\{a,b}")', ['{a,b}']],
        ['expand("")', ['']],
        ['expand("{-1..1}")', ['-1', '0', '1']],
        ['expand("{{a,b}}")', ['{a}', '{b}']],
      ],
      reference: raw`import re

def expand(pattern):
    i = 0
    while i < len(pattern):
        if pattern[i] == '\\':
            i += 2
            continue
        if pattern[i] == '{':
            depth, commas, end, j = 0, [], None, i
            while j < len(pattern):
                c = pattern[j]
                if c == '\\':
                    j += 2
                    continue
                if c == '{':
                    depth += 1
                elif c == '}':
                    depth -= 1
                    if depth == 0:
                        end = j
                        break
                elif c == ',' and depth == 1:
                    commas.append(j)
                j += 1
            if end is not None:
                body = pattern[i + 1:end]
                m = re.fullmatch(r'(-?\d+)\.\.(-?\d+)', body)
                if m:
                    low, high = int(m[1]), int(m[2])
                    padded = any(re.fullmatch(r'-?0\d+', s) for s in m.groups())
                    width = max(len(m[1]), len(m[2])) if padded else 0
                    step = 1 if high >= low else -1
                    parts = [str(n).zfill(width) for n in range(low, high + step, step)]
                elif commas:
                    cuts = [i] + commas + [end]
                    parts = [p for a, b in zip(cuts, cuts[1:]) for p in expand(pattern[a + 1:b])]
                else:
                    parts = ['{' + p + '}' for p in expand(body)]
                head = re.sub(r'\\(.)', r'\1', pattern[:i])
                return [head + p + t for p in parts for t in expand(pattern[end + 1:])]
        i += 1
    return [re.sub(r'\\(.)', r'\1', pattern)]`,
      wrong: raw`import re

def expand(pattern):
    m = re.search(r'\{([^{}]*)\}', pattern)
    if not m:
        return [pattern]
    r = re.fullmatch(r'(-?\d+)\.\.(-?\d+)', m[1])
    parts = [str(n) for n in range(int(r[1]), int(r[2]) + 1)] if r else m[1].split(',')
    return [x for p in parts for x in expand(pattern[:m.start()] + p + pattern[m.end():])]`,
    },
    {
      name: 'key-value-transactions',
      difficulty: 'hard',
      entry: 'Store',
      wanted: `Write a class Store: an in-memory key-value store with nested transactions. Methods: get(key) (None when missing),
set(key, value), delete(key) (missing keys are fine), count(value) (how many keys have it), begin(), commit() and rollback(). commit
applies the innermost open transaction to the one around it (or to the store); rollback undoes it. Both raise RuntimeError when none
is open. Reads see the innermost state.`,
      cases: [
        ['s=Store()\ns.set("a",1)\ns.begin()\ns.set("a",2)\nx=s.get("a")\ns.rollback()\n[x,s.get("a")]', [2, 1]],
        [
          's=Store()\ns.begin()\ns.set("a",1)\ns.begin()\ns.delete("a")\nx=s.get("a")\ns.commit()\ny=s.get("a")\ns.rollback()\n[x,y,s.get("a")]',
          [null, null, null],
        ],
        [
          's=Store()\ns.set("a",1)\ns.set("b",1)\ns.begin()\ns.set("a",2)\ns.delete("b")\nx=s.count(1)\ns.rollback()\n[x,s.count(1),s.count(2)]',
          [0, 2, 0],
        ],
        ['s=Store()\ns.begin()\ns.set("a",1)\ns.commit()\ns.get("a")', 1],
        ['Store().commit()', new Raises('RuntimeError')],
        ['s=Store()\ns.begin()\ns.commit()\ns.rollback()', new Raises('RuntimeError')],
        [
          's=Store()\ns.set("a",1)\ns.begin()\ns.begin()\ns.set("a",3)\ns.commit()\nx=s.get("a")\ns.commit()\n[x,s.get("a")]',
          [3, 3],
        ],
        ['s=Store()\ns.delete("nope")\ns.set("k",None)\n[s.get("k"),s.count(None)]', [null, 1]],
      ],
      reference: `class Store:
    def __init__(self):
        self.data, self.saved = {}, []

    def get(self, key):
        return self.data.get(key)

    def set(self, key, value):
        self.data[key] = value

    def delete(self, key):
        self.data.pop(key, None)

    def count(self, value):
        return sum(1 for v in self.data.values() if v == value)

    def begin(self):
        self.saved.append(dict(self.data))

    def commit(self):
        if not self.saved:
            raise RuntimeError('no transaction')
        self.saved.pop()

    def rollback(self):
        if not self.saved:
            raise RuntimeError('no transaction')
        self.data = self.saved.pop()`,
      wrong: `class Store:
    def __init__(self):
        self.layers = [{}]

    def get(self, key):
        for layer in reversed(self.layers):
            if key in layer:
                return layer[key]
        return None

    def set(self, key, value):
        self.layers[-1][key] = value

    def delete(self, key):
        self.layers[-1].pop(key, None)

    def count(self, value):
        return sum(list(layer.values()).count(value) for layer in self.layers)

    def begin(self):
        self.layers.append({})

    def commit(self):
        top = self.layers.pop()
        self.layers[-1].update(top)

    def rollback(self):
        self.layers.pop()`,
    },
  ]),
}
