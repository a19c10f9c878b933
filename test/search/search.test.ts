import { setImmediate } from 'node:timers/promises'
import { array, assert, asyncProperty, constantFrom, oneof, property, sample, string, uniqueArray } from 'fast-check'
import t from 'tap'
import { indexOfPhrase } from '../../src/search/phrase.ts'
import { never, startSearch } from '../helpers/search.ts'

const project = {
  'src/http/retry-policy.ts':
    'export function backoffDelay(attempt: number) {\n  // Wait longer after every failure.\n  return 2 ** attempt\n}\n',
  'src/http/client.ts':
    'import { backoffDelay } from "./retry-policy.ts"\n\nexport async function getJson(url: string) {\n  return fetch(url)\n}\n',
  'src/cache/store.py':
    'class CacheStore:\n    def evict_oldest(self, max_entries):\n        """Drops the entry that was used least recently."""\n        return max_entries\n',
  'docs/cache.md': '# Cache\n\nThe cache store drops the entry that was used least recently.\n',
  'test/store_test.py': 'def test_evict_oldest():\n    assert CacheStore().evict_oldest(3) == 3\n',
}

t.test('finds an identifier by its parts, its full name and its other spellings', async t => {
  const { init, pathsFor } = startSearch(t, project)
  await init()
  for (const query of ['backoffDelay', 'backoff_delay', 'backoff delay', 'BackoffDelay']) {
    t.equal((await pathsFor(query))[0], 'src/http/retry-policy.ts', query)
  }
})

t.test('ranks code before its tests and its documentation', async t => {
  const { init, pathsFor } = startSearch(t, project)
  await init()
  t.strictSame(await pathsFor('evict oldest entry cache store'), [
    'src/cache/store.py',
    'test/store_test.py',
    'docs/cache.md',
  ])
})

t.test('finds a file by words of its path alone', async t => {
  const { init, pathsFor } = startSearch(t, {
    ...project,
    'src/telemetry/gauge-board.ts': 'export const nothing = 1\n',
  })
  await init()
  t.equal((await pathsFor('telemetry gauge board'))[0], 'src/telemetry/gauge-board.ts')
  t.equal((await pathsFor('gaugeboard'))[0], 'src/telemetry/gauge-board.ts')
  t.equal((await pathsFor('src/cache/store.py'))[0], 'src/cache/store.py')
})

t.test('a verb of the request counts less than its object', async t => {
  const { init, pathsFor } = startSearch(t, {
    'a.ts': 'export function replace() {\n  return 1\n}\n',
    'b.ts': 'export function ledger() {\n  return 1\n}\n',
  })
  await init()
  t.strictSame(await pathsFor('replace ledger'), ['b.ts', 'a.ts'])
})

t.test('path:, lang: and symbol: filter the results, and a minus negates them', async t => {
  const { init, pathsFor } = startSearch(t, project)
  await init()
  t.strictSame(await pathsFor('cache path:docs'), ['docs/cache.md'])
  t.strictSame(await pathsFor('evict path:**/*.py -path:test'), ['src/cache/store.py'])
  t.strictSame(await pathsFor('attempt lang:ts'), ['src/http/retry-policy.ts'])
  t.strictSame(await pathsFor('evict -lang:python'), [])
  t.strictSame(await pathsFor('symbol:getJson'), ['src/http/client.ts'])
})

t.test('a quoted phrase must occur in the file, ignoring whitespace', async t => {
  const { init, ask, pathsFor } = startSearch(t, project)
  await init()
  t.strictSame((await pathsFor('"used least recently"')).toSorted(), ['docs/cache.md', 'src/cache/store.py'])
  t.strictSame(await pathsFor('"recently least used"'), [])
  t.match((await ask('"Wait longer after"')).hits[0]?.lines, /Wait longer after/)
})

t.test('a stray zero byte far into a text does not hide the lines around it', async t => {
  const { init, ask } = startSearch(t, { 'long.ts': `${'// filler\n'.repeat(1000)}export const kettle = '\0'\n` })
  await init()
  t.match((await ask('kettle')).hits[0]?.lines, /kettle/)
})

t.test('an identifier that does not exist finds its nearest', async t => {
  const { init, ask } = startSearch(t, project)
  await init()
  const { hits, corrections } = await ask('bakcoffDelay')
  t.equal(hits[0]?.path, 'src/http/retry-policy.ts')
  t.match(corrections, [
    { term: 'bakcoff', instead: ['backoff'] },
    { term: 'bakcoffDelay', instead: ['backoffdelay'] },
  ])
  t.strictSame((await ask('backoffDelay')).corrections, [], 'an existing one is not corrected')
})

