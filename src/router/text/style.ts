import { indexWords } from './word-index.ts'

/**
 * Words of grammar. How often each list occurs says how a text is written, whatever it is about, so that it still holds for
 * subjects that nothing was learned about.
 */
const grammarWords = [
  ['a', 'an'],
  ['the'],
  ['and', 'or', 'but', 'nor'],
  ['is', 'are', 'am', 'be'],
  ['was', 'were', 'been'],
  ['have', 'has', 'had', 'having'],
  ['do', 'does', 'did', 'done'],
  ['of'],
  ['to'],
  ['in'],
  ['for'],
  ['with', 'without'],
  ['by'],
  ['on', 'upon'],
  ['at'],
  ['from'],
  ['as'],
  ['that', 'which'],
  ['this', 'these', 'those', 'such'],
  ['it', 'its', 'itself', 'they', 'their', 'them', 'themselves'],
  ['we', 'our', 'us', 'i', 'my', 'me', 'you', 'your'],
  ['who', 'whom', 'whose', 'where', 'when', 'while'],
  ['because', 'since', 'although', 'though', 'however', 'therefore', 'thus', 'hence'],
  ['some', 'any', 'many', 'much', 'few', 'several', 'each', 'every', 'all', 'both', 'no', 'none'],
  ['other', 'another', 'same', 'different', 'similar'],
  ['more', 'most', 'less', 'least', 'than'],
  ['can', 'could', 'will', 'would', 'shall', 'should', 'may', 'might', 'must'],
  ['not', 'cannot', 'no', 'never'],
  ['there'],
  ['what', 'why', 'how'],
] as const

const index = indexWords(grammarWords)

/** Endings of at most four letters; each list is one figure. Those of learned words come from Latin and Greek. */
const endings = [
  ['tion', 'sis', 'ism', 'ity', 'ous', 'ic', 'al', 'ium', 'oid', 'itis', 'emia', 'ase'],
  ['ing'],
  ['ed'],
  ['ly'],
  ['s'],
] as const

/** By length of the ending less one, then by its letters as `Word.tail` has them: the lists it belongs to. */
const endingLists = [1, 2, 3, 4].map(
  length =>
    new Map(
      endings.flatMap((list, place) =>
        list.filter(ending => ending.length === length).map((ending): [number, number] => [tailOf(ending), place]),
      ),
    ),
)
const tailMasks = [0xff, 0xffff, 0xffffff, -1]

const longLetters = 12
const manySyllables = 4
/** Shares of words by length: of one or two letters, of three to eight, of nine or ten, of eleven or twelve. */
const lengthFigures = 9
const lengthPlaces = [0, 0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 8]
/** Marks that are counted, by code; a figure for each. Some of the question only, commas of answers apart. */
const markFigures = 6
const [comma, parenthesis, quote, colon, line, answerComma] = [0, 1, 2, 3, 4, 5] as const
const markPlaces: ReadonlyMap<number, { question: number; answers: number | undefined }> = new Map([
  [0x2c, { question: comma, answers: answerComma }],
  [0x28, { question: parenthesis, answers: parenthesis }],
  [0x22, { question: quote, answers: quote }],
  [0x27, { question: quote, answers: quote }],
  [0x3a, { question: colon, answers: undefined }],
  [0x0a, { question: line, answers: undefined }],
])
/** Word lengths of question and answers, long words, syllables, words of many syllables, variety. */
const otherFigures = 6

export const styleCount = grammarWords.length + endings.length + lengthFigures + markFigures + otherFigures

/** Counts of a text's words. */
export interface StyleTally {
  /** By list of grammar words, then by list of endings. */
  lists: Float64Array
  words: number
  /** Words of one or two letters, of three … */
  lengths: Float64Array
  marks: Float64Array
  /** Words and their letters: of the question, then of the answers to choose from. */
  partWords: [number, number]
  partLetters: [number, number]
  longWords: number
  syllables: number
  manySyllables: number
}

/** What the tally takes of a word. */
export interface Word {
  /** Its hash. */
  token: number
  letters: number
  /** Its last four letters in lower case, one to a byte, the last one lowest. */
  tail: number
  /** Groups of vowels. */
  syllables: number
}

/** A tally of nothing. */
export function emptyTally(): StyleTally {
  return {
    lists: new Float64Array(grammarWords.length + endings.length),
    words: 0,
    lengths: new Float64Array(lengthFigures),
    marks: new Float64Array(markFigures),
    partWords: [0, 0],
    partLetters: [0, 0],
    longWords: 0,
    syllables: 0,
    manySyllables: 0,
  }
}

/** Counts one word; `part` is 0 in the question and 1 in the answers to choose from. */
export function tallyWord(tally: StyleTally, { token, letters, tail, syllables }: Word, part: 0 | 1): void {
  tally.words++
  if (letters <= lengthPlaces.length) tally.lengths[lengthPlaces[letters - 1]!]!++
  tally.partWords[part]++
  tally.partLetters[part] += letters
  if (letters >= longLetters) tally.longWords++
  tally.syllables += syllables
  if (syllables >= manySyllables) tally.manySyllables++
  for (const list of index.get(token) ?? none) tally.lists[list]!++
  for (let length = 0; length < tailMasks.length; length++) {
    const list = endingLists[length]!.get(tail & tailMasks[length]!)
    if (list !== undefined) tally.lists[grammarWords.length + list]!++
  }
}

/** Counts a mark, or the end of a line. */
export function tallyMark(tally: StyleTally, code: number, part: 0 | 1): void {
  const places = markPlaces.get(code)
  const place = part === 0 ? places?.question : places?.answers
  if (place !== undefined) tally.marks[place]!++
}

/** Figures of how a text is written, `styleCount` of them, from its tally and the number of its different words. */
export function styleOf(tally: StyleTally, distinctWords: number): Float64Array {
  const words = Math.max(1, tally.words)
  const shares = [...tally.lists, ...tally.lengths].map(count => count / words)
  return Float64Array.from([
    ...shares,
    ...Array.from(tally.marks, count => Math.log1p(count)),
    tally.partLetters[0] / Math.max(1, tally.partWords[0]),
    tally.partLetters[1] / Math.max(1, tally.partWords[1]),
    tally.longWords / words,
    tally.syllables / words,
    tally.manySyllables / words,
    distinctWords / Math.sqrt(words),
  ])
}

const none: readonly never[] = []

function tailOf(word: string): number {
  let tail = 0
  for (let at = 0; at < word.length; at++) tail = (tail << 8) | word.charCodeAt(at)
  return tail
}
