import { GatewayError } from '../errors.ts'
import { compileGlob } from './glob.ts'
import { languageNames } from './languages.ts'
import { identifierPattern, partsOf, wordsOf } from './words.ts'

/** A query as the engine reads it. */
export interface SearchQuery {
  /** Terms to look for. */
  terms: Set<string>
  /** By term, the words as typed, for display. */
  typed: Map<string, string>
  /** Adjacent words joined, which may or may not exist. */
  joined: Set<string>
  /** As typed, without operators; the input of an embedding. */
  text: string
  /** A file must contain each of them; lower case. */
  phrases: string[]
  filters: Filter[]
}

/** `path:`, `lang:` or `symbol:`; negated with a leading minus. */
export interface Filter {
  field: 'path' | 'lang' | 'symbol'
  value: string
  negated: boolean
  /** Whether a path in lower case, the name of a language or a symbol in lower case fits. */
  fits: (text: string) => boolean
}

/** Stop words: words of a question that say nothing about code. */
const silent = new Set(
  'a an and are as at be been by do does for from how in into is it its not of on or so that the their then there these this to was were what when where which who why will with if no'.split(
    ' ',
  ),
)

const maxTerms = 64

/**
 * Parses `words`, `identifiers`, `some/path.ts`, `"phrases"`, `path:`, `lang:` and `symbol:`. Adjacent words are also
 * joined, because users type `rate limit` for `rateLimit`.
 * @throws {GatewayError} `invalid_request` for too many or too long filters.
 */
export function parseQuery(query: string): SearchQuery {
  const phrases: string[] = []
  const filters: Filter[] = []
  const free = query
    .slice(0, maxQueryLength)
    .replace(filterPattern, (_, minus: string, field: string, quoted: string | undefined, bare: string | undefined) => {
      const value = quoted ?? bare ?? ''
      filters.push(createFilter(fieldNames[field.toLowerCase()]!, value.toLowerCase(), minus === '-'))
      return ' '
    })
    .replace(/"([^"]+)"/g, (_, phrase: string) => {
      if (phrase.trim() !== '') phrases.push(phrase.trim().toLowerCase())
      return ` ${phrase} `
    })
  if (filters.length > maxFilters || filters.some(({ value }) => value.length > maxFilterLength)) {
    throw new GatewayError(
      'invalid_request',
      `A query may have ${maxFilters} filters of ${maxFilterLength} characters each; use fewer or shorter ones.`,
      { param: 'query' },
    )
  }
  const asked = [
    free,
    ...filters.filter(({ field, negated }) => !negated && field !== 'lang').map(({ value }) => value),
  ]
  const typed = new Map(asked.flatMap(termsOf).slice(0, maxTerms))
  const joined = new Set(asked.flatMap(joinedTermsOf).slice(0, maxTerms))
  return { terms: new Set(typed.keys()), typed, joined, text: free.replace(/\s+/g, ' ').trim(), phrases, filters }
}

/** Whether a file's displayed path passes the filters on files. */
export function passesFile(filters: readonly Filter[], path: string, language: string): boolean {
  return filters.every(({ field, fits, negated }) => {
    if (field === 'symbol') return true
    return fits(field === 'lang' ? language : path.toLowerCase()) !== negated
  })
}

/** Whether a chunk's symbol passes: `symbol:run` finds `Task.run` and `runAll`; `symbol:Task.run` only the first. */
export function passesSymbol(filters: readonly Filter[], symbol: string): boolean {
  return filters.every(({ field, fits, negated }) => field !== 'symbol' || fits(symbol.toLowerCase()) !== negated)
}

function createFilter(field: Filter['field'], value: string, negated: boolean): Filter {
  if (field === 'path') return { field, value, negated, fits: pathMatcher(value) }
  if (field === 'symbol') return { field, value, negated, fits: symbol => symbol.includes(value) }
  const names = languageNames(value)
  return { field, value, negated, fits: language => names.includes(language) }
}

const maxQueryLength = 4_000
/** Every file is checked against every filter. */
const maxFilters = 32
const maxFilterLength = 300
const filterPattern = /(?<![\w"])(-?)\b(path|file|lang|language|symbol|sym):(?:"([^"]*)"|([^\s"]+))/gi
const fieldNames: Record<string, Filter['field']> = {
  path: 'path',
  file: 'path',
  lang: 'lang',
  language: 'lang',
  symbol: 'symbol',
  sym: 'symbol',
}

/** Terms, each with the part or the whole identifier that it came from. */
function termsOf(text: string): [term: string, typed: string][] {
  const identifiers = text.match(identifierPattern) ?? []
  const informative = identifiers.filter(identifier => !silent.has(identifier.toLowerCase()))
  // A query of only stop words searches for them.
  return (informative.length > 0 ? informative : identifiers).flatMap(identifier => {
    const parts = partsOf(identifier)
    return wordsOf(identifier).map((word, index): [string, string] => [word, parts[index] ?? identifier])
  })
}

function joinedTermsOf(text: string): string[] {
  const identifiers = text.match(identifierPattern) ?? []
  return identifiers.slice(1).flatMap((second, index) => {
    const first = identifiers[index]!
    return first.length > 1 && second.length > 1 ? [`${first}${second}`.toLowerCase().replace(/[_$]/g, '')] : []
  })
}

/** A plain value matches anywhere in the path; one with `*` must match whole path segments. */
function pathMatcher(value: string): (path: string) => boolean {
  if (!value.includes('*')) return path => path.includes(value)
  return compileGlob(value, { anywhere: true, starsOnly: true })
}
