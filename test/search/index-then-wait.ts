import { openSearch } from '../../src/search/search.ts'

/** Indexes a folder in a process that is to be killed meanwhile; says so with the first progress. */
const [dataDir, source] = process.argv.slice(2)
const silent = () => undefined
const search = openSearch({
  dataDir: dataDir!,
  allowedRoots: [source!],
  onlyBelowRoots: false,
  excludePatterns: [],
  indexOnStart: false,
  reindexIntervalSeconds: 0,
  watch: false,
  now: () => performance.now(),
  countTokens: text => text.length,
  log: { info: silent, warn: silent },
})
await search.init({ directories: [source!] }, new AbortController().signal, () => process.stdout.write('indexing\n'))
