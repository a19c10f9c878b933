import { unescape } from './parse.ts'
import { joinLines, linesOf, options, readInputs, type Call, type Result } from './tool.ts'

/** `sort` by whole lines or by keys. */
export function sort(call: Call): Result {
  const { flags, values, rest } = options(call.args, { letters: 'nrufhs', withValue: 'kto' })
  const separator = values.t?.[0] === undefined ? undefined : unescape(values.t[0])
  const keys = (values.k ?? ['1']).map(key => {
    const found = /^(\d+)(?:\.\d+)?([a-z]*)(?:,(\d+)(?:\.\d+)?([a-z]*))?$/.exec(key)
    if (found === null) throw new Error(`sort: invalid key ${key}`)
    const own = (found[2] ?? '') + (found[4] ?? '')
    const has = (flag: string) => (own === '' ? flags.has(flag) : own.includes(flag))
    const whole = values.k === undefined
    return {
      pick: (line: string) => {
        if (whole) return line
        // Without a separator a field begins with the blanks before it.
        const fields = separator === undefined ? (line.match(/\s*\S+/g) ?? []) : line.split(separator)
        return fields
          .slice(Number(found[1]) - 1, found[3] === undefined ? undefined : Number(found[3]))
          .join(separator ?? '')
      },
      numeric: has('n') || has('h'),
      reverse: has('r'),
      fold: has('f'),
    }
  })
  const compare = (a: string, b: string): number => {
    for (const key of keys) {
      const [left, right] = [key.pick(a), key.pick(b)]
      const order = key.numeric
        ? leadingNumber(left) - leadingNumber(right)
        : bytes(key.fold ? left.toUpperCase() : left, key.fold ? right.toUpperCase() : right)
      if (order !== 0) return key.reverse ? -order : order
    }
    return 0
  }
  let lines = linesOf(readInputs(call, rest).join('')).sort((a, b) => {
    const order = compare(a, b)
    return order !== 0 || flags.has('s') || flags.has('u') ? order : (flags.has('r') ? -1 : 1) * bytes(a, b)
  })
  if (flags.has('u')) lines = lines.filter((line, index) => index === 0 || compare(line, lines[index - 1]!) !== 0)
  return { output: joinLines(lines) }
}

const bytes = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
const leadingNumber = (text: string) => Number(/^\s*-?\d*\.?\d+/.exec(text)?.[0] ?? 0)

/** `uniq` with `-c -d -u -i`. */
export function uniq(call: Call): Result {
  const { flags, rest } = options(call.args, { letters: 'cdui' })
  const groups: { line: string; count: number }[] = []
  const same = (a: string, b: string) => (flags.has('i') ? a.toLowerCase() === b.toLowerCase() : a === b)
  for (const line of linesOf(readInputs(call, rest).join(''))) {
    const last = groups.at(-1)
    if (last !== undefined && same(last.line, line)) last.count++
    else groups.push({ line, count: 1 })
  }
  const kept = groups.filter(
    ({ count }) => (flags.has('d') ? count > 1 : true) && (flags.has('u') ? count === 1 : true),
  )
  return {
    output: joinLines(kept.map(({ line, count }) => (flags.has('c') ? `${String(count).padStart(7)} ${line}` : line))),
  }
}
