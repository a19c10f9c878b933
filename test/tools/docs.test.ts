import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { benchSection, documentOf } from '../../tools/docs/bench-table.ts'
import { markdownTable, renderedDocument, repository, withSection } from '../../tools/docs/sections.ts'
import { documentSections } from '../../tools/docs/tables.ts'

t.test('the tables in the docs match the code; `npm run docs` writes them', async t => {
  for (const [name, sections] of Object.entries(await documentSections())) {
    t.equal(readFileSync(path.join(repository, name), 'utf8'), await renderedDocument(name, sections), name)
  }
})

t.test('every file that the docs mention exists', async t => {
  for (const document of globSync(['*.md', 'docs/**/*.md'], { cwd: repository })) {
    const text = readFileSync(path.join(repository, document), 'utf8')
    for (const [, named] of text.matchAll(/`((?:src|test|tools|docs)\/[\w./-]+)`/g)) {
      // `x.ts` and `x.test.ts` stand for files to be written.
      if (path.basename(named!).startsWith('x.')) continue
      t.ok(existsSync(path.join(repository, named!)), `${document} names ${named}`)
    }
  }
})

t.test('the table of concerns lists names that its files export', async t => {
  const architecture = readFileSync(path.join(repository, 'docs/architecture.md'), 'utf8')
  const table = /## Where things are\n+(.*?)\n\n/s.exec(architecture)?.[1] ?? ''
  const rows = table.split('\n').slice(2)
  t.ok(rows.length > 10)
  for (const row of rows) {
    const [names = [], files = []] = row.split('|').slice(2, 4).map(namesIn)
    const folder = path.dirname(files[0] ?? '')
    const source = files
      .map(file => readFileSync(path.join(repository, folder, path.basename(file)), 'utf8'))
      .join('\n')
    for (const name of names)
      t.match(source, new RegExp(`^export [\\w ]*\\b${name}\\b`, 'm'), `${files.join(', ')}: ${name}`)
  }
})

t.test('only the text between the markers of a section changes', async t => {
  const text = 'Before.\n<!-- a:start -->\nold\n<!-- a:end -->\nAfter <!-- b:start -->kept<!-- b:end -->.\n'
  const replaced = withSection(text, 'a', 'new')
  t.equal(replaced.replace(/\s+new\s+/, '\nold\n'), text)
  t.throws(() => withSection(text, 'missing', 'new'), /missing:start/)
  t.throws(() => withSection(text + text, 'a', 'new'), /once each/)
})

t.test('a cell cannot break its table or disappear as HTML', async t => {
  const table = markdownTable([['name'], ['a | b\nc <name> `x*<y>`']])
  t.equal(table.split('\n').at(-1), '| a \\| b c \\<name> `x*<y>` |')
})

t.test('rows of a bench become a table that marks missed goals', async t => {
  const section = benchSection({
    rows: [
      { name: 'added_p50_ms', value: 0.451, unit: 'ms', low: 0.4, high: 0.5, goal: 0.5, met: true },
      { name: 'rss_mb', value: 233.4, unit: 'MB', goal: 150, met: false },
      { name: 'texts_compared', value: 7176, unit: 'texts' },
    ],
    command: 'npm run bench:x',
    date: '2026-01-31',
    machine: 'Node 24.0.0, 2 cores',
    note: 'Medians of five rounds.',
  })
  t.match(section, /^Measured on 2026-01-31 by `npm run bench:x`, Node 24\.0\.0, 2 cores\. Medians of five rounds\.\n/)
  t.same(section.split('\n').slice(-3), [
    '| added p50 | 0.451 ms | 0.4 – 0.5 | 0.5 | met |',
    '| rss | 233 MB |  | 150 | missed |',
    '| texts compared | 7,176 texts |  |  |  |',
  ])
})

t.test('the rows of a bench go into the document that has their section', async t => {
  t.equal(documentOf('overhead'), 'docs/benchmarks.md')
  t.equal(documentOf('faults'), 'docs/reliability.md')
  t.throws(() => documentOf('missing'), /No section 'missing'/)
})

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(match => match[1]!)
}
