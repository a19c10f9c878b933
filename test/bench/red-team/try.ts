import { isDeepStrictEqual } from 'node:util'
import type { Run, Sandbox } from '../../../src/bench/sandbox/sandbox.ts'

export type Language = 'python' | 'javascript' | 'sql'

/** What is attempted from inside. In a source, `{{file}}`, `{{folder}}`, `{{port}}`, `{{pid}}` and `{{host}}` are the bait's. */
export interface Try {
  /** What it wants to reach. */
  attempt: string
  language: Language
  source: string
  /** What is evaluated after it; by default `evidence()`, which the source then defines. */
  cases?: readonly string[]
  /** Milliseconds of processor time. */
  timeLimitMs?: number
  /**
   * How it shows that nothing was reached. `no evidence`: no value but null, false and empty ones comes out. `truth`: the
   * case `40 + 1` gives 41 or the run failed. `clean`: the next program finds everything as a first one does. `stopped`:
   * the run failed or its outcomes are errors.
   */
  holds: 'no evidence' | 'truth' | 'clean' | 'stopped'
}

type Body = readonly [attempt: string, source: string]

/** Tries of one kind: what each attempts, and how. */
export function tries(language: Language, holds: Try['holds'], bodies: readonly Body[]): Try[] {
  return bodies.map(([attempt, source]) => ({ attempt, language, source, holds }))
}

/** Things of this machine that a try may aim at; see `bait.ts`. */
export interface Bait {
  /** A file that anyone may read, with the secret in it; in a folder that anyone may write to. */
  file: string
  folder: string
  secret: string
  /** Of a server that must see nobody. */
  port: number
  /** Of a process that must live. */
  pid: number
  host: string
  /** What was touched since the last call, in words. */
  touched: () => string | undefined
  close: () => Promise<void>
}

export interface Verdict {
  attempt: string
  language: Language
  /** Why it counts as an escape; undefined where nothing was reached. */
  escape: string | undefined
}

const patientMs = 3_000
/** What is left for the next program is looked for after a few that leave something: each look takes a program. */
const lookEvery = 3

/** Puts tries to the sandbox, each of its two engines on its own, and says what each reached. */
export async function putAll(list: readonly Try[], sandbox: Sandbox, bait: Bait): Promise<Verdict[]> {
  const byEngine = Map.groupBy(list, ({ language }) => language === 'javascript')
  const verdicts = await Promise.all(
    [...byEngine.values()].map(async ofOne => {
      const found: Verdict[] = []
      for (const [index, one] of ofOne.entries()) {
        const looks = (index + 1) % lookEvery === 0 || index === ofOne.length - 1
        found.push(await put(one, sandbox, bait, looks))
      }
      return found
    }),
  )
  return verdicts.flat()
}

/** Puts one try to the sandbox and says what it reached. */
async function put(one: Try, sandbox: Sandbox, bait: Bait, looks: boolean): Promise<Verdict> {
  const verdict = (escape: string | undefined) => ({ attempt: one.attempt, language: one.language, escape })
  const run = await perform(one, sandbox, bait)
  const text = JSON.stringify(run)
  if (text.includes(bait.secret)) return verdict(`the secret came out: ${text.slice(0, 300)}`)
  const touched = bait.touched()
  if (touched !== undefined) return verdict(touched)
  return verdict(judge(one, run) ?? (one.holds === 'clean' && looks ? await differs(one, sandbox) : undefined))
}

function perform({ language, source, cases, holds, timeLimitMs = patientMs }: Try, sandbox: Sandbox, bait: Bait) {
  const filled = source.replaceAll(/\{\{(file|folder|port|pid|host)\}\}/g, (_, name: keyof Bait) => String(bait[name]))
  if (language === 'sql')
    return sandbox.sql({ setup: 'CREATE TABLE t (x); INSERT INTO t VALUES (1);', source: filled, timeLimitMs })
  const asked = cases ?? { 'no evidence': ['evidence()'], truth: ['40 + 1'], clean: [], stopped: ['evidence()'] }[holds]
  return sandbox[language]({ source: filled, cases: asked, timeLimitMs })
}

