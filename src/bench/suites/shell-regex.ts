import { lineFrom } from '../extract.ts'
import { passesCases } from './code.ts'
import { prompt, text, verdict, type Difficulty, type Suite, type Task } from './suite.ts'

interface Pattern {
  name: string
  difficulty: Difficulty
  wanted: string
  /** Each text with what the expression must find in it: all matches, or for `capture` the first match's groups. */
  finds: readonly (readonly [text: string, found: readonly (string | null)[]])[]
  capture?: boolean
  reference: string
  wrong: string
}

interface OneLiner {
  name: string
  difficulty: Difficulty
  wanted: string
  files: Readonly<Record<string, string>>
  output: string
  /** Other files and what must come out then, so that an answer cannot be a copy of the example. */
  again: readonly (readonly [files: Readonly<Record<string, string>>, output: string])[]
  reference: string
  wrong: string
}

const raw = String.raw

const patterns: readonly Pattern[] = [
  {
    name: 'iso-dates',
    difficulty: 'easy',
    wanted:
      'finds dates of the form YYYY-MM-DD with a month 01–12 and a day 01–31, but not inside longer runs of digits',
    finds: [
      ['from 2024-01-31 to 2023-12-05.', ['2024-01-31', '2023-12-05']],
      ['2024-13-01 2024-00-10 2024-01-32 2024-1-1', []],
      ['12024-01-011', []],
    ],
    reference: raw`(?<!\d)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)`,
    wrong: raw`\d{4}-\d{2}-\d{2}`,
  },
  {
    name: 'hex-colours',
    difficulty: 'easy',
    wanted: 'finds CSS hex colours: # and 3, 4, 6 or 8 hexadecimal digits, not followed by another word character',
    finds: [
      ['color: #fff; background:#A1B2C3;', ['#fff', '#A1B2C3']],
      ['#12345 #1234567 #ggg #ff', []],
      ['#abcd #11223344', ['#abcd', '#11223344']],
    ],
    reference: raw`#(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{6}|[0-9a-fA-F]{3,4})(?!\w)`,
    wrong: raw`#[0-9a-fA-F]{3,8}\b`,
  },
  {
    name: 'quoted-strings',
    difficulty: 'medium',
    wanted:
      'finds double-quoted strings, quotes included, in which a backslash escapes the next character (also a quote or a backslash); a string does not cross a line end',
    finds: [
      [raw`say "hi" and "a \"b\" c"`, ['"hi"', raw`"a \"b\" c"`]],
      [raw`"\\" x "y"`, [raw`"\\"`, '"y"']],
      ['"open\n"closed"', ['"closed"']],
      ['""', ['""']],
    ],
    reference: raw`"(?:[^"\\\n]|\\[^\n])*"`,
    wrong: raw`".*?"`,
  },
  {
    name: 'log-line',
    difficulty: 'medium',
    capture: true,
    wanted:
      'matches a whole log line like "[2024-05-01 10:00:00] ERROR (db) message text" and captures, in this order, the level (upper-case letters), the component without its parentheses (undefined when the parentheses are missing) and the message without surrounding spaces',
    finds: [
      ['[2024-05-01 10:00:00] ERROR (db) it broke', ['ERROR', 'db', 'it broke']],
      ['[x] WARN no component (really) ', ['WARN', null, 'no component (really)']],
      ['[x] info (db) no', []],
      ['junk [x] ERROR (db) a', []],
    ],
    reference: raw`^\[[^\]]*\] ([A-Z]+) (?:\(([^)]*)\) )?\s*(.*?)\s*$`,
    wrong: raw`\[.*\] (\w+) \((.*)\) (.*)`,
  },
  {
    name: 'camel-split',
    difficulty: 'medium',
    wanted:
      'finds the words of a camelCase or PascalCase identifier: runs of capitals before a capitalised word are a word (HTTPServer gives HTTP, Server), digits are words of their own',
    finds: [
      ['parseHTTPResponse2xx', ['parse', 'HTTP', 'Response', '2', 'xx']],
      ['XMLHttpRequest', ['XML', 'Http', 'Request']],
      ['simple', ['simple']],
      ['ID', ['ID']],
      ['getURL', ['get', 'URL']],
    ],
    reference: raw`[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|\d+`,
    wrong: raw`[A-Z]?[a-z]+|[A-Z]+|\d+`,
  },
  {
    name: 'password',
    difficulty: 'hard',
    wanted:
      'matches a whole text of 8 to 20 characters with no spaces that has at least one digit, one lower-case and one upper-case ASCII letter and in which no character comes three times in a row',
    finds: [
      ['Passw0rd', ['Passw0rd']],
      ['passw0rd', []],
      ['Pass w0rd', []],
      ['Paaassw0rd', []],
      ['P0a', []],
      ['Aa1Aa1Aa1Aa1Aa1Aa1Aa1', []],
      ['Aa1Aa1Aa1Aa1Aa1Aa1Aa', ['Aa1Aa1Aa1Aa1Aa1Aa1Aa']],
      ['AA11bb22cc', ['AA11bb22cc']],
    ],
    reference: raw`^(?=.*\d)(?=.*[a-z])(?=.*[A-Z])(?!.*(.)\1\1)\S{8,20}$`,
    wrong: raw`^(?=.*\d)(?=.*[a-z])(?=.*[A-Z])\S{8,20}$`,
  },
  {
    name: 'ipv4',
    difficulty: 'hard',
    wanted:
      'finds IPv4 addresses (four numbers 0–255 without leading zeros) that are not part of a longer dotted number: neither preceded nor followed by a digit, nor by a dot with a digit beyond it',
    finds: [
      ['10.0.0.1, 255.255.255.255', ['10.0.0.1', '255.255.255.255']],
      ['256.1.1.1 1.2.3.04', []],
      ['1.2.3.4.5 v11.2.3.4', ['11.2.3.4']],
      ['at 192.168.1.20.', ['192.168.1.20']],
      ['0.0.0.0/8', ['0.0.0.0']],
    ],
    reference: raw`(?<!\d)(?<!\d\.)(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?!\d)(?!\.\d)`,
    wrong: raw`\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b`,
  },
]

