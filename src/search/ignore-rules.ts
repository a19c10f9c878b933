import { compileGlob, type GlobMatcher } from './glob.ts'

/** What the lines of a `.gitignore` file say about paths below its folder. */
export interface IgnoreRules {
  /**
   * The verdict on a path relative to the folder, with forward slashes; undefined where no line says anything. What lies in an
   * ignored folder is ignored, whatever else is said about it.
   */
  verdict(path: string, isFolder: boolean): 'ignored' | 'included' | undefined
}

interface Rule {
  matches: GlobMatcher
  /** Starts with `!`: includes again what an earlier line ignored. */
  includes: boolean
  foldersOnly: boolean
}

/** Lines after this many are not read, nor is the rest of a longer line: no such file was written by people. */
const maxRules = 10_000
const maxPattern = 1_000

export function createIgnoreRules(lines: readonly string[]): IgnoreRules {
  const rules = lines.slice(0, maxRules).flatMap(line => ruleOf(line.slice(0, maxPattern)) ?? [])
  const folders = new Map<string, 'ignored' | 'included' | undefined>()
  const lastMatch = (path: string, isFolder: boolean) => {
    const rule = rules.findLast(each => (isFolder || !each.foldersOnly) && each.matches(path))
    return rule === undefined ? undefined : rule.includes ? 'included' : 'ignored'
  }
  const verdictOfFolder = (path: string) => {
    if (!folders.has(path)) folders.set(path, verdict(path, true))
    return folders.get(path)
  }
  const verdict = (path: string, isFolder: boolean): 'ignored' | 'included' | undefined => {
    const end = path.lastIndexOf('/')
    if (end > 0 && verdictOfFolder(path.slice(0, end)) === 'ignored') return 'ignored'
    return lastMatch(path, isFolder)
  }
  return { verdict: (path, isFolder) => (isFolder ? verdictOfFolder(path) : verdict(path, false)) }
}

function ruleOf(line: string): Rule | undefined {
  const text = withoutTrailingSpaces(line)
  if (text === '' || text.startsWith('#')) return undefined
  const includes = text.startsWith('!')
  const signed = includes ? text.slice(1) : text
  const foldersOnly = signed.endsWith('/')
  const pattern = foldersOnly ? signed.slice(0, -1) : signed
  if (pattern === '') return undefined
  // A slash that is not the last character ties a pattern to the folder of its file.
  const anchored = pattern.includes('/')
  const bare = pattern.startsWith('/') ? pattern.slice(1) : pattern
  return { matches: compileGlob(bare, { anywhere: !anchored }), includes, foldersOnly }
}

function withoutTrailingSpaces(line: string): string {
  const text = line.replace(/\r$/, '')
  let end = text.length
  while (text[end - 1] === ' ') end--
  // A backslash keeps the space after it.
  let backslashes = 0
  while (text[end - 1 - backslashes] === '\\') backslashes++
  return end < text.length && backslashes % 2 === 1 ? text.slice(0, end + 1) : text.slice(0, end)
}
