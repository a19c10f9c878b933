import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import GithubSlugger from 'github-slugger'
import type { Token } from 'marked'
import { documents, lineAt, type Problem, type TextFile } from './files.ts'
import { tokensOf } from './markdown.ts'

/** Broken links and images of the documents: missing files or headings. */
export function linkProblems(root: string): Problem[] {
  const pages = documents(root)
  const anchors = new Map(pages.map(({ file, text }) => [file, anchorsOf(text)]))
  return pages.flatMap(page =>
    linksOf(page).flatMap(({ target, line }) => {
      const message = problemOf(root, page.file, target, anchors)
      return message === undefined ? [] : [{ file: page.file, line, message }]
    }),
  )
}

function problemOf(
  root: string,
  file: string,
  target: string,
  anchors: ReadonlyMap<string, ReadonlySet<string>>,
): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target))
    return URL.canParse(target) ? undefined : `the address ${target} is malformed`
  const [name = '', anchor] = target.split('#')
  const found = name === '' ? file : path.join(path.dirname(file), decodeURIComponent(name))
  if (found.startsWith('..') || !existsSync(path.join(root, found))) return `the link ${target} is broken: no such file`
  if (anchor === undefined || statSync(path.join(root, found)).isDirectory()) return undefined
  const known = anchors.get(found)
  return known === undefined || known.has(anchor) ? undefined : `${found} has no heading #${anchor}`
}

function linksOf({ text }: TextFile): { target: string; line: number }[] {
  let from = 0
  return tokensOf(text)
    .flatMap(targetsOf)
    .map(target => {
      // Tokens come in the order of the text; the same link may be there twice.
      from = Math.max(text.indexOf(target, from), from)
      return { target, line: lineAt(text, from) }
    })
}

function targetsOf(token: Token): string[] {
  if (token.type === 'link' || token.type === 'image') return [String(token['href'])]
  if (token.type !== 'html') return []
  return [...token.raw.matchAll(/\b(?:href|src|srcset)="([^"]+)"/g)].map(match => match[1]!)
}

function anchorsOf(text: string): Set<string> {
  const slugger = new GithubSlugger()
  return new Set(
    tokensOf(text).flatMap(token => {
      if (token.type === 'heading') return [slugger.slug(plainText(token))]
      return token.type === 'html' ? [...token.raw.matchAll(/\b(?:id|name)="([^"]+)"/g)].map(match => match[1]!) : []
    }),
  )
}

/** The text of a token without formatting. */
function plainText(token: Token): string {
  const parts = 'tokens' in token ? token.tokens : undefined
  return parts === undefined ? ('text' in token ? String(token.text) : '') : parts.map(plainText).join('')
}
