import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { codeBlockProblems } from '../../tools/check/code-blocks.ts'
import type { Problem } from '../../tools/check/files.ts'
import { importProblems } from '../../tools/check/imports.ts'
import { layers, layerTable } from '../../tools/check/layers.ts'
import { linkProblems } from '../../tools/check/links.ts'
import { ownCommands } from '../../tools/check/own-commands.ts'
import { typeNameProblems } from '../../tools/check/type-names.ts'
import { readWordList, wordProblems } from '../../tools/check/words.ts'

const project = path.resolve(import.meta.dirname, '../..')

const shown = (problems: readonly Problem[]) => problems.map(({ file, line, message }) => `${file}:${line} ${message}`)

t.test('an import of a layer above, or of another folder of the same layer, is found', async t => {
  const root = t.testdir({
    src: {
      gateway: {
        'a.ts': "import { b } from './b.ts'\nimport { c } from '../wire/c.ts'\n",
        'b.ts': 'export const b = 1\n',
      },
      wire: { 'c.ts': "import { b } from '../gateway/b.ts'\nexport const c = b\n" },
      router: { 'd.ts': "const e = await import('../ledger/e.ts')\nexport { e }\n" },
      ledger: { 'e.ts': 'export const e = 1\n' },
      attic: { 'f.ts': 'export const f = 1\n' },
    },
  })
  t.strictSame(shown(importProblems(root)), [
    'src/attic/f.ts:1 belongs to no layer: put it into a folder of tools/check/layers.ts',
    'src/router/d.ts:1 may not import ledger/e.ts: see tools/check/layers.ts',
    'src/wire/c.ts:1 may not import gateway/b.ts: see tools/check/layers.ts',
  ])
})

t.test('the table of layers has a line for each layer', async t => {
  t.equal(layerTable().length, layers.length + 1)
  t.strictSame(layerTable()[1], ['1', '`cli`', layers[0]!.what])
})

t.test('a type name that two files export is found, whether re-exported or declared', async t => {
  const root = t.testdir({
    src: {
      'a.ts': 'export interface Answer {}\nexport const Query = 1\nexport type Query = number\ninterface Inner {}\n',
      'b.ts': "interface Inner {}\n\nexport type Answer = string\nexport { type Query, other } from './a.ts'\n",
      'c.ts': "export type { Own as Kept } from './a.ts'\nexport const Answer = 1\n",
    },
  })
  t.strictSame(shown(typeNameProblems(root)), [
    'src/b.ts:3 exports the type name Answer, which src/a.ts exports too',
    'src/b.ts:4 exports the type name Query, which src/a.ts exports too',
  ])
})

t.test('a link to a missing file or heading is found, and valid links are not reported', async t => {
  const root = t.testdir({
    'README.md': [
      '# Title\n\n## What it does: `all` of it\n',
      '[a](docs/a.md) [b](docs/b.md) [c](docs/a.md#setup) [d](docs/a.md#none) [e](#what-it-does-all-of-it) [f](#nope)',
      '![picture](docs/p.svg) <img src="docs/q.svg"> [g](https://example.org/x) [h](http://)\n',
    ].join('\n'),
    docs: { 'a.md': '## Setup\n\n[up](../README.md#title) [out](../../../etc/hosts)\n', 'p.svg': '<svg/>' },
  })
  t.strictSame(shown(linkProblems(root)), [
    'README.md:5 the link docs/b.md is broken: no such file',
    'README.md:5 docs/a.md has no heading #none',
    'README.md:5 README.md has no heading #nope',
    'README.md:6 the link docs/q.svg is broken: no such file',
    'README.md:6 the address http:// is malformed',
    'docs/a.md:3 the link ../../../etc/hosts is broken: no such file',
  ])
})

t.test('a code block that does not parse is found, in each language', async t => {
  const wrong = {
    json: '{"a": 1,}',
    jsonc: '{"a": 1 // one\n "b": 2}',
    toml: 'a = ',
    ts: 'const a: = 1',
    js: 'const = 1',
    sh: 'if true; then',
    '': 'anything',
    jsno: '{}',
  }
  const right = {
    json: '{"a": 1}',
    jsonc: '{\n // one\n "a": 1,\n}',
    toml: 'a = 1',
    ts: 'const a: number = 1',
    text: 'if {',
  }
  const own = await ownCommands(project)
  const found = (blocks: object) =>
    Object.entries(blocks).map(([language, code]) => {
      const root = t.testdir({
        'README.md': `# A\n\n- item\n\n  \`\`\`${language}\n${String(code).replace(/^/gm, '  ')}\n  \`\`\`\n`,
      })
      return shown(codeBlockProblems(root, own)).join('\n')
    })
  for (const problem of found(wrong)) t.match(problem, /^README\.md:5 [^\n]+$/)
  t.strictSame(
    found(right),
    Object.keys(right).map(() => ''),
  )
})

