import { unescape } from './parse.ts'

export type Expression =
  | { kind: 'number'; value: number }
  | { kind: 'string'; value: string }
  | { kind: 'regexp'; source: string }
  | { kind: 'variable'; name: string }
  | { kind: 'field'; index: Expression }
  | { kind: 'element'; name: string; keys: Expression[] }
  | { kind: 'in'; name: string; keys: Expression[] }
  | { kind: 'not'; operand: Expression }
  | { kind: 'sign'; operator: '-' | '+'; operand: Expression }
  | { kind: 'choice'; condition: Expression; yes: Expression; no: Expression }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }
  | { kind: 'assign'; operator: string; target: Expression; value: Expression }
  | { kind: 'step'; target: Expression; by: 1 | -1; prefix: boolean }
  | { kind: 'call'; name: string; args: Expression[] }

export type Statement =
  | { kind: 'print' | 'printf'; args: Expression[] }
  | { kind: 'expression'; value: Expression }
  | { kind: 'block'; body: Statement[] }
  | { kind: 'if'; condition: Expression; yes: Statement; no?: Statement }
  | { kind: 'loop'; start?: Expression; condition?: Expression; step?: Expression; body: Statement; bodyFirst: boolean }
  | { kind: 'each'; variable: string; array: string; body: Statement }
  | { kind: 'delete'; array: string; keys?: Expression[] }
  | { kind: 'jump'; to: 'next' | 'exit' | 'break' | 'continue' }

export type Pattern = 'BEGIN' | 'END' | Expression | { from: Expression; to: Expression }

export interface Block {
  pattern?: Pattern
  body: Statement
}

interface Token {
  kind: 'number' | 'string' | 'regexp' | 'word' | 'operator' | 'newline' | 'end'
  text: string
  /** Whether an opening parenthesis follows at once, which makes a word a call. */
  calls?: boolean
}

const levels = [
  ['||'],
  ['&&'],
  ['in'],
  ['~', '!~'],
  ['<', '<=', '==', '!=', '>', '>='],
  [' '],
  ['+', '-'],
  ['*', '/', '%'],
]

