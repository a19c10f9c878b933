import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Test } from 'tap'
import type { RetrivInitInput, SearchInput } from '../../src/search/requests.ts'
import { openSearch, type SearchSettings } from '../../src/search/search.ts'

export const never = new AbortController().signal

/** A temporary folder for a test. */
export function scratch(t: Test): string {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'search-test-')))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export type Files = Readonly<Record<string, string | Buffer>>

export function writeFiles(folder: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
}

/** A search over some files, closed after the test. */
export function startSearch(t: Test, files: Files, settings: Partial<SearchSettings> = {}) {
  const folder = scratch(t)
  const source = path.join(folder, 'source')
  mkdirSync(source)
  writeFiles(source, files)
  const warnings: string[] = []
  const open = () =>
    openSearch({
      dataDir: path.join(folder, 'data'),
      allowedRoots: [source],
      onlyBelowRoots: false,
      excludePatterns: ['node_modules/**', 'dist/**', '.git/**'],
      indexOnStart: false,
      reindexIntervalSeconds: 0,
      watch: false,
      now: () => performance.now(),
      countTokens: text => Math.ceil(text.length / 4),
      log: { info: () => undefined, warn: (_, message) => warnings.push(message) },
      ...settings,
    })
  const search = open()
  t.teardown(() => search.close())
  const init = (input: Partial<RetrivInitInput> = {}) => search.init({ directories: [source], ...input }, never)
  const ask = (query: string, more: Partial<SearchInput> = {}) => search.query({ query, ...more }, never)
  const pathsFor = async (query: string) => (await ask(query)).hits.map(hit => hit.path)
  return { search, source, data: path.join(folder, 'data'), open, init, ask, pathsFor, warnings }
}