const log = `10.0.0.1 GET /index.html 200 512
10.0.0.2 GET /missing 404 128
10.0.0.1 POST /login 302 64
10.0.0.3 GET /index.html 200 512
10.0.0.2 GET /app.js 500 32
10.0.0.1 GET /app.js 200 2048
`
const quiet = `192.168.0.9 GET /a 503 1
192.168.0.9 GET /a 200 2
192.168.0.7 GET /b 404 4
`
const staff = `name,team,salary
Ann,web,5200
Bob,data,6100
Cy,web,4800
Di,ops,5000
Ed,data,5900
`
const crew = `name,team,salary
Zed,sea,10
Yul,air,30
Xi,sea,20
`

const oneLiners: readonly OneLiner[] = [
  {
    name: 'count-errors',
    difficulty: 'easy',
    wanted:
      'Print the number of requests in access.log with a status of 400 or more. A line is: client, method, path, status, bytes, separated by single spaces.',
    files: { 'access.log': log },
    output: '2\n',
    again: [
      [{ 'access.log': quiet }, '2\n'],
      [{ 'access.log': '1.1.1.1 GET /404 200 500\n' }, '0\n'],
    ],
    reference: `awk '$4 >= 400 { n++ } END { print n + 0 }' access.log`,
    wrong: `grep -c '[45]0[0-9]' access.log`,
  },
  {
    name: 'unique-clients',
    difficulty: 'easy',
    wanted: 'Print the different clients (first field) of access.log, sorted, one per line.',
    files: { 'access.log': log },
    output: '10.0.0.1\n10.0.0.2\n10.0.0.3\n',
    again: [[{ 'access.log': quiet }, '192.168.0.7\n192.168.0.9\n']],
    reference: `cut -d' ' -f1 access.log | sort -u`,
    wrong: `cut -d' ' -f1 access.log | uniq`,
  },
  {
    name: 'strip-comments',
    difficulty: 'easy',
    wanted:
      'Print app.conf without blank lines (spaces only count as blank) and without lines whose first non-space character is #.',
    files: { 'app.conf': '# top\nport = 80\n\n   # inner\n  \nhost = a # b\n' },
    output: 'port = 80\nhost = a # b\n',
    again: [[{ 'app.conf': 'x#1\n\t\n#\n y\n' }, 'x#1\n y\n']],
    reference: raw`grep -Ev '^[[:space:]]*(#|$)' app.conf`,
    wrong: `grep -v '#' app.conf | grep -v '^$'`,
  },
  {
    name: 'rank-paths',
    difficulty: 'medium',
    wanted:
      'Print the paths (third field) of access.log with how often they occur, as "count path" with one space, most frequent first, ties by path.',
    files: { 'access.log': log },
    output: '2 /app.js\n2 /index.html\n1 /login\n1 /missing\n',
    again: [[{ 'access.log': quiet }, '2 /a\n1 /b\n']],
    reference: `awk '{ n[$3]++ } END { for (p in n) print n[p], p }' access.log | sort -k1,1nr -k2,2`,
    wrong: `cut -d' ' -f3 access.log | sort | uniq -c | sort -rn`,
  },
  {
    name: 'average-by-team',
    difficulty: 'medium',
    wanted:
      'staff.csv has the header name,team,salary. Print for each team its name and average salary with one decimal, separated by a space, sorted by team.',
    files: { 'staff.csv': staff },
    output: 'data 6000.0\nops 5000.0\nweb 5000.0\n',
    again: [[{ 'staff.csv': crew }, 'air 30.0\nsea 15.0\n']],
    reference: `awk -F, 'NR > 1 { s[$2] += $3; n[$2]++ } END { for (t in s) printf "%s %.1f\\n", t, s[t] / n[t] }' staff.csv | sort`,
    wrong: `awk -F, '{ s[$2] += $3; n[$2]++ } END { for (t in s) printf "%s %.1f\\n", t, s[t] / n[t] }' staff.csv | sort`,
  },
  {
    name: 'rename-key',
    difficulty: 'medium',
    wanted:
      'Print settings.ini with the key "colour" renamed to "color". Only the key changes: it stands at the start of a line, may have spaces before it, and is followed by optional spaces and "=".',
    files: { 'settings.ini': 'colour = red\ntint = colour = x\n  colour=blue\ncolours = 3\n' },
    output: 'color = red\ntint = colour = x\n  color=blue\ncolours = 3\n',
    again: [[{ 'settings.ini': 'colour  =colour\n;colour = 1\n' }, 'color  =colour\n;colour = 1\n']],
    reference: raw`sed -E 's/^([[:space:]]*)colour([[:space:]]*=)/\1color\2/' settings.ini`,
    wrong: `sed 's/colour/color/' settings.ini`,
  },
  {
    name: 'find-todos',
    difficulty: 'medium',
    wanted:
      'Print the names of all .ts files below src (at any depth, but not .test.ts files) that contain the word TODO, sorted, as paths beginning with src/.',
    files: {
      'src/a.ts': '// TODO x\n',
      'src/deep/b.ts': 'ok\n',
      'src/deep/c.ts': 'TODO\n',
      'src/d.test.ts': 'TODO\n',
      'src/e.js': 'TODO\n',
      'lib/f.ts': 'TODO\n',
    },
    output: 'src/a.ts\nsrc/deep/c.ts\n',
    again: [
      [
        { 'src/z.ts': 'TODO TODO\n', 'src/y.ts': 'TODOS\n', 'src/x/w.ts': 'a TODO: b\nTODO\n' },
        'src/x/w.ts\nsrc/z.ts\n',
      ],
    ],
    reference: `find src -name '*.ts' ! -name '*.test.ts' | xargs grep -lw TODO | sort`,
    wrong: `grep -rl TODO src | sort`,
  },
  {
    name: 'transfer-per-client',
    difficulty: 'hard',
    wanted:
      'Print for each client of access.log whose requests all succeeded (status below 400) the client and the sum of its bytes (fifth field), separated by a space, largest sum first; ties by client.',
    files: { 'access.log': log },
    output: '10.0.0.1 2624\n10.0.0.3 512\n',
    again: [
      [{ 'access.log': quiet }, ''],
      [{ 'access.log': 'b GET / 200 5\na GET / 200 5\nc GET / 399 9\n' }, 'c 9\na 5\nb 5\n'],
    ],
    reference: `awk '{ s[$1] += $5 } $4 >= 400 { bad[$1] = 1 } END { for (c in s) if (!(c in bad)) print c, s[c] }' access.log | sort -k2,2nr -k1,1`,
    wrong: `awk '$4 < 400 { s[$1] += $5 } END { for (c in s) print c, s[c] }' access.log | sort -k2,2nr -k1,1`,
  },
  {
    name: 'best-paid',
    difficulty: 'hard',
    wanted:
      'staff.csv has the header name,team,salary. Print for each team the name with the highest salary as "team: name", sorted by team; of equal salaries the one that comes first in the file.',
    files: { 'staff.csv': staff },
    output: 'data: Bob\nops: Di\nweb: Ann\n',
    again: [
      [{ 'staff.csv': crew }, 'air: Yul\nsea: Xi\n'],
      [{ 'staff.csv': 'name,team,salary\nA,t,9\nB,t,9\nC,t,10\nD,t,10\n' }, 't: C\n'],
    ],
    reference: `awk -F, 'NR > 1 && (!($2 in max) || $3 > max[$2]) { max[$2] = $3; who[$2] = $1 } END { for (t in who) print t ": " who[t] }' staff.csv | sort`,
    wrong: `tail -n +2 staff.csv | sort -t, -k2,2 -k3,3 | awk -F, '{ who[$2] = $1 } END { for (t in who) print t ": " who[t] }' | sort`,
  },
  {
    name: 'join-sections',
    difficulty: 'hard',
    wanted:
      'notes.md has headings ("# Title") each followed by lines. Print one line for each heading: the title without "# ", a colon, a space, and the number of non-empty lines below it before the next heading, in order of the file. Lines before the first heading are ignored.',
    files: { 'notes.md': 'intro\n# One\na\n\nb\n# Two\n# Three\nc\n' },
    output: 'One: 2\nTwo: 0\nThree: 1\n',
    again: [
      [{ 'notes.md': '# A b\n\n\n' }, 'A b: 0\n'],
      [{ 'notes.md': '# X\n#no heading\ny\n# Z\nz\n' }, 'X: 2\nZ: 1\n'],
    ],
    reference: `awk '/^# / { if (t != "") print t ": " n; t = substr($0, 3); n = 0; next } t != "" && NF { n++ } END { if (t != "") print t ": " n }' notes.md`,
    wrong: `awk '/^#/ { if (t != "") print t ": " n; t = substr($0, 3); n = 0; next } NF { n++ } END { print t ": " n }' notes.md`,
  },
]

