import { parseAwk, type Block, type Expression, type Pattern, type Statement } from './awk-parse.ts'
import { unescape } from './parse.ts'
import { posixRegExp } from './pattern.ts'
import { formatted } from './printf.ts'
import { linesOf, options, readInputs, type Call, type Result } from './tool.ts'

type Value = string | number
/** A field or input value that looks like a number compares as one; a string constant never does. */
type Scalar = { text: string; numeric: boolean } | Value

const stepLimit = 2_000_000

class Next extends Error {}
class Exit extends Error {}
class Break extends Error {}
class Continue extends Error {}

/** `awk` with patterns, ranges, fields, arrays, control flow and the string functions; no user functions, no getline. */
export function awk(call: Call): Result {
  const { values, rest } = options(call.args, { withValue: 'Fv' })
  const program = parseAwk(rest.shift() ?? '')
  const machine = createMachine()
  if (values.F?.[0] !== undefined) machine.set('FS', unescape(values.F[0]))
  for (const assignment of values.v ?? []) {
    const [name = '', ...value] = assignment.split('=')
    machine.set(name, input(unescape(value.join('='))))
  }
  try {
    machine.runAll(program, pattern => pattern === 'BEGIN')
    if (program.some(block => block.pattern !== 'BEGIN')) {
      for (const [index, text] of readInputs(call, rest).entries()) {
        machine.startFile(rest[index] ?? '')
        for (const line of linesOf(text)) {
          machine.read(line)
          try {
            machine.runAll(program, pattern => pattern !== 'BEGIN' && pattern !== 'END')
          } catch (thrown) {
            if (!(thrown instanceof Next)) throw thrown
          }
        }
      }
    }
  } catch (thrown) {
    if (!(thrown instanceof Exit)) throw thrown
  }
  try {
    machine.runAll(program, pattern => pattern === 'END')
  } catch (thrown) {
    if (!(thrown instanceof Exit)) throw thrown
  }
  return { output: machine.output() }
}

const input = (text: string): Scalar => ({ text, numeric: /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/.test(text) })
const string = (value: Scalar): string =>
  typeof value === 'object' ? value.text : typeof value === 'string' ? value : numberText(value)
const number = (value: Scalar): number =>
  typeof value === 'number' ? value : Number(/^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?/.exec(string(value))?.[0] ?? 0)
const truth = (value: Scalar): boolean =>
  typeof value === 'number'
    ? value !== 0
    : typeof value === 'object' && value.numeric
      ? number(value) !== 0
      : string(value) !== ''
const numberText = (value: number) => (Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6))))

