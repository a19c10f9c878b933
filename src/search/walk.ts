import { existsSync, readdirSync, readFileSync, type Dirent } from 'node:fs'
import path from 'node:path'
import type { SkipReason } from './decode.ts'
import { createIgnoreRules, type IgnoreRules } from './ignore-rules.ts'
import { isSecretPath } from './secret-names.ts'

/** An entry of a walk: a file to check, a folder entered, or something left out and why. */
export type Met = { file: string } | { folder: string } | { skipped: string; reason: SkipReason }

/** Says which paths under a root are left out by its `.gitignore` files and by the exclude patterns. */
export interface PathExclusion {
  /** `absolute` is under the root. Patterns distinguish folders from files, so the caller must say which it is. */
  excludes(absolute: string, isFolder: boolean): boolean
}

/**
 * Everything under a root that is not excluded, folders before their content, by name. Symbolic links are never
 * followed: a target inside the root is visited under its own name, and one outside is out of scope.
 */
export function* walk(root: string, exclusion: PathExclusion): Generator<Met> {
  if (isSecretPath(toSlashes(root))) {
    yield { skipped: root, reason: 'secret' }
    return
  }
  const stack = [root]
  for (let folder = stack.pop(); folder !== undefined; folder = stack.pop()) {
    yield { folder }
    const inner: string[] = []
    const entries = entriesOf(folder)
    if (entries === undefined) yield { skipped: folder, reason: 'unreadable' }
    for (const entry of entries ?? []) {
      const full = path.join(folder, entry.name)
      if (exclusion.excludes(full, entry.isDirectory())) continue
      if (isSecretPath(toSlashes(full))) yield { skipped: full, reason: 'secret' }
      else if (entry.isDirectory()) inner.push(full)
      else if (entry.isSymbolicLink()) yield { skipped: full, reason: 'symlink' }
      else if (!entry.isFile()) yield { skipped: full, reason: 'not_a_file' }
      else yield { file: full }
    }
    stack.push(...inner.toReversed())
  }
}

/**
 * Patterns have the syntax of `.gitignore`; one without a leading slash matches at any depth, so that
 * `node_modules/**` also leaves out a nested package's.
 */
export function exclusionOf(root: string, patterns: readonly string[]): PathExclusion {
  const rules = new Map<string, IgnoreRules | undefined>()
  const own = createIgnoreRules(patterns.map(anywhere))
  const top = repositoryOf(root) ?? root
  const rulesIn = (folder: string) => {
    if (!rules.has(folder)) rules.set(folder, readRules(folder, folder === top))
    return rules.get(folder)
  }
  const verdict = (absolute: string, isFolder: boolean) => {
    // The nearest file with a matching rule wins, as in git.
    for (let folder = path.dirname(absolute); ; folder = path.dirname(folder)) {
      const result = rulesIn(folder)?.verdict(toSlashes(path.relative(folder, absolute)), isFolder)
      if (result === 'ignored') return true
      if (result === 'included' || folder === top || folder === path.dirname(folder)) return false
    }
  }
  return {
    excludes(absolute, isFolder) {
      if (path.basename(absolute) === '.git') return true
      if (own.verdict(toSlashes(path.relative(root, absolute)), isFolder) === 'ignored') return true
      return verdict(absolute, isFolder)
    },
  }
}

/** The nearest parent folder with a git repository. */
export function repositoryOf(folder: string): string | undefined {
  for (let current = folder; ; current = path.dirname(current)) {
    if (existsSync(path.join(current, '.git'))) return current
    if (current === path.dirname(current)) return undefined
  }
}

export function toSlashes(file: string): string {
  return path.sep === '/' ? file : file.replaceAll(path.sep, '/')
}

/** Undefined when the folder was deleted since it was listed, or is not readable. */
function entriesOf(folder: string): Dirent[] | undefined {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch {
    return undefined
  }
}

function readRules(folder: string, isTop: boolean): IgnoreRules | undefined {
  const files = [path.join(folder, '.gitignore'), ...(isTop ? [path.join(folder, '.git', 'info', 'exclude')] : [])]
  const texts = files.flatMap(file => {
    try {
      return [readFileSync(file, 'utf8')]
    } catch {
      return []
    }
  })
  return texts.length === 0 ? undefined : createIgnoreRules(texts.flatMap(text => text.split('\n')))
}

function anywhere(pattern: string): string {
  const negated = pattern.startsWith('!')
  const bare = negated ? pattern.slice(1) : pattern
  const free = bare.startsWith('/') || bare.startsWith('**/') ? bare : `**/${bare}`
  // A folder whose whole content is excluded need not be entered.
  const whole = free.endsWith('/**') ? free.slice(0, -2) : free
  return negated ? `!${whole}` : whole
}
