import { grep } from './grep.ts'
import { sort, uniq } from './order.ts'
import { unescape } from './parse.ts'
import { posixClass } from './pattern.ts'
import { formatted } from './printf.ts'
import { globSource, joinLines, linesOf, options, readInputs, type Call, type Result, type Tool } from './tool.ts'

/** The text tools that need no language of their own. */
export const textTools: Readonly<Record<string, Tool>> = {
  cat: call => ({ output: readInputs(call, options(call.args, {}).rest).join('') }),
  echo: ({ args }) => ({ output: args[0] === '-n' ? args.slice(1).join(' ') : `${args.join(' ')}\n` }),
  printf: ({ args: [format = '', ...rest] }) => ({ output: formatted(unescape(format), rest) }),
  true: () => ({ output: '' }),
  grep,
  egrep: call => grep({ ...call, args: ['-E', ...call.args] }),
  fgrep: call => grep({ ...call, args: ['-F', ...call.args] }),
  sort,
  uniq,
  cut,
  head: call => slice(call, (lines, { count }) => lines.slice(0, count), 'head'),
  tail: call =>
    slice(
      call,
      (lines, { count, fromStart }) =>
        fromStart ? lines.slice(count - 1) : lines.slice(count === 0 ? lines.length : -count),
      'tail',
    ),
  wc,
  tr,
  paste,
  tac: call => ({ output: joinLines(linesOf(readInputs(call, call.args).join('')).toReversed()) }),
  rev: call => ({
    output: joinLines(
      linesOf(readInputs(call, call.args).join('')).map(line => Array.from(line).toReversed().join('')),
    ),
  }),
  nl: call => ({
    output: joinLines(
      linesOf(readInputs(call, call.args).join('')).map((line, index) => `${String(index + 1).padStart(6)}\t${line}`),
    ),
  }),
  seq: ({ args }) => {
    const [first, last] = args.length === 1 ? [1, Number(args[0])] : [Number(args[0]), Number(args.at(-1))]
    return {
      output: joinLines(
        Array.from({ length: Math.max(0, Math.min(last - first + 1, 1e5)) }, (_, index) => String(first + index)),
      ),
    }
  },
  basename: ({ args: [name = '', suffix = ''] }) => ({
    output: `${(name.split('/').pop() ?? '').replace(new RegExp(`${globSource(suffix)}$`), '')}\n`,
  }),
}

function cut(call: Call): Result {
  const { flags, values, rest } = options(call.args, { letters: 's', withValue: 'dfcb' })
  const list = (values.f ?? values.c ?? values.b)?.[0]
  if (list === undefined) throw new Error('cut: a list of fields or characters is missing')
  const wanted = list.split(',').map(range => {
    const [low = '', high] = range.split('-')
    return {
      low: Number(low === '' ? 1 : low),
      high: high === undefined ? Number(low) : high === '' ? Infinity : Number(high),
    }
  })
  const keep = (_: string, index: number) => wanted.some(({ low, high }) => index + 1 >= low && index + 1 <= high)
  const delimiter = unescape(values.d?.[0] ?? '\t')
  const lines = linesOf(readInputs(call, rest).join(''))
  if (values.f === undefined) return { output: joinLines(lines.map(line => Array.from(line).filter(keep).join(''))) }
  return {
    output: joinLines(
      lines
        .filter(line => line.includes(delimiter) || !flags.has('s'))
        .map(line => (line.includes(delimiter) ? line.split(delimiter).filter(keep).join(delimiter) : line)),
    ),
  }
}

function slice(
  call: Call,
  pick: (lines: string[], amount: { count: number; fromStart: boolean }) => string[],
  name: string,
): Result {
  const args = call.args.map(word => word.replace(/^-(\d+)$/, '-n$1'))
  const { values, rest } = options(args, { letters: 'q', withValue: 'nc' })
  const amount = values.n?.[0] ?? '10'
  if (!/^[+-]?\d+$/.test(amount)) throw new Error(`${name}: unsupported amount`)
  const text = readInputs(call, rest).join('')
  if (values.c !== undefined)
    return { output: name === 'head' ? text.slice(0, Number(values.c[0])) : text.slice(-Number(values.c[0])) }
  const lines = linesOf(text)
  if (name === 'head' && amount.startsWith('-')) return { output: joinLines(lines.slice(0, Number(amount))) }
  return { output: joinLines(pick(lines, { count: Math.abs(Number(amount)), fromStart: amount.startsWith('+') })) }
}

function wc(call: Call): Result {
  const { flags, rest } = options(call.args, { letters: 'lwcm' })
  const all = flags.size === 0
  const counts = (text: string) => [
    ...(all || flags.has('l') ? [text.split('\n').length - 1] : []),
    ...(all || flags.has('w') ? [text.split(/\s+/).filter(Boolean).length] : []),
    ...(flags.has('m') ? [Array.from(text).length] : []),
    ...(all || flags.has('c') ? [Buffer.byteLength(text)] : []),
  ]
  const rows = readInputs(call, rest).map((text, index) => [...counts(text), rest[index] ?? ''].join(' ').trimEnd())
  if (rest.length > 1) rows.push([...counts(readInputs(call, rest).join('')), 'total'].join(' '))
  return { output: joinLines(rows) }
}

function tr({ args, input }: Call): Result {
  const { flags, rest } = options(args, { letters: 'dscC' })
  const [from, to] = rest.map(letterSet)
  if (from === undefined) throw new Error('tr: a set is missing')
  const outside = flags.has('c') || flags.has('C')
  const hit = (letter: string) => from.includes(letter) !== outside
  if (flags.has('d'))
    return {
      output: Array.from(input)
        .filter(letter => !hit(letter))
        .join(''),
    }
  const squeezed = (text: string, set: (letter: string) => boolean) =>
    Array.from(text)
      .filter((letter, index, letters) => !(set(letter) && letters[index - 1] === letter))
      .join('')
  if (to === undefined) return { output: flags.has('s') ? squeezed(input, hit) : input }
  const mapped = Array.from(input)
    .map(letter =>
      hit(letter) ? (to[outside ? to.length - 1 : Math.min(from.indexOf(letter), to.length - 1)] ?? letter) : letter,
    )
    .join('')
  return { output: flags.has('s') ? squeezed(mapped, letter => to.includes(letter)) : mapped }
}

function letterSet(set: string): string[] {
  const open = set.replace(/\[:(\w+):\]/g, (_, name: string) => posixClass(name).replaceAll('\\s', ' \\t\\n\\r\\f\\v'))
  const letters = Array.from(unescape(open))
  return letters.flatMap((letter, index) => {
    if (letter === '-' && index > 0 && index < letters.length - 1) {
      const [low, high] = [letters[index - 1]!.codePointAt(0)!, letters[index + 1]!.codePointAt(0)!]
      return Array.from({ length: Math.max(0, high - low - 1) }, (_, step) => String.fromCodePoint(low + 1 + step))
    }
    return [letter]
  })
}

function paste(call: Call): Result {
  const { flags, values, rest } = options(call.args, { letters: 's', withValue: 'd' })
  const delimiter = unescape(values.d?.[0] ?? '\t')
  const columns = readInputs(call, rest).map(linesOf)
  if (flags.has('s')) return { output: joinLines(columns.map(lines => lines.join(delimiter))) }
  const height = Math.max(...columns.map(lines => lines.length))
  return {
    output: joinLines(
      Array.from({ length: height }, (_, row) => columns.map(lines => lines[row] ?? '').join(delimiter)),
    ),
  }
}
