import { lineFrom } from '../extract.ts'
import { passesCases } from './code.ts'
import { prompt, text, type Difficulty, type Suite, type Task } from './suite.ts'

interface Pattern {
  name: string
  difficulty: Difficulty
  wanted: string
  /** Each text with the expected matches: all matches, or for `capture` the groups of the first match. */
  finds: readonly (readonly [text: string, found: readonly (string | null)[]])[]
  capture?: boolean
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
  {
    name: 'trailing-spaces',
    difficulty: 'easy',
    wanted:
      'finds the runs of spaces and tabs at the end of a line or of the text, without the line end itself (\\n or \\r\\n)',
    finds: [
      ['a  \nb\t\nc ', ['  ', '\t', ' ']],
      ['a b\n\nc', []],
      ['a \r\nb', [' ']],
    ],
    reference: raw`[ \t]+(?=\r?\n|$)`,
    wrong: raw`\s+$`,
  },
  {
    name: 'repeated-word',
    difficulty: 'easy',
    wanted:
      'finds a word of ASCII letters that is written twice in a row, both words and the white space between them; upper and lower case differ',
    finds: [
      ['it is is so', ['is is']],
      ['this is fine', []],
      ['go go gopher', ['go go']],
      ['no\nno', ['no\nno']],
      ['in inn, The the', []],
    ],
    reference: raw`\b([A-Za-z]+)\s+\1\b`,
    wrong: raw`(\w+)\s+\1`,
  },
  {
    name: 'versions',
    difficulty: 'easy',
    wanted:
      'finds versions of three numbers without leading zeros, as 1.20.3, that are not preceded by a digit or a dot and not followed by a digit, nor by a dot with a digit beyond it',
    finds: [
      ['v1.2.3 and 10.20.30', ['1.2.3', '10.20.30']],
      ['01.2.3 1.02.3 1.2.03', []],
      ['1.2.3.4 1.2', []],
      ['use 0.0.1.', ['0.0.1']],
    ],
    reference: raw`(?<![\d.])(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?!\d|\.\d)`,
    wrong: raw`\d+\.\d+\.\d+`,
  },
  {
    name: 'clock-times',
    difficulty: 'medium',
    wanted:
      'finds times as "9:05 am" or "12:30PM": an hour 1–12 without a leading zero and not preceded by a digit, minutes 00–59, at most one space, and am, pm, AM or PM, not followed by another word character',
    finds: [
      ['9:05 am, 12:30PM', ['9:05 am', '12:30PM']],
      ['13:00 pm 0:30 am 09:15 am', []],
      ['7:60 pm 7:5 pm 7:15 amber 7:15 aM', []],
      ['at 1:00pm.', ['1:00pm']],
    ],
    reference: raw`(?<!\d)(?:1[0-2]|[1-9]):[0-5]\d ?(?:am|pm|AM|PM)\b`,
    wrong: raw`\d{1,2}:\d{2} ?[apAP][mM]`,
  },
  {
    name: 'assignment',
    difficulty: 'medium',
    capture: true,
    wanted:
      'matches a whole line NAME=value, with or without "export " before it, where NAME has ASCII letters, digits and underscores and does not start with a digit, and captures the name and the value without surrounding spaces (the value may be empty)',
    finds: [
      ['export PATH= /bin ', ['PATH', '/bin']],
      ['A1=', ['A1', '']],
      ['1A=x', []],
      ['a-b=c', []],
      ['K=a=b', ['K', 'a=b']],
      ['exported=1', ['exported', '1']],
    ],
    reference: raw`^(?:export )?([A-Za-z_]\w*)=\s*(.*?)\s*$`,
    wrong: raw`(\w+)=(.*)`,
  },
  {
    name: 'grouped-numbers',
    difficulty: 'medium',
    wanted:
      'finds whole numbers whose thousands are grouped by commas, as 12,345,678 (at least one comma), not preceded by a digit or a comma and not followed by a digit, nor by a comma with a digit beyond it',
    finds: [
      ['1,234 and 12,345,678.', ['1,234', '12,345,678']],
      ['1234 1,23 1,2345 12,34,567', []],
      ['about 999,999, or more', ['999,999']],
    ],
    reference: raw`(?<![\d,])\d{1,3}(?:,\d{3})+(?!\d|,\d)`,
    wrong: raw`\d{1,3}(?:,\d{3})+`,
  },
  {
    name: 'plain-elements',
    difficulty: 'hard',
    wanted:
      'finds elements like <b>text</b>: a name of lower-case ASCII letters without attributes, text without any "<", and the closing tag of the same name',
    finds: [
      ['<b>x</b><i></i>', ['<b>x</b>', '<i></i>']],
      ['<b>x</i>', []],
      ['<b><i>y</i></b>', ['<i>y</i>']],
      ['<a>1</ab>', []],
      ['<B>x</B> <p class="q">z</p>', []],
    ],
    reference: raw`<([a-z]+)>[^<]*<\/\1>`,
    wrong: raw`<[a-z]+>.*?<\/[a-z]+>`,
  },
  {
    name: 'line-comments',
    difficulty: 'hard',
    wanted:
      'finds comments that start with // and go to the end of their line, but not a // inside a string in double quotes (strings have no escapes and do not cross line ends)',
    finds: [
      ['a // b', ['// b']],
      ['x = "http://y" // z', ['// z']],
      ['"//"', []],
      ['// one\n"a" //two // three', ['// one', '//two // three']],
    ],
    reference: raw`(?<=(?:^|\n)(?:[^"\n]|"[^"\n]*")*)\/\/.*`,
    wrong: raw`\/\/.*`,
  },
]

function patternTask({ name, difficulty, wanted, finds, capture = false, reference, wrong }: Pattern): Task {
  return {
    id: `regex/${name}`,
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

/** The expression with or without its slashes; all matches are always searched for. */
function literal(line: string): { source: string; flags: string } {
  const found = /^(?:const \w+ = )?\/(.*)\/([a-z]*);?$/s.exec(line)
  const [source, flags] = found === null ? [line, ''] : [found[1]!, found[2]!]
  return { source, flags: flags.includes('g') ? flags.replace('y', '') : `${flags}g` }
}

export const regex: Suite = {
  name: 'regex',
  title: 'Regular expressions',
  version: 1,
  maxOutputTokens: 2_048,
  tasks: patterns.map(patternTask),
}