t.test('a hit says where its terms were found', async t => {
  const { init, ask } = startSearch(t, project)
  await init()
  const { hits } = await ask('backoff policy attempt')
  t.match(hits[0]?.why, [
    { field: 'symbol', terms: ['backoff'] },
    { field: 'file_name', terms: ['policy'] },
    { field: 'text', terms: ['backoff', 'attempt'] },
  ])
})

t.test('limit and offset page without gaps or repeats', async t => {
  const files = Object.fromEntries(
    Array.from({ length: 25 }, (_, index) => [`f${index}.ts`, `const turbine = ${index}\n`]),
  )
  const { init, ask } = startSearch(t, files)
  await init()
  const pages = await Promise.all([0, 10, 20].map(offset => ask('turbine', { offset, limit: 10 })))
  t.strictSame(
    pages.map(page => page.hits.length),
    [10, 10, 5],
  )
  t.equal(new Set(pages.flatMap(page => page.hits.map(hit => hit.path))).size, 25)
})

t.test('context_lines widens a hit as far as the file goes', async t => {
  const text = `first\n\n\nfunction solder() {\n  return 1\n}\n\n\nlast\n`
  const { init, ask } = startSearch(t, { 'a.js': text }, {})
  await init({ chunk_size: 5 })
  const { hits } = await ask('solder', { context_lines: 50 })
  t.match(hits, [{ start_line: 1, end_line: 9, lines: text.trimEnd() }])
})

t.test('max_tokens limits the lines of all hits and reports it', async t => {
  const body = Array.from({ length: 30 }, (_, index) => `  step(${index}) // gearbox ${index}`).join('\n')
  const files = Object.fromEntries(
    Array.from({ length: 8 }, (_, index) => [`f${index}.ts`, `function gearbox${index}() {\n${body}\n}\n`]),
  )
  const { init, ask } = startSearch(t, files)
  await init()
  const { hits, truncated } = await ask('gearbox', { max_tokens: 400 })
  t.ok(truncated)
  t.ok(hits.length > 1)
  const tokens = hits.reduce((sum, hit) => sum + Math.ceil(hit.lines.length / 4), 0)
  t.ok(tokens <= 400, `${tokens} tokens`)
  for (const { lines, start_line, end_line } of hits) t.equal(lines.split('\n').length, end_line - start_line + 1)
  t.notOk((await ask('gearbox', { max_tokens: 100_000 })).truncated)
})

t.test('k1, b and field weights change the ranking', async t => {
  const files = {
    'often.ts': `const anvil = [${'anvil, '.repeat(60)}]\n`,
    'named.ts': 'export function anvil() {\n  return 1\n}\n',
    'remark.ts': `// ${'anvil '.repeat(12)}\nexport const hammer = 2\n`,
  }
  const { init, ask } = startSearch(t, files)
  const scores = async () => new Map((await ask('anvil')).hits.map(hit => [hit.path, hit.score]))
  await init()
  const usual = await scores()
  await init({ bm25_options: { k1: 8 } })
  t.not((await scores()).get('remark.ts'), usual.get('remark.ts'), 'k1')
  await init({ bm25_options: { b: 0 } })
  t.not((await scores()).get('often.ts'), usual.get('often.ts'), 'b')
  await init({ bm25_options: { field_weights: { symbol: 0, body: 0, comment: 30, file_name: 0 } } })
  t.equal([...(await scores()).keys()][0], 'remark.ts', 'comments alone decide')
})

t.test('chunk_size changes how much a hit shows', async t => {
  const text = Array.from({ length: 100 }, (_, index) => `value ${index === 50 ? 'sextant' : 'x'}`).join('\n')
  const { init, ask } = startSearch(t, { 'a.txt': text })
  const shown = async () => (await ask('sextant')).hits.map(hit => hit.end_line - hit.start_line + 1)
  await init({ chunk_size: 10 })
  t.ok((await shown())[0]! <= 10)
  await init({ chunk_size: 100 })
  t.strictSame(await shown(), [100])
})

t.test('a query without a term, or before anything is indexed, is rejected', async t => {
  const { init, ask } = startSearch(t, project)
  await t.rejects(ask('cache'), { code: 'invalid_request', message: /retriv_init/ })
  await init()
  await t.rejects(ask('?!'), { code: 'invalid_request' })
  await t.rejects(ask('lang:python'), { code: 'invalid_request' })
})

