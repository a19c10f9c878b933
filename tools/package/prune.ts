/** What a package needs to run on any platform, beside its own name, its license and its documentation of them. */
interface Rule {
  /** The only files needed; all if missing. */
  only?: RegExp
  /** Files that are not needed. */
  without?: RegExp
}

/** Files that say who made a package and under which conditions it may be passed on. */
const kept = /^(package\.json|(licen[cs]e|copying|notice|patents|authors|readme)[^/]*)$/i
/** Types, sources of compiled code, and the maps between them. */
const notRun = /\.(map|[cm]?ts|flow|tsbuildinfo)$/
const notRunFolders = /^(test|tests|__tests__|docs|example|examples|benchmark|benchmarks|\.github)\//
const otherTexts = /\.(md|markdown)$/i

const rules: Readonly<Record<string, Rule>> = {
  // Sources to compile where there is no binary; the binaries of all platforms stay.
  'better-sqlite3': { without: /^(deps\/|src\/|binding\.gyp$)/ },
  // Headers for that compilation.
  'node-addon-api': { without: /\.(h|gyp|gypi|c)$/ },
  // src/tokens counts with these vocabularies and code of its own.
  tiktoken: { only: /^encoders\/(cl100k|o200k)_base\.json$/ },
}

/** Whether the file of a package is needed to run it. `file` is relative to the package, with slashes. */
export function isNeeded(packageName: string, file: string): boolean {
  if (kept.test(file)) return true
  const { only, without } = rules[packageName] ?? {}
  if (only !== undefined && !only.test(file)) return false
  return without?.test(file) !== true && !notRun.test(file) && !notRunFolders.test(file) && !otherTexts.test(file)
}
