import { setImmediate } from 'node:timers/promises'
import type { Admission, Ranked } from './best-files.ts'
import type { IndexView } from './index-view.ts'
import { fuse, type Meaning } from './meaning.ts'
import { passesFile, passesSymbol, type SearchQuery } from './query.ts'
import type { Ranker, SearchRanking } from './rank.ts'
import type { SearchHit, SearchInput, SearchOutput } from './requests.ts'
import { patternOf, shorten, showHit, type Showing } from './show.ts'

/** What a query is answered from. */
export interface QueryContext {
  view: IndexView
  /** The roots to be searched, when the index holds files outside them. */
  roots: readonly string[] | undefined
  ranker: Ranker
  /** When an embedding model is configured. */
  meaning: Meaning | undefined
  countTokens: (text: string) => number
}

interface SearchAnswer {
  output: Omit<SearchOutput, 'indexing'>
  /** Files that have changed since they were indexed; their hits are left out. */
  stale: string[]
}

/** Maximum number of files read to verify a phrase. */
const maxPhraseFiles = 400
/** Files of each ranking that are fused into one. */
const fusedDepth = 100
const defaultLimit = 10
const minHitTokens = 60

/** Ranks the files of the index, reads the lines of the best ones and fits them into the token budget. */
export async function answerQuery(
  context: QueryContext,
  query: SearchQuery,
  input: SearchInput,
  signal: AbortSignal,
): Promise<SearchAnswer> {
  const { view, ranker, meaning, countTokens } = context
  const limit = input.limit ?? defaultLimit
  const offset = input.offset ?? 0
  const depth = query.phrases.length > 0 ? maxPhraseFiles : offset + limit
  const admission = admissionOf(query, context.roots)
  const rankedDepth = Math.max(depth, meaning === undefined ? 0 : fusedDepth)
  const { ranked, corrections } = ranker.rank(view, query, rankedDepth, admission)
  const semantic = await meaning?.nearest(view, query.text, fusedDepth, signal)
  const admitted = semantic?.filter(each => admits(admission, each))
  const order = admitted === undefined ? ranked : fuse(ranked, admitted, depth)

  const showing = showingOf(query, corrections, input.context_lines ?? 0)
  const { hits, stale } = await collect(order.slice(0, depth), offset + limit, showing)
  const page = hits.slice(offset)
  const fitted = input.max_tokens === undefined ? page : await fit(page, input.max_tokens, showing.terms, countTokens)
  return {
    stale,
    output: {
      hits: fitted,
      ranking: semantic === undefined ? 'lexical' : 'hybrid',
      corrections: corrections.map(({ term, instead }) => ({ term: query.typed.get(term) ?? term, instead })),
      truncated: fitted.length < page.length || fitted.some((hit, position) => hit.lines !== page[position]!.lines),
    },
  }
}

/** `roots` are given when the index holds files outside them. */
function admissionOf({ filters }: SearchQuery, roots: readonly string[] | undefined): Admission {
  const ofFiles = filters.filter(({ field }) => field !== 'symbol')
  const ofSymbols = filters.filter(({ field }) => field === 'symbol')
  return {
    ...((ofFiles.length > 0 || roots !== undefined) && {
      file: (segment, file) => {
        const { path, rootLength, language } = segment.file(file)
        const wanted = roots === undefined || roots.some(root => path.startsWith(`${root}/`))
        return wanted && passesFile(ofFiles, path.slice(rootLength), language.name)
      },
    }),
    ...(ofSymbols.length > 0 && { chunk: (segment, chunk) => passesSymbol(ofSymbols, segment.chunk(chunk).symbol) }),
  }
}

function admits(admission: Admission, { segment, file, chunk }: Ranked): boolean {
  return (admission.file?.(segment, file) ?? true) && (admission.chunk?.(segment, chunk) ?? true)
}

/** Hits show the terms searched for, replacements of misspelled ones included, as typed where they were typed. */
function showingOf(query: SearchQuery, corrections: SearchRanking['corrections'], contextLines: number): Showing {
  const terms = new Map([...query.joined].map(term => [term, term]))
  for (const { instead } of corrections) for (const term of instead) terms.set(term, term)
  for (const [term, typed] of query.typed) terms.set(term, typed)
  return { terms, pattern: patternOf(query.terms), phrases: query.phrases, contextLines }
}

/** Characters read before the event loop gets a turn, and what opening a file counts as. */
const charsPerTurn = 300_000
const charsPerFile = 15_000

/** Shows ranked files in order until `wanted` are shown. */
async function collect(ranked: readonly Ranked[], wanted: number, showing: Showing) {
  const hits: SearchHit[] = []
  const stale: string[] = []
  const readsWhole = showing.phrases.length > 0 || showing.contextLines > 0
  // An index that changes meanwhile closes the segments that it no longer needs; what is loaded before stays readable.
  for (const segment of new Set(ranked.map(each => each.segment))) segment.load()
  let read = 0
  for (const each of ranked) {
    if (hits.length === wanted) break
    read += charsPerFile + (readsWhole ? each.segment.file(each.file).sizeBytes : 0)
    if (read > charsPerTurn) {
      await setImmediate()
      read = 0
    }
    const hit = showHit(each, showing)
    if (hit === undefined) continue
    if ('stale' in hit) stale.push(hit.stale)
    else {
      hits.push(hit)
      read += hit.lines.length
    }
  }
  return { hits, stale }
}

/** Fits hits, best first, into a budget; each gets a fair share of what the better ones left. */
async function fit(
  hits: readonly SearchHit[],
  maxTokens: number,
  terms: ReadonlyMap<string, string>,
  countTokens: (text: string) => number,
): Promise<SearchHit[]> {
  const kept: SearchHit[] = []
  let left = maxTokens
  let counted = 0
  for (const [position, hit] of hits.entries()) {
    counted += hit.lines.length
    if (counted > charsPerTurn / 10) {
      await setImmediate()
      counted = 0
    }
    const share = Math.max(left / (hits.length - position), Math.min(left, minHitTokens))
    const cost = countTokens(hit.lines)
    const fitting = cost <= share ? hit : shorten(hit, share, terms, countTokens)
    if (fitting === undefined) continue
    kept.push(fitting)
    left -= fitting === hit ? cost : countTokens(fitting.lines)
  }
  return kept
}
