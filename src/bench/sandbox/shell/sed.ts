import { unescape } from './parse.ts'
import { posixRegExp } from './pattern.ts'
import { joinLines, linesOf, options, readInputs, type Call, type Result } from './tool.ts'

interface Address {
  matches: (line: string, number: number, last: boolean) => boolean
}

interface Instruction {
  from?: Address
  to?: Address
  negated: boolean
  inRange: boolean
  act: (line: string) => { line?: string; print?: boolean; quit?: boolean; append?: string; before?: string }
}

/** `sed` with `-n -E -r -e -i`, addresses and ranges, and the commands `s p d q y a i c`. */
export function sed(call: Call): Result {
  const { flags, values, rest } = options(call.args, { letters: 'nErsi', withValue: 'e' })
  const scripts = values.e ?? [rest.shift() ?? '']
  const dialect = flags.has('E') || flags.has('r') ? 'extended' : 'basic'
  const run = (text: string) => {
    const instructions = scripts.flatMap(script => readScript(script, dialect))
    return joinLines(edit(linesOf(text), instructions, flags.has('n')))
  }
  if (!flags.has('i')) return { output: run(readInputs(call, rest).join('')) }
  for (const name of rest) call.files.set(name, run(readInputs(call, [name]).join('')))
  return { output: '' }
}

function edit(lines: readonly string[], instructions: readonly Instruction[], quiet: boolean): string[] {
  const output: string[] = []
  for (const [index, original] of lines.entries()) {
    let line: string | undefined = original
    let quit = false
    const after: string[] = []
    for (const instruction of instructions) {
      if (!applies(instruction, line, index + 1, index === lines.length - 1)) continue
      const done = instruction.act(line)
      if (done.before !== undefined) output.push(done.before)
      if (done.append !== undefined) after.push(done.append)
      if (done.print === true) output.push(done.line ?? line)
      quit ||= done.quit === true
      line = 'line' in done ? done.line : line
      if (line === undefined || quit) break
    }
    if (line !== undefined && !quiet) output.push(line)
    output.push(...after)
    if (quit) break
  }
  return output
}

function applies(instruction: Instruction, line: string, number: number, last: boolean): boolean {
  const { from, to } = instruction
  let hit = true
  if (from !== undefined && to === undefined) hit = from.matches(line, number, last)
  else if (from !== undefined && to !== undefined) {
    if (instruction.inRange) instruction.inRange = !to.matches(line, number, last)
    else {
      hit = from.matches(line, number, last)
      instruction.inRange = hit
    }
  }
  return hit !== instruction.negated
}

function readScript(script: string, dialect: 'basic' | 'extended'): Instruction[] {
  const instructions: Instruction[] = []
  let text = script
  const take = (pattern: RegExp) => {
    const found = pattern.exec(text)
    if (found !== null) text = text.slice(found[0].length)
    return found
  }
  const address = (): Address | undefined => {
    const found = take(/^(?:(\d+)|(\$)|\/((?:[^/\\]|\\.)*)\/|\\(.)(.*?)\4)/)
    if (found === null) return undefined
    if (found[1] !== undefined) return { matches: (_, number) => number === Number(found[1]) }
    if (found[2] !== undefined) return { matches: (_, __, last) => last }
    const pattern = posixRegExp((found[3] ?? found[5]!).replaceAll('\\/', '/'), dialect)
    return { matches: line => pattern.test(line) }
  }
  const groups: { from?: Address; to?: Address; negated: boolean }[] = []
  for (;;) {
    take(/^[\s;]+/)
    if (text === '') return instructions
    if (take(/^\}/) !== null) {
      groups.pop()
      continue
    }
    const from = address()
    const to = take(/^\s*,\s*/) === null ? undefined : address()
    const negated = take(/^\s*!/) !== null
    take(/^\s*/)
    const scope = { negated, ...(from && { from }), ...(to && { to }) }
    if (take(/^\{/) !== null) {
      if (groups.length > 0) throw new Error('sed: nested { } are not supported here')
      groups.push(scope)
      continue
    }
    const around = groups.at(-1)
    if (around !== undefined && from !== undefined) throw new Error('sed: an address inside { } is not supported here')
    instructions.push({ ...(around ?? scope), inRange: false, act: readAction(take, dialect) })
  }
}

function readAction(
  take: (pattern: RegExp) => RegExpExecArray | null,
  dialect: 'basic' | 'extended',
): Instruction['act'] {
  if (take(/^p/) !== null) return () => ({ print: true })
  if (take(/^d/) !== null) return () => ({ line: undefined })
  if (take(/^q/) !== null) return () => ({ quit: true })
  const added = take(/^([aic])(?:\\\n?|\s)\s*([^\n]*)/)
  if (added !== null) {
    const words = unescape(added[2]!)
    if (added[1] === 'a') return () => ({ append: words })
    return added[1] === 'i' ? () => ({ before: words }) : () => ({ before: words, line: undefined })
  }
  const letters = take(/^y(.)(.*?)\1(.*?)\1/)
  if (letters !== null) {
    return line => ({
      line: Array.from(line)
        .map(letter => letters[3]![letters[2]!.indexOf(letter)] ?? letter)
        .join(''),
    })
  }
  const found = take(/^s(.)((?:(?!\1)[^\\]|\\.)*)\1((?:(?!\1)[^\\]|\\[^])*)\1([gpIiE0-9]*)/)
  if (found === null) throw new Error('sed: unknown command, or an unterminated one')
  const [, mark, pattern, replacement, flags] = found as unknown as [string, string, string, string, string]
  const nth = Number(/\d+/.exec(flags)?.[0] ?? 1)
  const expression = posixRegExp(
    mark === '\\' ? pattern : pattern.replaceAll(`\\${mark}`, /[|+?(){}.*]/.test(mark) ? `[${mark}]` : mark),
    dialect,
    /i/i.test(flags) ? 'gi' : 'g',
  )
  return line => {
    let count = 0
    const changed = line.replace(expression, (...found: unknown[]) => {
      count++
      const wanted = flags.includes('g') ? count >= nth : count === nth
      return wanted ? filled(replacement, found as string[]) : (found[0] as string)
    })
    const hit = count >= nth
    return { line: changed, print: hit && flags.includes('p') }
  }
}

/** `&` and `\1` in a replacement; `\U \L \E` as GNU sed has them. */
function filled(replacement: string, groups: readonly string[]): string {
  let shape = (text: string) => text
  return replacement.replace(
    /\\([ULE])|\\([0-9])|(&)|\\([^])|([^\\&])/g,
    (_, turn?: string, group?: string, all?: string, escaped?: string, plain?: string) => {
      if (turn !== undefined) {
        shape = turn === 'U' ? text => text.toUpperCase() : turn === 'L' ? text => text.toLowerCase() : text => text
        return ''
      }
      if (group !== undefined) return shape(groups[Number(group)] ?? '')
      if (all !== undefined) return shape(groups[0]!)
      return shape(escaped === undefined ? (plain ?? '') : unescape(`\\${escaped}`))
    },
  )
}
