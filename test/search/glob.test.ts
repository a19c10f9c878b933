import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import * as fc from 'fast-check'
import t from 'tap'
import { compileGlob } from '../../src/search/glob.ts'
import { createIgnoreRules } from '../../src/search/ignore-rules.ts'
import { scratch, startSearch } from '../helpers/search.ts'

t.test('a path filter or an exclude pattern of many stars answers at once', async t => {
  const name = `${'a'.repeat(200)}.ts`
  const { init, pathsFor } = startSearch(t, {
    [name]: 'const walrus = 1\n',
    'b.ts': 'const walrus = 2\n',
    // The folder's own rules are as little to be trusted as a caller's.
    '.gitignore': `${'*a'.repeat(60)}*c\n${'[!b]*'.repeat(40)}z\n`,
  })
  const stars = `${'*a'.repeat(60)}*b`
  await init({ exclude_patterns: [stars, `**/${'*a/'.repeat(60)}b`, `${'**/a'.repeat(60)}/b`] })
  t.strictSame((await pathsFor('walrus')).toSorted(), [name, 'b.ts'])
  t.strictSame(await pathsFor(`walrus path:${'*a'.repeat(60)}*c`), [])
  t.strictSame(await pathsFor(`walrus path:${'**a'.repeat(60)}*c`), [])
  t.strictSame(await pathsFor(`walrus path:${'*a'.repeat(60)}*.ts`), [name])
  await t.rejects(pathsFor(`walrus ${'-path:x '.repeat(40)}`), { code: 'invalid_request' })
})

t.test('patterns mean what they mean to git', async t => {
  const cases: [string, string, boolean, boolean][] = [
    ['*.ts', 'a/b.ts', false, true],
    ['/*.ts', 'a/b.ts', false, false],
    ['a/*.ts', 'a/b.ts', false, true],
    ['a/*.ts', 'c/a/b.ts', false, false],
    ['a/**', 'a/b/c', false, true],
    ['a/**', 'a', true, false],
    ['a/**/b', 'a/b', false, true],
    ['a/**/b', 'a/x/y/b', false, true],
    ['**/b', 'b', false, true],
    ['a**b', 'axb', false, true],
    ['a**b', 'a/b', false, false],
    ['dir/', 'x/dir', true, true],
    ['dir/', 'x/dir', false, false],
    ['dir/', 'x/dir/file', false, true],
    ['[a-c].ts', 'b.ts', false, true],
    ['[!a-c].ts', 'b.ts', false, false],
    ['[]].ts', '].ts', false, true],
    ['[.ts', '[.ts', false, true],
    ['\\!a', '!a', false, true],
    ['\\#a', '#a', false, true],
    ['#a', '#a', false, false],
    ['a\\ ', 'a ', false, true],
    ['a  ', 'a', false, true],
    ['?.ts', 'b.ts', false, true],
    ['?.ts', '/.ts', false, false],
  ]
  for (const [pattern, path, isFolder, ignored] of cases) {
    t.equal(createIgnoreRules([pattern]).verdict(path, isFolder) === 'ignored', ignored, `${pattern} on ${path}`)
  }
  const rules = createIgnoreRules(['*.log', '!keep.log', 'out', '!out/keep.log'])
  t.equal(rules.verdict('a/keep.log', false), 'included')
  t.equal(rules.verdict('out/keep.log', false), 'ignored', 'what lies in an ignored folder cannot be included again')
})

const name = fc.constantFrom('a', 'b', 'ab', 'a.ts', 'x', '.a')
const pathOf = fc.array(name, { minLength: 1, maxLength: 4 }).map(names => names.join('/'))
const piece = fc.constantFrom('a', 'b', 'ab', '*', '**', '?', '*.ts', 'a*', '[ab]', '[!a]', 'x', '.a', '*b*')
const pattern = fc
  .tuple(
    fc.constantFrom('', '!'),
    fc.constantFrom('', '/'),
    fc.array(piece, { minLength: 1, maxLength: 4 }),
    fc.constantFrom('', '/'),
  )
  .map(([sign, start, pieces, end]) => sign + start + pieces.join('/') + end)

t.test('rules agree with git', async t => {
  const cases = fc.sample(fc.tuple(fc.array(pattern, { minLength: 1, maxLength: 4 }), pathOf, fc.boolean()), {
    numRuns: 600,
    seed: 1,
  })
  const folder = scratch(t)
  execFileSync('git', ['init', '-q', folder])
  for (const [position, [patterns, file, isFolder]] of cases.entries()) {
    const full = path.join(folder, `c${position}`, file)
    mkdirSync(isFolder ? full : path.dirname(full), { recursive: true })
    if (!isFolder) writeFileSync(full, '')
    writeFileSync(path.join(folder, `c${position}`, '.gitignore'), patterns.join('\n'))
  }
  const input = cases.map(([, file], position) => `c${position}/${file}\0`).join('')
  // Its status is 1 when nothing is ignored.
  const output = spawnSync('git', ['-C', folder, 'check-ignore', '--no-index', '-z', '-v', '-n', '--stdin'], { input })
  const fields = output.stdout.toString().split('\0')
  for (const [position, [patterns, file, isFolder]] of cases.entries()) {
    const [, , matched = '', named] = fields.slice(position * 4)
    assert.equal(named, `c${position}/${file}`)
    const expected = matched === '' ? undefined : matched.startsWith('!') ? 'included' : 'ignored'
    const verdict = createIgnoreRules(patterns).verdict(file, isFolder)
    t.equal(verdict, expected, JSON.stringify({ patterns, file, isFolder }))
  }
})

t.test('in a search only stars are special, and two cross slashes', async t => {
  const agrees = fc.property(
    fc.array(fc.constantFrom('a', 'b', '/', '*', '**', '[', '?', '.'), { maxLength: 8 }).map(pieces => pieces.join('')),
    fc.array(fc.constantFrom('a', 'b', '/', '[', '?', '.'), { maxLength: 8 }).map(pieces => pieces.join('')),
    (pattern, path) => {
      const source = pattern
        .split(/(\*\*+\/?|\*)/)
        .map(each => (each === '*' ? '[^/]*' : each.startsWith('**') ? '.*' : each.replaceAll(/[.?[]/g, '\\$&')))
        .join('')
      const expected = new RegExp(`(?:^|/)${source}$`).test(path)
      assert.equal(compileGlob(pattern, { anywhere: true, starsOnly: true })(path), expected, `${pattern} on ${path}`)
    },
  )
  t.doesNotThrow(() => fc.assert(agrees, { numRuns: 5_000 }))
})
