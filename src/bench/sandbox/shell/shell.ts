import { awk } from './awk.ts'
import { fileTools } from './files.ts'
import { parse, type Command, type Word } from './parse.ts'
import { sed } from './sed.ts'
import { textTools } from './texts.ts'
import { globSource, readFile, type Result, type Tool } from './tool.ts'

const outputLimitCharacters = 2 ** 22
const commands: Readonly<Record<string, Tool>> = { ...textTools, ...fileTools, awk, gawk: awk, mawk: awk, sed }

/**
 * Runs a command line as a POSIX shell would, over text tools written here and files that exist only in memory. It is
 * the part of the shell that one-liners live on: pipelines, `;`, `&&`, `||`, quoting, redirection, globs, `$(…)` and the
 * usual tools. Loops, variables and everything else are refused by name, so an answer never passes by being half-run.
 * (A real shell cannot be caged without the operating system's help, and the shells published as WebAssembly or as
 * JavaScript bring a hundred megabytes or a compiler.)
 *
 * @returns standard output
 * @throws Error for what is not understood, and for a tool that is not there
 */
export function runCommandLine(source: string, files: Readonly<Record<string, string>>): string {
  return runList(source, new Map(Object.entries(files))).output
}

function runList(source: string, files: Map<string, string>): Result {
  let output = ''
  let status = 0
  for (const { when, pipeline } of parse(source)) {
    if ((when === '&&' && status !== 0) || (when === '||' && status === 0)) continue
    const result = runPipeline(pipeline, files)
    output += result.output
    status = result.status ?? 0
    if (output.length > outputLimitCharacters) throw new Error('the output is too long')
  }
  return { output, status }
}

function runPipeline(pipeline: readonly Command[], files: Map<string, string>): Result {
  let result: Result = { output: '' }
  for (const command of pipeline) {
    const args = command.words.flatMap(word => expand(word, files))
    const input = command.input === undefined ? result.output : readFile(files, expand(command.input, files)[0]!)
    result = runCommand(args, input, files)
    if (result.output.length > outputLimitCharacters) throw new Error('the output is too long')
    if (command.output !== undefined) {
      const target = expand(command.output.target, files)[0]!
      const before = command.output.append ? (files.get(target) ?? '') : ''
      if (target !== '/dev/null') files.set(target, before + result.output)
      result = { ...result, output: '' }
    }
  }
  return result
}

function runCommand([name = '', ...args]: string[], input: string, files: Map<string, string>): Result {
  const tool = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (tool === undefined) throw new Error(`${name}: command not found`)
  return tool({ args, input, files, run: (words, text) => runCommand(words, text, files) })
}

function expand(word: Word, files: Map<string, string>): string[] {
  let text = ''
  let pattern = ''
  let wild = false
  let fields: string[] | undefined
  for (const part of word) {
    const value = part.substitute ? runList(part.text, files).output.replace(/\n+$/, '') : part.text
    if (part.substitute && !part.quoted) fields = value.split(/\s+/).filter(Boolean)
    text += value
    wild ||= !part.quoted && /[*?[]/.test(value)
    pattern += part.quoted ? value.replace(/[^\w]/g, '\\$&') : globSource(value)
  }
  if (fields !== undefined && word.length === 1) return fields
  const matches = wild ? [...files.keys()].filter(name => new RegExp(`^${pattern}$`).test(name)).sort() : []
  return matches.length > 0 ? matches : [text]
}
