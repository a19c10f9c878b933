import { globSource, filesUnder, joinLines, linesOf, type Call, type Result, type Tool } from './tool.ts'

/** The tools that deal in file names rather than in text. */
export const fileTools: Readonly<Record<string, Tool>> = {
  ls,
  find,
  xargs,
  tee: ({ args, input, files }) => {
    for (const name of args) files.set(name, input)
    return { output: input }
  },
}

function ls({ args, files }: Call): Result {
  const [folder = '.'] = args.filter(word => !word.startsWith('-'))
  if (files.has(folder)) return { output: `${folder}\n` }
  const inside = folder === '.' ? '' : `${folder.replace(/\/$/, '')}/`
  const names = [...files.keys()]
    .filter(name => name.startsWith(inside))
    .map(name => name.slice(inside.length).split('/')[0]!)
  return { output: joinLines([...new Set(names)].sort()) }
}

function find(call: Call): Result {
  const expression = call.args.findIndex(word => word.startsWith('-'))
  const roots = expression < 0 ? call.args : call.args.slice(0, expression)
  const tests = expression < 0 ? [] : call.args.slice(expression)
  let names = filesUnder(call, roots)
  let not = false
  for (let index = 0; index < tests.length; index++) {
    const test = tests[index]!
    if (test === '!' || test === '-not') not = true
    else if (test === '-name' || test === '-iname' || test === '-path') {
      const source =
        test === '-path' ? globSource(tests[++index]!).replaceAll('[^/]*', '.*') : globSource(tests[++index]!)
      const pattern = new RegExp(`^${source}$`, test === '-iname' ? 'i' : '')
      const negated = not
      names = names.filter(name => pattern.test(test === '-path' ? `./${name}` : name.split('/').pop()!) !== negated)
      not = false
    } else if (test === '-type' && tests[index + 1] === 'f') index++
    else if (test === '-exec') {
      const command = tests.slice(
        index + 1,
        tests.findIndex((word, at) => at > index && (word === ';' || word === '+')),
      )
      const together = tests.at(-1) === '+'
      const calls = together
        ? [command.flatMap(word => (word === '{}' ? names : [word]))]
        : names.map(name => command.map(word => word.replaceAll('{}', name)))
      return { output: calls.map(words => call.run(words, '').output).join('') }
    } else if (test !== '-print') throw new Error(`find: unsupported test ${test}`)
  }
  const dotted = roots.length === 0 || roots.includes('.')
  return { output: joinLines(names.map(name => (dotted ? `./${name}` : name))) }
}

function xargs({ args, input, run }: Call): Result {
  const words = [...args]
  let size = Infinity
  let hole: string | undefined
  for (;;) {
    const option = /^-(?:(n)(\d*)|(I)(.*)|(r))$/.exec(words[0] ?? '')
    if (option === null) break
    words.shift()
    if (option[1] !== undefined) size = Number(option[2] === '' ? words.shift() : option[2])
    else if (option[3] !== undefined) hole = option[4] === '' ? words.shift() : option[4]
  }
  const command = words.length === 0 ? ['echo'] : words
  const items = hole === undefined ? input.split(/\s+/).filter(Boolean) : linesOf(input)
  const calls: string[][] = []
  if (hole !== undefined) for (const item of items) calls.push(command.map(word => word.replaceAll(hole, item)))
  else for (let at = 0; at < items.length; at += size) calls.push([...command, ...items.slice(at, at + size)])
  return { output: calls.map(call => run(call, '').output).join('') }
}