/** An awk program as blocks. @throws Error where it is not understood */
export function parseAwk(source: string): Block[] {
  const tokens = tokenize(source)
  let at = 0
  const peek = () => tokens[at]!
  const is = (...texts: string[]) => ['operator', 'word'].includes(peek().kind) && texts.includes(peek().text)
  const take = (...texts: string[]) => is(...texts) && tokens[at++]
  const need = (text: string) => {
    if (!take(text)) throw new Error(`awk: expected ${text} before ${JSON.stringify(peek().text)}`)
  }
  const skipEnds = () => {
    while (peek().kind === 'newline' || is(';')) at++
  }
  const skipNewlines = () => {
    while (peek().kind === 'newline') at++
  }

  const program = (): Block[] => {
    const blocks: Block[] = []
    for (skipEnds(); peek().kind !== 'end'; skipEnds()) {
      if (is('function')) throw new Error('awk: functions are not supported here')
      const pattern = is('{') ? undefined : readPattern()
      const body = is('{') ? block() : ({ kind: 'print', args: [] } satisfies Statement)
      blocks.push(pattern === undefined ? { body } : { pattern, body })
    }
    return blocks
  }
  const readPattern = (): Pattern => {
    if (take('BEGIN')) return 'BEGIN'
    if (take('END')) return 'END'
    const from = expression()
    return take(',') ? { from, to: expression() } : from
  }
  const block = (): Statement => {
    need('{')
    const body: Statement[] = []
    for (skipEnds(); !take('}'); skipEnds()) body.push(statement())
    return { kind: 'block', body }
  }
  const statement = (): Statement => {
    skipNewlines()
    if (is('{')) return block()
    if (take(';')) return { kind: 'block', body: [] }
    if (take('if')) {
      const condition = inParentheses()
      const yes = statement()
      const mark = at
      skipEnds()
      if (take('else')) return { kind: 'if', condition, yes, no: statement() }
      at = mark
      return { kind: 'if', condition, yes }
    }
    if (take('while')) return { kind: 'loop', condition: inParentheses(), body: statement(), bodyFirst: false }
    if (take('do')) {
      const body = statement()
      skipEnds()
      need('while')
      return { kind: 'loop', condition: inParentheses(), body, bodyFirst: true }
    }
    if (take('for')) return readFor()
    for (const to of ['next', 'exit', 'break', 'continue'] as const) {
      if (!take(to)) continue
      if (to === 'exit' && !endsHere()) expression()
      return { kind: 'jump', to }
    }
    if (take('delete')) {
      const array = tokens[at++]!.text
      if (!take('[')) return { kind: 'delete', array }
      return { kind: 'delete', array, keys: list(']') }
    }
    if (is('print', 'printf')) {
      const kind = tokens[at++]!.text as 'print' | 'printf'
      const args = endsHere() ? [] : printArguments()
      if (is('>', '>>', '|')) throw new Error('awk: redirection is not supported here')
      return { kind, args }
    }
    return { kind: 'expression', value: expression() }
  }
  const endsHere = () => is(';', '}') || peek().kind === 'newline' || peek().kind === 'end'
  const readFor = (): Statement => {
    need('(')
    if (peek().kind === 'word' && tokens[at + 1]?.text === 'in' && tokens[at + 3]?.text === ')') {
      const variable = tokens[at]!.text
      const array = tokens[at + 2]!.text
      at += 4
      return { kind: 'each', variable, array, body: statement() }
    }
    const part = (end: string) => {
      const value = is(end) ? undefined : expression()
      need(end)
      return value
    }
    const [start, condition, step] = [part(';'), part(';'), part(')')]
    return {
      kind: 'loop',
      ...(start && { start }),
      ...(condition && { condition }),
      ...(step && { step }),
      body: statement(),
      bodyFirst: false,
    }
  }
  const inParentheses = () => {
    need('(')
    const value = expression()
    need(')')
    return value
  }
  const list = (end: string): Expression[] => {
    const values: Expression[] = []
    if (take(end)) return values
    do {
      skipNewlines()
      values.push(expression())
    } while (take(','))
    need(end)
    return values
  }
  // `print (a, b)` lists its arguments in parentheses, `print (a) b` does not: try the first, fall back to the second.
  const printArguments = (): Expression[] => {
    const mark = at
    if (take('(')) {
      const values = list(')')
      if (endsHere()) return values
      at = mark
    }
    const values = [expression(true)]
    while (take(',')) {
      skipNewlines()
      values.push(expression(true))
    }
    return values
  }

  // Inside `print`, a bare > would be a redirection.
  const expression = (printing = false): Expression => {
    const condition = binary(0, printing)
    if (take('?')) {
      const yes = expression(printing)
      need(':')
      return { kind: 'choice', condition, yes, no: expression(printing) }
    }
    const operator = take('=', '+=', '-=', '*=', '/=', '%=', '^=')
    if (operator) return { kind: 'assign', operator: operator.text, target: condition, value: expression(printing) }
    return condition
  }
  const binary = (level: number, printing: boolean): Expression => {
    const operators = levels[level]
    if (operators === undefined) return unary()
    let left = binary(level + 1, printing)
    for (;;) {
      if (operators[0] === 'in') {
        if (!take('in')) return left
        left = { kind: 'in', name: tokens[at++]!.text, keys: [left] }
      } else if (operators[0] === ' ') {
        if (!startsOperand()) return left
        left = { kind: 'binary', operator: ' ', left, right: binary(level + 1, printing) }
      } else {
        if (printing && is('>')) return left
        const operator = take(...operators)
        if (!operator) return left
        skipNewlines()
        left = { kind: 'binary', operator: operator.text, left, right: binary(level + 1, printing) }
      }
    }
  }
  const startsOperand = () =>
    ['number', 'string', 'regexp'].includes(peek().kind) ||
    (peek().kind === 'word' && !is('in')) ||
    is('$', '(', '!', '++', '--')
  const unary = (): Expression => {
    if (take('!')) return { kind: 'not', operand: unary() }
    const sign = take('-', '+')
    if (sign) return { kind: 'sign', operator: sign.text as '-', operand: unary() }
    const base = postfix()
    return take('^') ? { kind: 'binary', operator: '^', left: base, right: unary() } : base
  }
  const postfix = (): Expression => {
    const before = take('++', '--')
    if (before) return { kind: 'step', target: postfix(), by: before.text === '++' ? 1 : -1, prefix: true }
    const target = primary()
    const after = ['variable', 'field', 'element'].includes(target.kind) && take('++', '--')
    return after ? { kind: 'step', target, by: after.text === '++' ? 1 : -1, prefix: false } : target
  }
  const primary = (): Expression => {
    if (take('$')) {
      const before = take('++', '--')
      const index = primary()
      return {
        kind: 'field',
        index: before ? { kind: 'step', target: index, by: before.text === '++' ? 1 : -1, prefix: true } : index,
      }
    }
    if (take('(')) {
      const values = list(')')
      if (values.length > 1) {
        need('in')
        return { kind: 'in', name: tokens[at++]!.text, keys: values }
      }
      return values[0]!
    }
    const token = tokens[at++]!
    if (token.kind === 'number') return { kind: 'number', value: Number(token.text) }
    if (token.kind === 'string') return { kind: 'string', value: token.text }
    if (token.kind === 'regexp') return { kind: 'regexp', source: token.text }
    if (token.kind !== 'word') throw new Error(`awk: unexpected ${JSON.stringify(token.text)}`)
    if (token.text === 'getline') throw new Error('awk: getline is not supported here')
    if (take('[')) return { kind: 'element', name: token.text, keys: list(']') }
    if (token.text === 'length' && !token.calls) return { kind: 'call', name: 'length', args: [] }
    if (token.calls && take('(')) return { kind: 'call', name: token.text, args: list(')') }
    return { kind: 'variable', name: token.text }
  }
  return program()
}