t.test('no query can break it', async t => {
  const { init, search } = startSearch(t, project)
  await init()
  const words = constantFrom(
    'cache',
    '"',
    'path:',
    'symbol:(',
    'lang:',
    '*',
    '-',
    'päth',
    '漢字',
    '\u{1d400}',
    '\\',
    '$_',
    '"a b"',
  )
  await assert(
    asyncProperty(array(oneof(words, string()), { minLength: 1, maxLength: 12 }), async parts => {
      const answer = await search.query({ query: parts.join(' ') }, never).catch((error: { code?: string }) => error)
      return 'hits' in answer || answer.code === 'invalid_request'
    }),
    { numRuns: 300 },
  )
})

t.test('every word of a text is found at its line', async t => {
  const letters = array(constantFrom(...'abcdefghijklmnopqrstuvwxyzéñж漢'.split('')), { minLength: 6, maxLength: 12 })
  const words = uniqueArray(
    letters.map(each => each.join('')),
    { minLength: 1, maxLength: 120 },
  )
  const [drawn] = sample(words, { numRuns: 1, seed: 7 })
  const text = drawn!.map((word, index) => `${' '.repeat((index * 7) % 5)}${word}`).join('\n')
  const { init, ask } = startSearch(t, { 'words.txt': text })
  await init({ chunk_size: 5 })
  for (const word of drawn!) t.match((await ask(word)).hits[0]?.lines, word)
})

t.test('with an embedding model, ranking is hybrid and finds what shares no word', async t => {
  const meaning = (text: string) => [/vessel|ship/.test(text) ? 1 : 0, /tree|forest/.test(text) ? 1 : 0, 0.1]
  const embed = async (texts: readonly string[]) => texts.map(meaning)
  const files = { 'a.ts': 'export function launchVessel() {}\n', 'b.ts': 'export function plantForest() {}\n' }
  const { init, ask, search } = startSearch(t, files, { embed })
  await init()
  while (search.status().vectors < 2) await new Promise(resolve => setTimeout(resolve, 5))
  const { hits, ranking } = await ask('ship')
  t.equal(ranking, 'hybrid')
  t.equal(hits[0]?.path, 'a.ts')
})

t.test('without one, or while it is unreachable, the answer says it is lexical', async t => {
  const plain = startSearch(t, project)
  await plain.init()
  t.equal((await plain.ask('cache')).ranking, 'lexical')
  const offline = startSearch(t, project, { embed: async () => undefined })
  await offline.init()
  t.equal((await offline.ask('cache')).ranking, 'lexical')
})

t.test('a phrase is found by the same rules as a pattern with any whitespace', async t => {
  const text = string({ unit: constantFrom('a', 'b', ' ', '\n', '\t'), maxLength: 40 })
  const holds = property(text, text, (text, phrase) => {
    const words = phrase.trim().split(/\s+/)
    const expected = phrase.trim() === '' ? -1 : text.search(new RegExp(words.join('\\s+')))
    return indexOfPhrase(text, phrase) === expected
  })
  t.doesNotThrow(() => assert(holds, { numRuns: 3_000 }))
})

t.test('the event loop gets turns while phrases are looked for in many files', async t => {
  const files = Object.fromEntries(
    Array.from({ length: 200 }, (_, index) => [`${index}.ts`, `// walrus walrus walrus\n${'x(1)\n'.repeat(4_000)}`]),
  )
  const { init, ask } = startSearch(t, files)
  await init()
  let turns = 0
  const found = new AbortController()
  const counting = (async () => {
    for (; !found.signal.aborted; turns++) await setImmediate()
  })()
  const { hits } = await ask(`"walrus walrus seal" walrus`)
  found.abort()
  await counting
  t.equal(hits.length, 0)
  t.ok(turns > 10, `${turns} turns`)
})

t.test('a line of any length is shown in part', async t => {
  const { init, ask } = startSearch(t, {
    'long.ts': `${'short()\n'.repeat(2_000)}const walrus = "${'seal '.repeat(4_000)}"\nconst end = 1\n`,
  })
  await init()
  const { hits } = await ask('walrus')
  t.ok(hits[0]!.lines.length < 5_000)
  t.match(hits[0]!.lines, /const walrus.*…\n/)
})
