import { withoutReasoning } from '../extract.ts'
import { prompt, text, verdict, type Difficulty, type Suite } from './suite.ts'

/** A named constraint; all of a task's must hold. */
type Constraint = readonly [what: string, holds: (text: string) => boolean]

interface Instruction {
  name: string
  difficulty: Difficulty
  wanted: string
  constraints: readonly Constraint[]
  reference: string
  wrong: string
}

const words = (text: string) => text.match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu) ?? []
const lines = (text: string) => text.split('\n').filter(line => line.trim() !== '')
const sentences = (text: string) => text.match(/[^.!?]+[.!?]+/g) ?? []
const paragraphs = (text: string) => text.split(/\n\s*\n/).filter(part => part.trim() !== '')
const times = (text: string, part: string | RegExp) => text.split(part).length - 1

const mentions = (...parts: string[]): Constraint => [
  `mentions ${parts.join(', ')}`,
  text => parts.every(part => text.toLowerCase().includes(part.toLowerCase())),
]
const avoids = (...parts: string[]): Constraint => [
  `avoids ${parts.join(', ')}`,
  text => parts.every(part => !text.toLowerCase().includes(part.toLowerCase())),
]
const wordCount = (low: number, high: number): Constraint => [
  `${low} to ${high} words`,
  text => words(text).length >= low && words(text).length <= high,
]