function patternTask({ name, difficulty, wanted, finds, capture = false, reference, wrong }: Pattern): Task {
  return {
    id: `shell-regex/${name}`,
    difficulty,
    ask: prompt(
      `Write a JavaScript regular expression that ${wanted}. Reply with the expression alone, as a literal like /…/g.`,
    ),
    check: (reply, sandbox, signal) => {
      const { source, flags } = literal(lineFrom(reply.content ?? ''))
      const expression = `new RegExp(${JSON.stringify(source)}, ${JSON.stringify(flags)})`
      return passesCases(
        capture
          ? `const find = text => { const m = ${expression}.exec(text); return m === null ? [] : m.slice(1).map(g => g ?? null) }`
          : `const find = text => [...text.matchAll(${expression})].map(m => m[0])`,
        'javascript',
        finds.map(([text, found]) => [`find(${JSON.stringify(text)})`, found]),
        sandbox,
        signal,
      )
    },
    reference: text(`/${reference}/${capture ? '' : 'g'}`),
    wrong: text(`/${wrong}/${capture ? '' : 'g'}`),
  }
}

/** The expression with or without its slashes; finding all matches is always meant. */
function literal(line: string): { source: string; flags: string } {
  const found = /^(?:const \w+ = )?\/(.*)\/([a-z]*);?$/s.exec(line)
  const [source, flags] = found === null ? [line, ''] : [found[1]!, found[2]!]
  return { source, flags: flags.includes('g') ? flags.replace('y', '') : `${flags}g` }
}