function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  const operators = /^(?:&&|\|\||\+\+|--|[-+*/%^!=<>]=|>>|!~|[-+*/%^!<>=~?:,;(){}[\]$|])/
  let text = source.replaceAll('\\\n', ' ')
  while (text !== '') {
    const last = tokens.at(-1)
    // After a value a slash divides; anywhere else it opens a regular expression.
    const afterValue =
      last !== undefined && (['number', 'string', 'word'].includes(last.kind) || [')', ']', '$'].includes(last.text))
    const found =
      /^[ \t\r]+/.exec(text) ??
      /^#[^\n]*/.exec(text) ??
      /^\n/.exec(text) ??
      /^"(?:[^"\\\n]|\\.)*"/.exec(text) ??
      (afterValue ? null : /^\/(?:[^/\\\n]|\\.)+\//.exec(text)) ??
      /^(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/.exec(text) ??
      /^[A-Za-z_]\w*/.exec(text) ??
      operators.exec(text)
    if (found === null) throw new Error(`awk: unexpected ${JSON.stringify(text.slice(0, 10))}`)
    const piece = found[0]
    text = text.slice(piece.length)
    if (/^[ \t\r#]/.test(piece)) continue
    if (piece === '\n') tokens.push({ kind: 'newline', text: piece })
    else if (piece.startsWith('"')) tokens.push({ kind: 'string', text: unescape(piece.slice(1, -1)) })
    else if (piece.length > 2 && piece.startsWith('/') && piece.endsWith('/')) {
      tokens.push({ kind: 'regexp', text: piece.slice(1, -1).replaceAll('\\/', '/') })
    } else if (/^[\d.]/.test(piece)) tokens.push({ kind: 'number', text: piece })
    else if (/^\w/.test(piece)) tokens.push({ kind: 'word', text: piece, calls: text.startsWith('(') })
    else tokens.push({ kind: 'operator', text: piece })
  }
  tokens.push({ kind: 'end', text: 'end of program' })
  return tokens
}