const instructions: readonly Instruction[] = [
  {
    name: 'one-word',
    difficulty: 'easy',
    wanted: 'What is the capital of Portugal? Answer with one word, in capital letters, without punctuation.',
    constraints: [['is LISBON', text => /^(LISBON|LISBOA)$/.test(text)]],
    reference: 'LISBON',
    wrong: 'Lisbon.',
  },
  {
    name: 'three-bullets',
    difficulty: 'easy',
    wanted:
      'Name exactly three advantages of unit tests as a list whose lines begin with "- ", and write nothing before or after the list.',
    constraints: [
      ['three lines', text => lines(text).length === 3],
      ['each begins with "- "', text => lines(text).every(line => /^- \S/.test(line))],
    ],
    reference: '- They find regressions early.\n- They document behaviour.\n- They make refactoring safe.',
    wrong:
      'Here are three advantages:\n- They find regressions early.\n- They document behaviour.\n- They make refactoring safe.',
  },
  {
    name: 'forbidden-word',
    difficulty: 'easy',
    wanted:
      'Explain in one or two sentences what a cache is, without using the words "fast", "speed", "quick" or "memory" (nor words that contain them).',
    constraints: [
      mentions('cache'),
      avoids('fast', 'speed', 'quick', 'memory'),
      ['one or two sentences', text => [1, 2].includes(sentences(text).length)],
      wordCount(8, 80),
    ],
    reference: 'A cache keeps copies of results near where they are needed. Asking again then costs almost nothing.',
    wrong: 'A cache keeps data in memory so that later requests are faster.',
  },
  {
    name: 'end-phrase',
    difficulty: 'easy',
    wanted:
      'Write two sentences about rivers. The very last words of your answer must be "and so to the sea." (with the full stop).',
    constraints: [
      ['ends as told', text => text.endsWith('and so to the sea.')],
      ['two sentences', text => sentences(text).length === 2],
      ['about rivers', text => /river/i.test(text)],
    ],
    reference: 'Rivers gather the rain of whole countries. They carry it through towns and fields and so to the sea.',
    wrong: 'Rivers gather the rain of whole countries. They carry it through towns and so to the sea. Beautiful!',
  },
  {
    name: 'lower-case',
    difficulty: 'easy',
    wanted:
      'Name the seven days of the week in English, beginning with Monday, in lower case, separated by a semicolon and a space, on one line.',
    constraints: [
      [
        'the seven days',
        text => text.replace(/[.;]$/, '') === 'monday; tuesday; wednesday; thursday; friday; saturday; sunday',
      ],
    ],
    reference: 'monday; tuesday; wednesday; thursday; friday; saturday; sunday',
    wrong: 'Monday; Tuesday; Wednesday; Thursday; Friday; Saturday; Sunday',
  },
  {
    name: 'exact-word-count',
    difficulty: 'medium',
    wanted: 'Describe a lighthouse in exactly twelve words, in one sentence.',
    constraints: [wordCount(12, 12), ['one sentence', text => sentences(text).length === 1]],
    reference: 'A tall white tower whose turning light guides ships past hidden rocks.',
    wrong: 'A tall white tower whose light guides ships past rocks.',
  },
  {
    name: 'numbered-sections',
    difficulty: 'medium',
    wanted:
      'Write three paragraphs on making tea, separated by blank lines, that begin with "1)", "2)" and "3)". Each is at most 25 words long, and only the second mentions milk.',
    constraints: [
      ['three paragraphs', text => paragraphs(text).length === 3],
      ['numbered', text => paragraphs(text).every((part, index) => part.startsWith(`${index + 1})`))],
      ['at most 25 words each', text => paragraphs(text).every(part => words(part).length <= 26)],
      [
        'milk in the second only',
        text => paragraphs(text).every((part, index) => /milk/i.test(part) === (index === 1)),
      ],
    ],
    reference:
      '1) Boil fresh water and warm the pot.\n\n2) Pour it on the leaves; add milk if you like.\n\n3) Wait four minutes and enjoy.',
    wrong: '1) Boil fresh water and warm the pot.\n\n2) Pour it on the leaves.\n\n3) Wait four minutes and add milk.',
  },
  {
    name: 'acrostic',
    difficulty: 'medium',
    wanted:
      'Write a poem of five lines about work whose lines begin with the letters C, O, D, E, R in this order. No title, no rhyme needed, each line at least four words.',
    constraints: [
      ['five lines', text => lines(text).length === 5],
      [
        'initials',
        text =>
          lines(text)
            .map(line => line.trim()[0]?.toUpperCase())
            .join('') === 'CODER',
      ],
      ['four words a line', text => lines(text).every(line => words(line).length >= 4)],
    ],
    reference:
      'Coffee cools beside the keys\nOne more test still glows in red\nDeep inside the night we search\nEvery clue is written down\nRest arrives with morning light',
    wrong:
      'Coffee cools beside the keys\nOne more test still glows in red\nEvery clue is written down\nDeep inside the night we search\nRest arrives with morning light',
  },
  {
    name: 'table',
    difficulty: 'medium',
    wanted:
      'Make a Markdown table with the columns Planet and Moons (in this order) for Mercury, Earth and Mars with their number of moons as digits, sorted by the number of moons, most first. Nothing but the table.',
    constraints: [
      ['five lines', text => lines(text).length === 5],
      ['header', text => /^\|?\s*Planet\s*\|\s*Moons\s*\|?$/.test(lines(text)[0]?.trim() ?? '')],
      [
        'rows',
        text =>
          lines(text)
            .slice(2)
            .map(line =>
              line
                .split('|')
                .map(cell => cell.trim())
                .filter(Boolean)
                .join('='),
            )
            .join() === 'Mars=2,Earth=1,Mercury=0',
      ],
    ],
    reference: '| Planet | Moons |\n| --- | --- |\n| Mars | 2 |\n| Earth | 1 |\n| Mercury | 0 |',
    wrong: '| Planet | Moons |\n| --- | --- |\n| Mercury | 0 |\n| Earth | 1 |\n| Mars | 2 |',
  },
  {
    name: 'backwards-line',
    difficulty: 'medium',
    wanted:
      'Answer in exactly two lines. The first is the word RESULT, a colon, a space and the product of 17 and 23. The second is the first line backwards, character by character.',
    constraints: [['the two lines', text => text === 'RESULT: 391\n193 :TLUSER']],
    reference: 'RESULT: 391\n193 :TLUSER',
    wrong: 'RESULT: 391\n391 :TLUSER',
  },
  {
    name: 'no-letter',
    difficulty: 'hard',
    wanted: 'Write one sentence of at least ten words about a dog without using the letter "e" (nor "E").',
    constraints: [
      ['no e', text => !/e/i.test(text)],
      ['ten words', text => words(text).length >= 10],
      ['one sentence', text => sentences(text).length === 1],
      ['a dog', text => /\bdogs?\b/i.test(text)],
    ],
    reference: 'A big brown dog is running around our small yard, barking at a cat.',
    wrong: 'A big brown dog is running around the small yard, barking at a cat.',
  },
  {
    name: 'counting-game',
    difficulty: 'hard',
    wanted:
      'List the numbers from 1 to 15, one per line, but write "fizz" for multiples of 4, "buzz" for multiples of 6, "fizzbuzz" for multiples of both, and leave the line of 13 out altogether.',
    constraints: [
      [
        'the list',
        text => text.replace(/[ \t]+$/gm, '') === '1\n2\n3\nfizz\n5\nbuzz\n7\nfizz\n9\n10\n11\nfizzbuzz\n14\n15',
      ],
    ],
    reference: '1\n2\n3\nfizz\n5\nbuzz\n7\nfizz\n9\n10\n11\nfizzbuzz\n14\n15',
    wrong: '1\n2\nfizz\n4\nbuzz\nfizz\n7\n8\nfizz\nbuzz\n11\nfizz\n14\nfizzbuzz',
  },
  {
    name: 'keyword-counts',
    difficulty: 'hard',
    wanted:
      'Write a text of 40 to 60 words about a garden that contains the word "green" exactly three times, the word "stone" exactly twice, no digits, no exclamation marks, and ends with a question.',
    constraints: [
      wordCount(40, 60),
      ['green three times', text => times(text, /\bgreen\b/i) === 3],
      ['stone twice', text => times(text, /\bstone\b/i) === 2],
      ['no digits, no exclamation marks', text => !/[\d!]/.test(text)],
      ['ends with a question', text => text.endsWith('?')],
    ],
    reference:
      'Behind the old house lies a green garden with a winding path of stone. In spring, green shoots rise between the roots of the apple trees, and by summer everything is green and full of bees. An old stone bench waits in the shade. Who would not want to sit there?',
    wrong:
      'Behind the old house lies a green garden with a winding path of stone. In spring, shoots rise between the roots of the apple trees, and by summer everything is green and full of bees. An old stone bench waits in the shade. Who would not want to sit there?',
  },
  {
    name: 'sorted-lines',
    difficulty: 'hard',
    wanted:
      'Sort these names by the last letter, then by length (shorter first), then alphabetically, one per line, and append to each line a space and the number of vowels (a, e, i, o, u in either case): Boris, Anna, Otto, Agnes, Leo, Iris, Maria',
    constraints: [
      [
        'the lines',
        text => text.replace(/[ \t]+$/gm, '') === 'Anna 2\nMaria 3\nLeo 2\nOtto 2\nIris 2\nAgnes 2\nBoris 2',
      ],
    ],
    reference: 'Anna 2\nMaria 3\nLeo 2\nOtto 2\nIris 2\nAgnes 2\nBoris 2',
    wrong: 'Agnes 2\nAnna 2\nBoris 2\nIris 2\nLeo 2\nMaria 3\nOtto 2',
  },
  {
    name: 'three-languages',
    difficulty: 'hard',
    wanted:
      'Translate "Good morning, my friend." into French, German and Spanish. Use one line for each, in alphabetical order of the English language names, with the two-letter language code in square brackets at the END of the line, and put the whole answer between a line <<< and a line >>>.',
    constraints: [
      ['five lines', text => lines(text).length === 5],
      ['between the marks', text => lines(text)[0]?.trim() === '<<<' && lines(text).at(-1)?.trim() === '>>>'],
      [
        'codes at the end',
        text =>
          lines(text)
            .slice(1, 4)
            .map(line => /\[(\w\w)\]$/.exec(line.trim())?.[1]?.toLowerCase())
            .join() === 'fr,de,es',
      ],
      [
        'the translations',
        text =>
          /bonjour/i.test(lines(text)[1] ?? '') &&
          /guten morgen/i.test(lines(text)[2] ?? '') &&
          /buenos d[ií]as/i.test(lines(text)[3] ?? ''),
      ],
    ],
    reference: '<<<\nBonjour, mon ami. [fr]\nGuten Morgen, mein Freund. [de]\nBuenos días, amigo mío. [es]\n>>>',
    wrong: '<<<\n[fr] Bonjour, mon ami.\n[de] Guten Morgen, mein Freund.\n[es] Buenos días, amigo mío.\n>>>',
  },
]

export const instructionFollowing: Suite = {
  name: 'instructions',
  title: 'Following instructions that can be checked',
  version: 1,
  maxOutputTokens: 2_048,
  tasks: instructions.map(({ name, difficulty, wanted, constraints, reference, wrong }) => ({
    id: `instructions/${name}`,
    difficulty,
    ask: prompt(wanted),
    check: reply => {
      const answer = withoutReasoning(reply.content ?? '')
      if (answer === '') return verdict('there is no answer')
      const broken = constraints.find(([, holds]) => !holds(answer))
      return verdict(broken === undefined ? undefined : `broken: ${broken[0]}`)
    },
    reference: text(reference),
    wrong: text(wrong),
  })),
}
