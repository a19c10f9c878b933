import { spawnSync } from 'node:child_process'
import { stripTypeScriptTypes } from 'node:module'
import { parse as parseJsonc, printParseErrorCode, type ParseError } from 'jsonc-parser'
import type { Tokens } from 'marked'
import { parse as parseToml } from 'smol-toml'
import { commandProblems, type OwnCommands } from './own-commands.ts'
import { documents, lineAt, type Problem } from './files.ts'
import { tokensOf } from './markdown.ts'

/** Languages that are not checked. */
const unchecked = new Set(['text', 'mermaid', 'http', 'diff', 'csv', 'python', 'yaml', 'lua', 'ini', 'dotenv'])

/** Throws where a text is not of its language. */
const parsers: Readonly<Record<string, (text: string) => void>> = {
  json: text => void JSON.parse(text),
  jsonc: text => {
    const errors: ParseError[] = []
    parseJsonc(text, errors, { allowTrailingComma: true })
    if (errors[0] !== undefined) throw new Error(printParseErrorCode(errors[0].error))
  },
  toml: text => void parseToml(text),
  ts: text => void stripTypeScriptTypes(text),
  js: text => void stripTypeScriptTypes(text),
  sh: parseShell,
}

/** Code blocks of the documents that do not parse, have an unknown language, or call scripts and commands that do not exist. */
export function codeBlockProblems(root: string, own: OwnCommands): Problem[] {
  return documents(root).flatMap(({ file, text }) => {
    let from = 0
    return blocksOf(text).flatMap(({ raw, code, language }) => {
      from = Math.max(text.indexOf(raw, from), from)
      const line = lineAt(text, from)
      return blockProblems(code, language, own).map(message => ({ file, line, message }))
    })
  })
}

interface Block {
  raw: string
  code: string
  language: string
}

function blocksOf(text: string): Block[] {
  return tokensOf(text)
    .filter((token): token is Tokens.Code => token.type === 'code' && token['codeBlockStyle'] !== 'indented')
    .map(({ raw, text: code, lang = '' }) => ({
      raw: raw.split('\n')[0]!,
      code,
      language: lang.split(/\s/)[0]!,
    }))
}

function blockProblems(code: string, language: string, own: OwnCommands): string[] {
  if (unchecked.has(language)) return []
  const parser = parsers[language]
  if (parser === undefined) {
    const known = [...Object.keys(parsers), ...unchecked].join(', ')
    return [`a code block needs one of these languages, not '${language}': ${known}`]
  }
  try {
    parser(code)
  } catch (error) {
    return [`the ${language} block does not parse: ${(error as Error).message.split('\n')[0]}`]
  }
  return language === 'sh' ? commandProblems(code, own) : []
}

function parseShell(text: string): void {
  const { status, stderr, error } = spawnSync('bash', ['-n'], { input: text, encoding: 'utf8' })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(stderr.replace(/^bash: /, ''))
}