function judge({ holds }: Try, { failure, outcomes }: Run): string | undefined {
  const values = outcomes.filter(outcome => outcome.error === undefined).map(({ value }) => value)
  if (holds === 'no evidence') {
    const shown = values.filter(value => !isNothing(value))
    return shown.length === 0 ? undefined : `it shows ${JSON.stringify(shown).slice(0, 300)}`
  }
  if (holds === 'stopped') return failure === undefined && values.length > 0 ? 'it ran to its end' : undefined
  if (holds === 'truth') {
    const isTrue =
      failure !== undefined ||
      (values.length === 1 && values[0] === 41) ||
      (values.length === 0 && outcomes.length <= 1)
    return isTrue ? undefined : `the outcomes are ${JSON.stringify(outcomes).slice(0, 300)}`
  }
  return undefined
}

function isNothing(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0
  return value === undefined || value === null || value === false || value === ''
}

async function differs({ language }: Try, sandbox: Sandbox): Promise<string | undefined> {
  const { source, expected } = language === 'javascript' ? javascriptView : pythonView
  const run = await sandbox[language === 'javascript' ? 'javascript' : 'python']({ source, cases: ['view()'] })
  const seen = run.outcomes[0]?.value
  if (isDeepStrictEqual(seen, expected)) return undefined
  const first = Array.isArray(seen) ? expected.findIndex((value, index) => !isDeepStrictEqual(value, seen[index])) : -1
  const found = first < 0 ? run : (seen as unknown[])[first]
  return `the next program sees ${JSON.stringify(found).slice(0, 300)} at ${first}`
}

/** What a program finds: told here, not measured, so that a sandbox that is spoilt from the start does not pass. */
interface View {
  source: string
  expected: readonly unknown[]
}

const pythonView: View = {
  source: `
import builtins, collections, copyreg, dataclasses, decimal, enum, gc, json, os, random, re, signal, sqlite3, sys
@dataclasses.dataclass
class Point:
    x: int
class Kind(enum.Enum):
    A = 1
def view():
    return [
        len([1, 2]), sorted([2, 1]), json.dumps({'a': [1]}), json.loads('[1]'), re.findall('a+', 'aaba'),
        sqlite3.connect(':memory:').execute('select 1 + 1').fetchall(), dataclasses.asdict(Point(3)), Kind(1).name,
        str(decimal.Decimal(1) / decimal.Decimal(3)), collections.Counter('aab')['a'], int('7'), random.randrange(10**6),
        os.listdir('/tmp'), sorted(os.listdir('/')), os.listdir('/home/pyodide'), os.getcwd(), dict(os.environ), os.umask(18),
        [p for p in sys.path if 'tmp' in p], sys.getrecursionlimit() >= 1000, sys.get_int_max_str_digits(), gc.isenabled(),
        sys.gettrace() is None, sys.getprofile() is None, signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        'left' in vars(builtins), 'left' in sys.modules, hasattr(sys, 'left'), hasattr(copyreg, 'left'),
        os.path.exists('/tmp/__proto__'), os.path.exists('/lib/left'), os.path.getsize('/lib/python314.zip') > 10**6, __import__('wave').__name__,
    ]`,
  expected: [
    2,
    [1, 2],
    '{"a": [1]}',
    [1],
    ['aa', 'a'],
    [[2]],
    { x: 3 },
    'A',
    '0.3333333333333333333333333333',
    2,
    7,
    339563,
    [],
    ['dev', 'home', 'lib', 'proc', 'tmp'],
    [],
    '/tmp',
    {},
    18,
    [],
    true,
    4300,
    true,
    true,
    true,
    true,
    false,
    false,
    false,
    false,
    false,
    false,
    true,
    'wave',
  ],
}
const javascriptView: View = {
  source: `const view = () => [
  [1, 2].map(n => n + 1), [3, 1].sort(), 'a-b'.split('-'), JSON.stringify({ a: 1 }), JSON.parse('[1]'), Math.max(1, 2),
  new Map([[1, 2]]).get(1), [...new Set([1, 1])], typeof left, Object.keys({}), Number('7'), Date.now(),
  Array.isArray([]), /a/.test('a'), 'left' in {}, Object.isExtensible(Object.prototype), Object.isFrozen(Array.prototype),
]`,
  expected: [
    [2, 3],
    [1, 3],
    ['a', 'b'],
    '{"a":1}',
    [1],
    2,
    2,
    [1],
    'undefined',
    [],
    7,
    17e11,
    true,
    true,
    false,
    true,
    false,
  ],
}
