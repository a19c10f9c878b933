import { execFileSync } from 'node:child_process'
import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { startSearch, writeFiles } from '../helpers/search.ts'

const files = {
  'a.ts': 'export const kettle = 1\n',
  'b.ts': 'export const saucer = 2\n',
  'sub/c.ts': 'export const ladle = 3\n',
}

const segmentCount = (data: string) => {
  const manifest = JSON.parse(readFileSync(path.join(data, 'search', 'manifest.json'), 'utf8')) as {
    segments: unknown[]
  }
  return manifest.segments.length
}

t.test('an edited, renamed, added or deleted file is current in the next query', async t => {
  const { init, pathsFor, source } = startSearch(t, files, { watch: true })
  await init()
  t.strictSame(await pathsFor('kettle'), ['a.ts'])

  writeFileSync(path.join(source, 'a.ts'), 'export const samovar = 1\n')
  t.strictSame(await pathsFor('samovar'), ['a.ts'])
  t.strictSame(await pathsFor('kettle'), [], 'removed text is no longer found')

  renameSync(path.join(source, 'b.ts'), path.join(source, 'sub/renamed.ts'))
  t.strictSame(await pathsFor('saucer'), ['sub/renamed.ts'])

  writeFiles(source, { 'fresh/deep/d.ts': 'export const colander = 4\n' })
  t.strictSame(await pathsFor('colander'), ['fresh/deep/d.ts'])
  appendFileSync(path.join(source, 'fresh/deep/d.ts'), 'export const spatula = 5\n')
  t.strictSame(await pathsFor('spatula'), ['fresh/deep/d.ts'], 'a new folder is watched too')

  rmSync(path.join(source, 'sub'), { recursive: true })
  t.strictSame(await pathsFor('ladle'), [])
  t.strictSame(await pathsFor('saucer'), [])
})

t.test('without file events, a hit is still checked against its file before it is shown', async t => {
  const { init, pathsFor, source } = startSearch(t, files)
  await init()
  writeFileSync(path.join(source, 'a.ts'), 'export const teapots = 1\n')
  t.strictSame(await pathsFor('kettle'), [])
  t.strictSame(await pathsFor('teapots'), ['a.ts'])
  rmSync(path.join(source, 'b.ts'))
  t.strictSame(await pathsFor('saucer'), [])
})

t.test('many edits leave few segments and an index that still answers', async t => {
  const { init, pathsFor, source, data } = startSearch(t, files)
  await init()
  for (let round = 0; round < 40; round++) {
    writeFileSync(path.join(source, 'a.ts'), `export const kettle = ${'x'.repeat(round)}\n`)
    t.strictSame(await pathsFor('kettle'), ['a.ts'])
  }
  t.strictSame(await pathsFor('ladle'), ['sub/c.ts'])
  // They are merged when the edits pause.
  for (let turn = 0; turn < 400 && segmentCount(data) >= 8; turn++) await wait(25)
  t.ok(segmentCount(data) < 8)
  t.strictSame(await pathsFor('ladle'), ['sub/c.ts'])
  t.strictSame(await pathsFor('kettle'), ['a.ts'])
})

t.test('a second init reads only what has changed, and force_reindex reads everything', async t => {
  const { init, source } = startSearch(t, files)
  t.match(await init(), { files: 3, files_indexed: 3 })
  t.match(await init(), { files: 3, files_indexed: 0 })
  writeFileSync(path.join(source, 'a.ts'), 'export const changed = 1\n')
  rmSync(path.join(source, 'b.ts'))
  t.match(await init(), { files: 2, files_indexed: 1, files_removed: 1 })
  t.match(await init({ force_reindex: true }), { files: 2, files_indexed: 2 })
})

t.test('a file whose content is the same is not read again, whatever its time says', async t => {
  const { init, source } = startSearch(t, files)
  await init()
  writeFileSync(path.join(source, 'a.ts'), files['a.ts'])
  t.match(await init(), { files_indexed: 0 })
})

t.test('the index of an earlier run answers at once and is brought up to date on start', async t => {
  const first = startSearch(t, files)
  await first.init()
  await first.search.close()
  writeFiles(first.source, { 'new.ts': 'export const whisk = 1\n' })
  const again = startSearch(t, {}, { dataDir: first.data, allowedRoots: [first.source], indexOnStart: true })
  t.strictSame(await again.pathsFor('kettle'), ['a.ts'])
  while (again.search.status().indexing) await new Promise(resolve => setTimeout(resolve, 5))
  t.strictSame(await again.pathsFor('whisk'), ['new.ts'])
})

t.test('commit subjects count for the files that they touched', async t => {
  const { init, pathsFor, source } = startSearch(t, {
    'x.ts': 'export const one = 1\n',
    'y.ts': 'export const two = 2\n',
  })
  const git = gitIn(source)
  git('init', '--quiet')
  git('add', 'x.ts')
  git('commit', '--quiet', '-m', 'Stop the marmalade from leaking')
  git('add', 'y.ts')
  git('commit', '--quiet', '-m', 'Polish the brass')
  await init()
  t.strictSame(await pathsFor('marmalade leaking'), ['x.ts'])
  t.strictSame(await pathsFor('polish brass'), ['y.ts'])
  await init({ bm25_options: { field_weights: { history: 0 } } })
  t.strictSame(await pathsFor('marmalade leaking'), [])
})

t.test('of two equal matches, the file changed last comes first', async t => {
  const text = 'export const kettle = 1\n'
  const { init, pathsFor, source } = startSearch(t, { 'former.ts': text, 'latter.ts': text })
  const git = gitIn(source)
  git('init', '--quiet')
  git('add', 'former.ts')
  git('commit', '--quiet', '-m', 'Begin')
  git('add', 'latter.ts')
  git('commit', '--quiet', '-m', 'Begin')
  await init()
  t.strictSame(await pathsFor('kettle'), ['latter.ts', 'former.ts'])
  await init({ bm25_options: { field_weights: { history: 0 } } })
  t.strictSame(await pathsFor('kettle'), ['former.ts', 'latter.ts'])
})

t.test('the reindexing interval finds changes without events', async t => {
  const { init, search, source } = startSearch(t, files, { reindexIntervalSeconds: 0.05 })
  await init()
  writeFiles(source, { 'late.ts': 'export const tureen = 1\n' })
  while (search.status().files < 4) await new Promise(resolve => setTimeout(resolve, 10))
  t.equal(search.status().files, 4)
})

function gitIn(folder: string): (...args: string[]) => void {
  const author = ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false']
  return (...args) => void execFileSync('git', ['-C', folder, ...author, ...args], { stdio: 'ignore' })
}