function createMachine() {
  const variables = new Map<string, Scalar>(
    Object.entries({
      FS: ' ',
      OFS: ' ',
      ORS: '\n',
      NR: 0,
      FNR: 0,
      NF: 0,
      FILENAME: '',
      SUBSEP: '\x1c',
      RSTART: 0,
      RLENGTH: -1,
    }),
  )
  const arrays = new Map<string, Map<string, Scalar>>()
  const openRanges = new Set<Pattern>()
  let fields: string[] = []
  let record = ''
  let output = ''
  let steps = 0

  const get = (name: string): Scalar => variables.get(name) ?? input('')
  const array = (name: string) => arrays.get(name) ?? arrays.set(name, new Map()).get(name)!
  const split = (text: string, separator: string): string[] => {
    if (separator === ' ') return text.split(/[ \t\n]+/).filter(Boolean)
    if (text === '') return []
    return text.split(separator.length === 1 ? separator : posixRegExp(separator, 'extended'))
  }
  const set = (name: string, value: Scalar) => {
    variables.set(name, value)
    if (name !== 'NF') return
    fields.length = number(value)
    fields = Array.from(fields, field => field ?? '')
    record = fields.join(string(get('OFS')))
  }
  const setField = (index: number, value: Scalar) => {
    if (index === 0) {
      record = string(value)
      fields = split(record, string(get('FS')))
    } else {
      while (fields.length < index) fields.push('')
      fields[index - 1] = string(value)
      record = fields.join(string(get('OFS')))
    }
    variables.set('NF', fields.length)
  }
  const read = (line: string) => {
    setField(0, line)
    variables.set('NR', number(get('NR')) + 1)
    variables.set('FNR', number(get('FNR')) + 1)
  }

  const expressionOf = (node: Expression) =>
    node.kind === 'regexp' ? posixRegExp(node.source, 'extended') : posixRegExp(string(evaluate(node)), 'extended')

  const assign = (target: Expression, value: Scalar): Scalar => {
    if (target.kind === 'variable') set(target.name, value)
    else if (target.kind === 'field') setField(number(evaluate(target.index)), value)
    else if (target.kind === 'element') array(target.name).set(keyOf(target.keys), value)
    else throw new Error('awk: this cannot be assigned to')
    return value
  }
  const keyOf = (keys: readonly Expression[]) => keys.map(key => string(evaluate(key))).join('\x1c')

  const compare = (left: Scalar, right: Scalar): number => {
    const numeric = (value: Scalar) =>
      typeof value === 'number' || (typeof value === 'object' && (value.numeric || value.text === ''))
    if (numeric(left) && numeric(right)) return number(left) - number(right)
    const [a, b] = [string(left), string(right)]
    return a < b ? -1 : a > b ? 1 : 0
  }
  const arithmetic = (operator: string, a: number, b: number): number => {
    if (operator === '+') return a + b
    if (operator === '-') return a - b
    if (operator === '*') return a * b
    if (operator === '^') return a ** b
    if (b === 0) throw new Error('awk: division by zero')
    return operator === '/' ? a / b : a % b
  }
  const binary = (operator: string, left: Expression, right: Expression): Scalar => {
    if (operator === '&&') return Number(truth(evaluate(left)) && truth(evaluate(right)))
    if (operator === '||') return Number(truth(evaluate(left)) || truth(evaluate(right)))
    if (operator === '~') return Number(expressionOf(right).test(string(evaluate(left))))
    if (operator === '!~') return Number(!expressionOf(right).test(string(evaluate(left))))
    const [a, b] = [evaluate(left), evaluate(right)]
    if (operator === ' ') return string(a) + string(b)
    const order = ['<', '<=', '==', '!=', '>', '>='].indexOf(operator)
    if (order < 0) return arithmetic(operator, number(a), number(b))
    const sign = compare(a, b)
    return Number([sign < 0, sign <= 0, sign === 0, sign !== 0, sign > 0, sign >= 0][order])
  }

  const evaluate = (node: Expression): Scalar => {
    if (++steps > stepLimit) throw new Error('awk: the program runs too long')
    switch (node.kind) {
      case 'number':
      case 'string':
        return node.value
      case 'regexp':
        return Number(posixRegExp(node.source, 'extended').test(record))
      case 'variable':
        return get(node.name)
      case 'field': {
        const index = number(evaluate(node.index))
        return input(index === 0 ? record : (fields[index - 1] ?? ''))
      }
      case 'element': {
        const members = array(node.name)
        const key = keyOf(node.keys)
        if (!members.has(key)) members.set(key, input(''))
        return members.get(key)!
      }
      case 'in':
        return Number(array(node.name).has(keyOf(node.keys)))
      case 'not':
        return Number(!truth(evaluate(node.operand)))
      case 'sign':
        return node.operator === '-' ? -number(evaluate(node.operand)) : number(evaluate(node.operand))
      case 'choice':
        return truth(evaluate(node.condition)) ? evaluate(node.yes) : evaluate(node.no)
      case 'binary':
        return binary(node.operator, node.left, node.right)
      case 'assign': {
        const value = evaluate(node.value)
        if (node.operator === '=') return assign(node.target, value)
        return assign(node.target, arithmetic(node.operator[0]!, number(evaluate(node.target)), number(value)))
      }
      case 'step': {
        const old = number(evaluate(node.target))
        assign(node.target, old + node.by)
        return node.prefix ? old + node.by : old
      }
    }
    return callFunction(node.name, node.args)
  }

  const callFunction = (name: string, args: readonly Expression[]): Scalar => {
    const text = (index: number) => string(evaluate(args[index]!))
    switch (name) {
      case 'length':
        if (args[0]?.kind === 'variable' && arrays.has(args[0].name)) return array(args[0].name).size
        return (args.length === 0 ? record : text(0)).length
      case 'substr': {
        const start = Math.round(number(evaluate(args[1]!)))
        const end = args[2] === undefined ? Infinity : start + Math.round(number(evaluate(args[2])))
        return text(0).slice(Math.max(0, start - 1), Math.max(0, end - 1))
      }
      case 'index':
        return text(0).indexOf(text(1)) + 1
      case 'split': {
        const target = args[1]!
        if (target.kind !== 'variable') throw new Error('awk: split needs an array')
        const separator = args[2]
        const parts =
          separator?.kind === 'regexp'
            ? text(0).split(expressionOf(separator))
            : split(text(0), separator ? string(evaluate(separator)) : string(get('FS')))
        arrays.set(target.name, new Map(parts.map((part, index) => [String(index + 1), input(part)])))
        return parts.length
      }
      case 'sub':
      case 'gsub': {
        const target: Expression = args[2] ?? { kind: 'field', index: { kind: 'number', value: 0 } }
        const pattern = expressionOf(args[0]!)
        const replacement = text(1)
        let count = 0
        const changed = string(evaluate(target)).replace(
          new RegExp(pattern.source, name === 'gsub' ? 'g' : ''),
          found => {
            count++
            return replacement.replace(/\\&|&/g, mark => (mark === '&' ? found : '&'))
          },
        )
        if (count > 0) assign(target, changed)
        return count
      }
      case 'match': {
        const found = expressionOf(args[1]!).exec(text(0))
        set('RSTART', found === null ? 0 : found.index + 1)
        set('RLENGTH', found === null ? -1 : found[0].length)
        return get('RSTART')
      }
      case 'toupper':
        return text(0).toUpperCase()
      case 'tolower':
        return text(0).toLowerCase()
      case 'sprintf':
        return formatArguments(args)
      case 'int':
        return Math.trunc(number(evaluate(args[0]!)))
      case 'sqrt':
        return Math.sqrt(number(evaluate(args[0]!)))
      default:
        throw new Error(`awk: unknown function ${name}`)
    }
  }
  const formatArguments = (args: readonly Expression[]): string => {
    const [format, ...values] = args.map(evaluate)
    return formatted(
      string(format ?? ''),
      values.map(value => (typeof value === 'number' ? value : string(value))),
    )
  }

  const loop = (body: Statement, goOn: () => boolean, step: () => void) => {
    for (; goOn(); step()) {
      if (++steps > stepLimit) throw new Error('awk: the program runs too long')
      try {
        execute(body)
      } catch (thrown) {
        if (thrown instanceof Break) return
        if (!(thrown instanceof Continue)) throw thrown
      }
    }
  }
  const execute = (statement: Statement): void => {
    switch (statement.kind) {
      case 'print':
        output +=
          (statement.args.length === 0
            ? record
            : statement.args.map(arg => string(evaluate(arg))).join(string(get('OFS')))) + string(get('ORS'))
        return
      case 'printf':
        output += formatArguments(statement.args)
        return
      case 'expression':
        evaluate(statement.value)
        return
      case 'block':
        for (const inner of statement.body) execute(inner)
        return
      case 'if':
        if (truth(evaluate(statement.condition))) execute(statement.yes)
        else if (statement.no !== undefined) execute(statement.no)
        return
      case 'loop': {
        const { start, condition, step, body, bodyFirst } = statement
        if (start !== undefined) evaluate(start)
        let first = bodyFirst
        loop(
          body,
          () => {
            const enter = first || condition === undefined || truth(evaluate(condition))
            first = false
            return enter
          },
          () => step !== undefined && evaluate(step),
        )
        return
      }
      case 'each':
        for (const key of array(statement.array).keys()) {
          set(statement.variable, input(key))
          execute(statement.body)
        }
        return
      case 'delete':
        if (statement.keys === undefined) arrays.delete(statement.array)
        else array(statement.array).delete(keyOf(statement.keys))
        return
      case 'jump':
        throw new { next: Next, exit: Exit, break: Break, continue: Continue }[statement.to]()
    }
  }

  const matches = (pattern: Pattern | undefined): boolean => {
    if (pattern === undefined || typeof pattern === 'string') return true
    if (!('to' in pattern)) return truth(evaluate(pattern))
    if (!openRanges.has(pattern)) {
      if (!truth(evaluate(pattern.from))) return false
      openRanges.add(pattern)
    }
    if (truth(evaluate(pattern.to))) openRanges.delete(pattern)
    return true
  }

  return {
    set,
    read,
    startFile: (name: string) => {
      variables.set('FILENAME', name)
      variables.set('FNR', 0)
    },
    runAll: (program: readonly Block[], wanted: (pattern: Pattern | undefined) => boolean) => {
      for (const { pattern, body } of program) if (wanted(pattern) && matches(pattern)) execute(body)
    },
    output: () => output,
  }
}
