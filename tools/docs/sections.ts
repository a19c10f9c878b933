import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { format, resolveConfig } from 'prettier'

/** Root of the repository; names of documents are relative to it. */
export const repository = path.resolve(import.meta.dirname, '../..')

/**
 * `text` with everything between `<!-- name:start -->` and `<!-- name:end -->` replaced by `content`. Throws unless the
 * markers occur exactly once, in this order.
 */
export function withSection(text: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`]
  const [before, inside, ...more] = text.split(start)
  const [, after, ...rest] = inside?.split(end) ?? []
  if (before === undefined || after === undefined || more.length > 0 || rest.length > 0) {
    throw new Error(`The document needs the markers ${start} and ${end}, once each.`)
  }
  return `${before}${start}\n\n${content}\n\n${end}${after}`
}

/** Cells as a Markdown table; the first line is its header. */
export function markdownTable(lines: readonly (readonly string[])[]): string {
  const [head = [], ...rows] = lines
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.map(cellOf).join(' | ')} |`).join('\n')
}

/** The document with its sections filled in, formatted like the rest of the repository. */
export async function renderedDocument(name: string, sections: Readonly<Record<string, string>>): Promise<string> {
  const file = path.join(repository, name)
  let text = readFileSync(file, 'utf8')
  for (const [section, content] of Object.entries(sections)) text = withSection(text, section, content)
  return format(text, { ...(await resolveConfig(file)), parser: 'markdown' })
}

/** Writes a document with these sections filled in. */
export async function writeDocument(name: string, sections: Readonly<Record<string, string>>): Promise<void> {
  writeFileSync(path.join(repository, name), await renderedDocument(name, sections))
}

// Angle brackets are escaped because GitHub treats `<name>` as HTML and hides it.
function cellOf(text: string): string {
  const parts = text.replaceAll(/\s+/g, ' ').trim().split('`')
  return parts
    .map((part, index) => (index % 2 === 0 ? part.replaceAll('<', '\\<').replaceAll('*', '\\*') : part))
    .join('`')
    .replaceAll('|', '\\|')
}