t.test('a script, command or option in a shell block that does not exist is found', async t => {
  const own = await ownCommands(project)
  const problemsOf = (shell: string) => {
    const root = t.testdir({ 'README.md': `\`\`\`sh\n${shell}\n\`\`\`\n` })
    return codeBlockProblems(root, own).map(({ message }) => message)
  }
  t.strictSame(
    problemsOf(
      [
        'npm ci && npm test',
        'npm run demo   # shows it',
        'PORT=3002 signalbox serve --port 3002',
        'signalbox usage --period 7d | head -3',
        'npm run benchmark -- --model qwen3:8b --suite sql',
        'signalbox --version',
        'signalbox --port 1',
      ].join('\n'),
    ),
    [],
  )
  t.strictSame(problemsOf('npm run dance'), ['no such script: dance'])
  t.strictSame(problemsOf('cd x && signalbox dance'), ['no such command: signalbox dance'])
  t.strictSame(problemsOf('npx signalbox usage \\\n  --perod 7d'), ['signalbox usage has no option --perod'])
  t.strictSame(problemsOf('npm run benchmark -- --modle x'), ['signalbox benchmark has no option --modle'])
})

t.test('a banned word is found in names, comments and documents, but not within other words', async t => {
  const root = t.testdir({
    'README.md': 'Exact books, in so\nmany words. A bookshelf, a facebook; an endearing one.\n',
    src: {
      'a.ts': '// What the caller does not wish for.\nconst bookedTokens = 1\nexport const lanes = [bookedTokens]\n',
      fixtures: { 'b.ts': 'export const text = "a house by the road"\n' },
    },
  })
  const list = {
    banned: { ...readWordList().banned },
    allowed: [{ phrase: 'const lanes', why: 'a term of the field' }],
    files: [{ path: 'src/fixtures/', why: 'texts' }],
  }
  t.strictSame(shown(wordProblems(root, list)), [
    "src/a.ts:1 'wish': write request or option",
    "src/a.ts:2 'booked': write recorded",
    "src/a.ts:3 'booked': write recorded",
    "README.md:1 'books': write ledger",
    "README.md:1 'so\nmany': write this many, or the number",
  ])
})

t.test('a function with six positional parameters is found, in sources, tools and tests', async t => {
  const six = 'export function six(a: 1, b: 1, c: 1, d: 1, e: 1, f: 1) {\n  return [a, b, c, d, e, f]\n}\n'
  // Outside the repository, where hidden folders are not linted.
  const root = mkdtempSync(path.join(tmpdir(), 'signalbox-lint-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  copyFileSync(path.join(project, '.oxlintrc.json'), path.join(root, '.oxlintrc.json'))
  for (const file of ['src/a.ts', 'tools/b.ts', 'test/c.ts']) {
    mkdirSync(path.join(root, path.dirname(file)))
    writeFileSync(path.join(root, file), six)
  }
  const { status, stdout } = run('oxlint', ['--config', '.oxlintrc.json', '.'], root)
  t.equal(status, 1)
  for (const file of ['src/a.ts', 'tools/b.ts', 'test/c.ts']) t.match(stdout, file)
  t.equal(stdout.split('too many parameters (6)').length, 4)
})

t.test('an export and a dependency that nothing uses are found', async t => {
  const root = t.testdir({
    'package.json': JSON.stringify({ name: 'x', type: 'module', dependencies: { 'left-pad': '1.3.0' } }),
    'knip.jsonc': readFileSync(path.join(project, 'knip.jsonc'), 'utf8').replace('./node_modules/knip/schema.json', ''),
    tools: { 'main.ts': "import { used } from '../src/a.ts'\n\nused()\n" },
    src: { 'a.ts': 'export function used() {}\nexport function unused() {}\n' },
  })
  const { status, stdout } = run('knip', ['--no-progress'], root)
  t.equal(status, 1)
  t.match(stdout, /Unused dependencies \(1\)\s+left-pad/)
  t.match(stdout, /Unused exports \(1\)\s+unused\b/)
})

t.test('`npm run check` runs every check', async t => {
  const { scripts } = await ownCommands(project)
  for (const name of ['types', 'lint', 'format', 'unused', 'rules']) {
    t.match(scripts['check'], `npm run check:${name}`)
    t.ok(scripts[`check:${name}`])
  }
  for (const name of ['imports', 'types', 'links', 'code', 'words']) t.match(scripts['check:rules'], ` ${name}`)
})

/** Runs a program of the development dependencies, without the hooks that tap adds to every Node process. */
function run(program: string, args: readonly string[], cwd: string) {
  const file = path.join(project, 'node_modules/.bin', program)
  return spawnSync('env', ['-u', 'NODE_OPTIONS', file, ...args], { cwd, encoding: 'utf8' })
}
