import { filesIn, lineAt, type Problem } from './files.ts'

/** Names of types that more than one file of `src` exports. */
export function typeNameProblems(root: string): Problem[] {
  const first = new Map<string, string>()
  return filesIn(root, 'src', '.ts').flatMap(({ file, text }) =>
    exportedTypes(text).flatMap(({ name, line }) => {
      const earlier = first.get(name)
      if (earlier === undefined) first.set(name, file)
      return earlier === undefined || earlier === file
        ? []
        : [{ file, line, message: `exports the type name ${name}, which ${earlier} exports too` }]
    }),
  )
}

function exportedTypes(text: string): { name: string; line: number }[] {
  const declared = [...text.matchAll(/^export (?:declare )?(?:abstract )?(?:interface|type|class|enum) (\w+)/gm)]
  const names = declared.map(match => ({ name: match[1]!, line: lineAt(text, match.index) }))
  const passedOn = [...text.matchAll(/^export (type )?\{([^}]*)\} from/gm)].flatMap(match =>
    match[2]!
      .split(',')
      .map(part => part.trim())
      .filter(part => match[1] !== undefined || part.startsWith('type '))
      .map(part =>
        part
          .replace(/^type /, '')
          .split(' as ')
          .at(-1)!,
      )
      .filter(name => name !== '')
      .map(name => ({ name, line: lineAt(text, match.index) })),
  )
  return [...names, ...passedOn]
}
