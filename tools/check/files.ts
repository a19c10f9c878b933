import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** A problem and its location. */
export interface Problem {
  /** Path from the root of the repository. */
  file: string
  line: number
  message: string
}

/** A file's path from the root of the repository, and its text. */
export interface TextFile {
  file: string
  text: string
}

/** The files in a folder of the repository, at any depth, whose names end with `ending`; none if the folder is missing. */
export function filesIn(root: string, folder: string, ending: string): TextFile[] {
  const full = path.join(root, folder)
  if (!existsSync(full)) return []
  return readdirSync(full, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith(ending))
    .map(entry => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort()
    .map(file => ({ file, text: readFileSync(path.join(root, file), 'utf8') }))
}

/** The Markdown files of the root and of `docs`. */
export function documents(root: string): TextFile[] {
  const top = readdirSync(root)
    .filter(name => name.endsWith('.md'))
    .sort()
    .map(file => ({ file, text: readFileSync(path.join(root, file), 'utf8') }))
  return [...top, ...filesIn(root, 'docs', '.md')]
}

/** The line number, from 1, of a position in a text. */
export function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length
}
