import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { documents, filesIn, lineAt, type Problem, type TextFile } from './files.ts'

const WordList = z.strictObject({
  /** Replacement for each banned word. */
  banned: z.record(z.string(), z.string()),
  /** Phrases in which a banned word is correct, with the reason. */
  allowed: z.array(z.strictObject({ phrase: z.string(), why: z.string() })),
  /** Files, or folders with a slash at the end, that are skipped, with the reason. */
  files: z.array(z.strictObject({ path: z.string(), why: z.string() })),
})
export type WordList = z.output<typeof WordList>

/** This project's list. */
export function readWordList(): WordList {
  return WordList.parse(JSON.parse(readFileSync(new URL('banned-words.json', import.meta.url), 'utf8')))
}

/** Banned words in names, comments and strings of `src`, and in the documents. */
export function wordProblems(root: string, { banned, allowed, files }: WordList): Problem[] {
  const words = Object.keys(banned).map(word => word.replaceAll(' ', String.raw`\s+`))
  if (words.length === 0) return []
  const pattern = new RegExp(`(?<![a-z])(${words.join('|')})(?![a-z])`, 'gi')
  const isRead = ({ file }: TextFile) => !files.some(({ path }) => file.startsWith(path))
  const texts = [...filesIn(root, 'src', '.ts'), ...filesIn(root, 'src', '.md'), ...documents(root)]
  return texts.filter(isRead).flatMap(({ file, text }) => {
    const read = splitNames(withoutPhrases(text, allowed))
    return [...read.matchAll(pattern)].map(({ 0: word, index }) => {
      const instead = banned[word.toLowerCase().replaceAll(/\s+/g, ' ')]
      return { file, line: lineAt(read, index), message: `'${word}': write ${instead}` }
    })
  })
}

function withoutPhrases(text: string, allowed: WordList['allowed']): string {
  return allowed.reduce((rest, { phrase }) => rest.replaceAll(phrase, ''), text)
}

/** `bookedTokens` as two words, so that names are read like sentences. */
function splitNames(text: string): string {
  return text.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '\u200b')
}
