/** A piece of a word: literal text, or a command whose output stands in its place. */
export interface Part {
  text: string
  quoted: boolean
  substitute?: boolean
}

export type Word = Part[]

export interface Command {
  words: Word[]
  input?: Word
  output?: { target: Word; append: boolean }
}

export interface Step {
  /** What joins it to the step before. */
  when: ';' | '&&' | '||'
  pipeline: Command[]
}

const refused = new Set([
  'for',
  'while',
  'until',
  'if',
  'case',
  'function',
  'eval',
  'source',
  'exec',
  'sudo',
  'bash',
  'sh',
])

/** A command line as steps of pipelines. @throws Error naming what this shell does not do */
export function parse(source: string): Step[] {
  const tokens = tokenize(source.replaceAll('\\\n', ' '))
  const steps: Step[] = []
  let when: Step['when'] = ';'
  let pipeline: Command[] = []
  let command: Command = { words: [] }
  const endCommand = (required: boolean) => {
    if (command.words.length > 0) {
      const first = command.words[0]![0]!
      if (!first.quoted && (refused.has(first.text) || /^\w+=/.test(first.text) || /^[({]/.test(first.text))) {
        throw new Error(`unsupported shell syntax: ${first.text}`)
      }
      pipeline.push(command)
    } else if (required) throw new Error('syntax error: a command is missing')
    command = { words: [] }
  }
  const endPipeline = (next: Step['when']) => {
    endCommand(pipeline.length > 0 || next !== ';')
    if (pipeline.length > 0) steps.push({ when, pipeline })
    pipeline = []
    when = next
  }
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]!
    if (typeof token !== 'string') command.words.push(token)
    else if (token === '|') endCommand(true)
    else if (token === ';' || token === '&&' || token === '||') endPipeline(token)
    else if (token === '>' || token === '>>' || token === '<') {
      const target = tokens[++index]
      if (target === undefined || typeof target === 'string') throw new Error(`syntax error after ${token}`)
      if (token === '<') command.input = target
      else command.output = { target, append: token === '>>' }
    } else if (token !== '2>') throw new Error(`unsupported shell syntax: ${token}`)
    else index++
  }
  endPipeline(';')
  return steps
}

type Token = Word | ';' | '&&' | '||' | '|' | '>' | '>>' | '<' | '2>' | '&'

function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  let word: Word | undefined
  const add = (part: Part) => {
    word ??= []
    const last = word.at(-1)
    if (last !== undefined && last.quoted === part.quoted && !last.substitute && !part.substitute)
      last.text += part.text
    else word.push(part)
  }
  const operator = (token: Exclude<Token, Word>) => {
    if (word !== undefined) tokens.push(word)
    word = undefined
    tokens.push(token)
  }
  for (let at = 0; at < source.length; at++) {
    const letter = source[at]!
    const rest = source.slice(at)
    if (letter === "'") {
      const end = source.indexOf("'", at + 1)
      if (end < 0) throw new Error("syntax error: a quote (') is not closed")
      add({ text: source.slice(at + 1, end), quoted: true })
      at = end
    } else if (rest.startsWith("$'")) {
      const quoted = /^\$'((?:[^'\\]|\\.)*)'/.exec(rest)
      if (quoted === null) throw new Error("syntax error: a quote (') is not closed")
      add({ text: unescape(quoted[1]!), quoted: true })
      at += quoted[0].length - 1
    } else if (letter === '"') {
      at = doubleQuoted(source, at, add)
    } else if (rest.startsWith('$(') || letter === '`') {
      const [inner, end] = substitution(source, at)
      add({ text: inner, quoted: false, substitute: true })
      at = end
    } else if (letter === '$' && /^\$[\w{]/.test(rest)) throw new Error('unsupported shell syntax: variables')
    else if (letter === '\\') {
      add({ text: source[++at] ?? '', quoted: true })
    } else if (letter === '#' && word === undefined) {
      const end = source.indexOf('\n', at)
      at = end < 0 ? source.length : end - 1
    } else if (rest.startsWith('2>&1')) at += 3
    else if (word === undefined && rest.startsWith('2>')) {
      operator('2>')
      at++
    } else if (/^(&&|\|\||>>)/.test(rest)) {
      operator(rest.slice(0, 2) as '&&')
      at++
    } else if ('|;><&'.includes(letter)) operator(letter as '|')
    else if (letter === '\n') {
      // After a pipe or a conjunction the command goes on in the next line.
      if (word !== undefined || !goesOn(tokens.at(-1))) operator(';')
    } else if (/\s/.test(letter)) {
      if (word !== undefined) tokens.push(word)
      word = undefined
    } else add({ text: letter, quoted: false })
  }
  if (word !== undefined) tokens.push(word)
  return tokens
}

const goesOn = (token: Token | undefined) => token === '|' || token === '&&' || token === '||'

function doubleQuoted(source: string, start: number, add: (part: Part) => void): number {
  add({ text: '', quoted: true })
  for (let at = start + 1; at < source.length; at++) {
    const letter = source[at]!
    if (letter === '"') return at
    if (letter === '\\' && '"\\$`'.includes(source[at + 1] ?? ' ')) add({ text: source[++at]!, quoted: true })
    else if (source.startsWith('$(', at) || letter === '`') {
      const [inner, end] = substitution(source, at)
      add({ text: inner, quoted: true, substitute: true })
      at = end
    } else if (/^\$[\w{]/.test(source.slice(at))) throw new Error('unsupported shell syntax: variables')
    else add({ text: letter, quoted: true })
  }
  throw new Error('syntax error: a quote (") is not closed')
}

/** The command inside `$(…)` or backticks, and where its last character stands. */
function substitution(source: string, start: number): [string, number] {
  if (source.startsWith('$((', start)) throw new Error('unsupported shell syntax: arithmetic')
  if (source[start] === '`') {
    const end = source.indexOf('`', start + 1)
    if (end < 0) throw new Error('syntax error: ` is not closed')
    return [source.slice(start + 1, end), end]
  }
  let depth = 0
  let quote = ''
  for (let at = start + 1; at < source.length; at++) {
    const letter = source[at]!
    if (quote !== '') quote = letter === quote ? '' : quote
    else if (letter === "'" || letter === '"') quote = letter
    else if (letter === '(') depth++
    else if (letter === ')' && --depth === 0) return [source.slice(start + 2, at), at]
  }
  throw new Error('syntax error: $( is not closed')
}

/** The escapes of `printf`, `$'…'`, `tr` and awk's strings. */
export function unescape(text: string): string {
  const letters: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', f: '\f', v: '\v', 0: '\0' }
  return text.replace(/\\(.)/gs, (_, letter: string) => letters[letter] ?? letter)
}