function oneLinerTask({ name, difficulty, wanted, files, output, again, reference, wrong }: OneLiner): Task {
  const [file, sample] = Object.entries(files)[0]!
  const example =
    Object.keys(files).length > 1
      ? `The files: ${Object.keys(files).join(', ')}.`
      : `For example, ${file} may be:\n\n${sample}`
  return {
    id: `shell-regex/${name}`,
    difficulty,
    ask: prompt(
      `${wanted}\n\n${example}\nWrite it as one POSIX shell command line from grep, sed, awk, sort, uniq, cut, head, tail, wc, tr, paste, find and xargs; no loops, no variables of the shell. Reply with the command line alone.`,
    ),
    check: async (reply, sandbox, signal) => {
      const source = lineFrom(reply.content ?? '')
      if (source === '') return verdict('the reply holds no command line')
      for (const [given, wantedOutput] of [[files, output] as const, ...again]) {
        const run = await sandbox.shell({ source, files: given }, signal)
        if (run.failure !== undefined) return verdict(run.failure)
        const got = String(run.outcomes[0]?.value)
        if (got.trimEnd() !== wantedOutput.trimEnd())
          return verdict(`expected ${JSON.stringify(wantedOutput)}, got ${JSON.stringify(got.slice(0, 200))}`)
      }
      return verdict(undefined)
    },
    reference: text(`\`\`\`sh\n${reference}\n\`\`\``),
    wrong: text(`\`\`\`sh\n${wrong}\n\`\`\``),
  }
}

export const shellRegex: Suite = {
  name: 'shell-regex',
  title: 'Regular expressions and shell one-liners',
  version: 1,
  maxOutputTokens: 2_048,
  tasks: [...patterns.map(patternTask), ...oneLiners.map(oneLinerTask)],
}
