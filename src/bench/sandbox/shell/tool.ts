/** What a command sees: its arguments, its standard input, and the files. */
export interface Call {
  args: string[]
  input: string
  files: Map<string, string>
  /** Runs another command of the same shell, as `xargs` and `find -exec` do. */
  run: (args: string[], input: string) => Result
}

export interface Result {
  output: string
  /** Exit status; 0 unless told. */
  status?: number
}

export type Tool = (call: Call) => Result

/** Command-line options: single letters (also bundled), letters that take a value, and what is left over. */
export function options(
  args: readonly string[],
  { letters = '', withValue = '' }: { letters?: string; withValue?: string },
) {
  const flags = new Set<string>()
  const values: Record<string, string[] | undefined> = {}
  const rest: string[] = []
  for (let index = 0; index < args.length; index++) {
    const word = args[index]!
    if (word === '--') {
      rest.push(...args.slice(index + 1))
      break
    }
    if (word === '-' || !word.startsWith('-')) {
      rest.push(word)
      continue
    }
    if (word.startsWith('--') || !(letters + withValue).includes(word[1]!))
      throw new Error(`unsupported option: ${word}`)
    for (let at = 1; at < word.length; at++) {
      const letter = word[at]!
      if (withValue.includes(letter)) {
        const value = at + 1 < word.length ? word.slice(at + 1) : args[++index]
        if (value === undefined) throw new Error(`option -${letter} needs a value`)
        values[letter] = [...(values[letter] ?? []), value]
        break
      }
      if (!letters.includes(letter)) throw new Error(`unsupported option: -${letter}`)
      flags.add(letter)
    }
  }
  return { flags, values, rest }
}

/** The regular expression of a glob; `*` and `?` do not cross a slash. */
export function globSource(glob: string): string {
  return glob
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('[!', '[^')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]')
}

/** @throws Error when there is no such file, as the tools themselves would complain */
export function readFile(files: ReadonlyMap<string, string>, name: string): string {
  const text = files.get(name.replace(/^\.\//, ''))
  if (text === undefined) throw new Error(`${name}: No such file or directory`)
  return text
}

/** The named files' texts one after the other; standard input when none is named, or for `-`. */
export function readInputs(call: Call, names: readonly string[]): string[] {
  return names.length === 0 ? [call.input] : names.map(name => (name === '-' ? call.input : readFile(call.files, name)))
}

/** Lines without their line ends; a last line without one counts. */
export function linesOf(text: string): string[] {
  if (text === '') return []
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
}

export function joinLines(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** The files at or below the given folders, sorted. */
export function filesUnder({ files }: Call, folders: readonly string[]): string[] {
  const roots = folders.length === 0 ? ['.'] : folders
  return [...files.keys()]
    .filter(name => roots.some(root => root === '.' || name === root || name.startsWith(`${root.replace(/\/$/, '')}/`)))
    .sort()
}
