import { posixRegExp } from './pattern.ts'
import { filesUnder, joinLines, linesOf, options, readFile, type Call, type Result } from './tool.ts'

/** `grep` with patterns of all three kinds, counting, listing, context and recursion. */
export function grep(call: Call): Result {
  const { flags, values, rest } = options(call.args, { letters: 'ivcnoEFwxlLhHqrRs', withValue: 'emABC' })
  const patterns = values.e ?? [rest.shift() ?? '']
  const sources = patterns
    .flatMap(pattern => pattern.split('\n'))
    .map(pattern => {
      const source = flags.has('F')
        ? pattern.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
        : posixRegExp(pattern, flags.has('E') ? 'extended' : 'basic').source
      return flags.has('x') ? `^(?:${source})$` : flags.has('w') ? `(?<!\\w)(?:${source})(?!\\w)` : source
    })
  const expression = new RegExp(sources.map(source => `(?:${source})`).join('|'), flags.has('i') ? 'gi' : 'g')
  const recursive = flags.has('r') || flags.has('R')
  const names =
    recursive && (rest.length === 0 || rest.some(name => !call.files.has(name))) ? filesUnder(call, rest) : rest
  const named = !flags.has('h') && (flags.has('H') || recursive || names.length > 1)
  const before = Number(values.B?.[0] ?? values.C?.[0] ?? 0)
  const after = Number(values.A?.[0] ?? values.C?.[0] ?? 0)
  let found = false
  const output = (names.length === 0 ? ['-'] : names).flatMap(name => {
    const lines = linesOf(name === '-' ? call.input : readFile(call.files, name))
    let hits = lines.flatMap((line, index) => (line.search(expression) >= 0 !== flags.has('v') ? [index] : []))
    hits = hits.slice(0, Number(values.m?.[0] ?? hits.length))
    found ||= hits.length > 0
    const prefix = named ? `${name}:` : ''
    if (flags.has('c')) return [`${prefix}${hits.length}`]
    if (flags.has('l')) return hits.length > 0 ? [name] : []
    if (flags.has('L')) return hits.length === 0 ? [name] : []
    const shown = new Set(
      hits.flatMap(hit => Array.from({ length: before + after + 1 }, (_, index) => hit - before + index)),
    )
    return lines.flatMap((line, index) => {
      if (!shown.has(index)) return []
      const label = prefix + (flags.has('n') ? `${index + 1}:` : '')
      return flags.has('o')
        ? [...line.matchAll(expression)].filter(([text]) => text !== '').map(([text]) => label + text)
        : [label + line]
    })
  })
  return { output: flags.has('q') ? '' : joinLines(output), status: found ? 0 : 1 }
}
