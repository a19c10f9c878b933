import path from 'node:path'
import { filesIn, lineAt, type Problem } from './files.ts'
import { layers as projectLayers, type Layer } from './layers.ts'

/** Imports that violate the order of the layers, and files that belong to no layer. */
export function importProblems(root: string, layers: readonly Layer[] = projectLayers): Problem[] {
  const partOf = (file: string) =>
    layers.flatMap(({ parts }) => parts).find(part => file === part || file.startsWith(`${part}/`))
  const levelOf = (file: string) => layers.findIndex(({ parts }) => parts.includes(partOf(file) ?? ''))

  return filesIn(root, 'src', '.ts').flatMap(({ file, text }) => {
    const source = withoutSrc(file)
    if (levelOf(source) < 0) {
      return [{ file, line: 1, message: 'belongs to no layer: put it into a folder of tools/check/layers.ts' }]
    }
    return importsOf(source, text)
      .filter(({ target }) => partOf(target) !== partOf(source) && levelOf(target) <= levelOf(source))
      .map(({ target, line }) => ({ file, line, message: `may not import ${target}: see tools/check/layers.ts` }))
  })
}

function importsOf(source: string, text: string): { target: string; line: number }[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+\.ts)'/g)].map(match => ({
    target: path.posix.join(path.posix.dirname(source), match[1]!),
    line: lineAt(text, match.index),
  }))
}

function withoutSrc(file: string): string {
  return file.split(path.sep).slice(1).join('/')
}
