import { answerFrom, jsonFrom } from '../extract.ts'
import { same } from './code.ts'
import { text, verdict, type Difficulty, type PromptBudget, type Suite, type Task } from './suite.ts'

interface Hunt {
  name: string
  difficulty: Difficulty
  /** Prompt tokens: a number, or a share of the model's context window. */
  size: number | { share: number }
  /** Sentences to hide, each at a depth from 0 (start) to 1 (end). */
  needles: readonly (readonly [depth: number, sentence: string])[]
  question: string
  answer: string | readonly unknown[]
  wrong: string
}

/** Generated text has about this many characters per token with current tokenizers; lower is safer. */
const charactersPerToken = 4
/** Reserved for the question and the chat template. */
const reservedTokens = 300

const hunts: readonly Hunt[] = [
  {
    name: 'start-2k',
    difficulty: 'easy',
    size: 2_000,
    needles: [[0.02, 'The access code of the observatory is 7391.']],
    question: 'What is the access code of the observatory?',
    answer: '7391',
    wrong: '7319',
  },
  {
    name: 'middle-2k',
    difficulty: 'easy',
    size: 2_000,
    needles: [[0.5, 'The ferry to Hollin Island is called Marigold.']],
    question: 'What is the ferry to Hollin Island called?',
    answer: 'Marigold',
    wrong: 'Hollin',
  },
  {
    name: 'end-2k',
    difficulty: 'easy',
    size: 2_000,
    needles: [[0.97, 'Doctor Ferrant keeps her spare key under the blue urn.']],
    question: 'Under which object does Doctor Ferrant keep her spare key? Answer with colour and object.',
    answer: 'blue urn',
    wrong: 'blue door',
  },
  {
    name: 'middle-6k',
    difficulty: 'easy',
    size: 6_000,
    needles: [[0.45, 'The archive room of the north tower has the number B-418.']],
    question: 'Which number has the archive room of the north tower?',
    answer: 'B-418',
    wrong: 'B-481',
  },
  {
    name: 'absent-6k',
    difficulty: 'easy',
    size: 6_000,
    needles: [[0.3, 'The bridge at Orrin was painted green in May.']],
    question: 'In which month was the bridge at Vessel painted? If the text does not say, answer "unknown".',
    answer: 'unknown',
    wrong: 'May',
  },
  {
    name: 'latest-value',
    difficulty: 'medium',
    size: 6_000,
    needles: [
      [0.1, 'At first the toll was set to 12 crowns.'],
      [0.5, 'Later the toll was raised to 19 crowns.'],
      [0.8, 'In the end the toll was lowered to 17 crowns.'],
    ],
    question: 'How many crowns is the toll in the end?',
    answer: '17',
    wrong: '19',
  },
  {
    name: 'near-twins',
    difficulty: 'medium',
    size: 6_000,
    needles: [
      [0.2, 'Captain Aldo Brae commands the schooner Petrel.'],
      [0.4, 'Captain Alda Brae commands the schooner Kestrel.'],
      [0.7, 'Captain Aldo Bray commands the schooner Curlew.'],
    ],
    question: 'Which schooner does Captain Alda Brae command?',
    answer: 'Kestrel',
    wrong: 'Petrel',
  },
  {
    name: 'two-hops',
    difficulty: 'medium',
    size: 12_000,
    needles: [
      [0.25, 'The clockmaker of Tarn lives next to the house of Ilse Vandor.'],
      [0.75, 'The house of Ilse Vandor stands in Quill Street.'],
    ],
    question: 'In which street does the neighbour of the clockmaker of Tarn live?',
    answer: 'Quill Street',
    wrong: 'Tarn Street',
  },
  {
    name: 'middle-half',
    difficulty: 'medium',
    size: { share: 0.5 },
    needles: [[0.5, 'The password of the lighthouse is amber-finch-62.']],
    question: 'What is the password of the lighthouse?',
    answer: 'amber-finch-62',
    wrong: 'amber-finch-26',
  },
  {
    name: 'list-all',
    difficulty: 'medium',
    size: 12_000,
    needles: [
      [0.1, 'Ship register: the Alcyon carries salt.'],
      [0.35, 'Ship register: the Boreas carries wool.'],
      [0.6, 'Ship register: the Corvid carries tin.'],
      [0.9, 'Ship register: the Delphin carries rope.'],
    ],
    question:
      'List the cargo of every ship named in a line that begins with "Ship register", as a JSON array of strings in the order of the text.',
    answer: ['salt', 'wool', 'tin', 'rope'],
    wrong: '["salt", "wool", "rope"]',
  },
  {
    name: 'sum-up',
    difficulty: 'hard',
    size: 12_000,
    needles: [
      [0.15, 'Account entry: the mill paid 40 crowns.'],
      [0.4, 'Account entry: the mill paid 15 crowns.'],
      [0.55, 'Account entry: the smithy paid 90 crowns.'],
      [0.85, 'Account entry: the mill paid 27 crowns.'],
    ],
    question: 'How many crowns did the mill pay in all?',
    answer: '82',
    wrong: '172',
  },
  {
    name: 'count-80',
    difficulty: 'hard',
    size: { share: 0.8 },
    needles: [
      [0.05, 'Watch log: a seal was seen.'],
      [0.3, 'Watch log: a seal was seen.'],
      [0.52, 'Watch log: an otter was seen.'],
      [0.71, 'Watch log: a seal was seen.'],
      [0.95, 'Watch log: a seal was seen.'],
    ],
    question: 'How many entries of the watch log say that a seal was seen? Answer with the number.',
    answer: '4',
    wrong: '5',
  },
  {
    name: 'early-in-full-window',
    difficulty: 'hard',
    size: { share: 0.9 },
    needles: [[0.08, 'The treaty was sealed in the chapel of Saint Verene.']],
    question: 'In which chapel was the treaty sealed?',
    answer: 'Saint Verene',
    wrong: 'Saint Oran',
  },
  {
    name: 'late-in-full-window',
    difficulty: 'hard',
    size: { share: 0.9 },
    needles: [[0.88, 'The courier must ask for Miss Thorne at gate eleven.']],
    question: 'For whom must the courier ask, and at which gate? Answer as "name, gate".',
    answer: 'Miss Thorne, gate eleven',
    wrong: 'Miss Thorne, gate seven',
  },
  {
    name: 'chain-of-three',
    difficulty: 'hard',
    size: { share: 0.9 },
    needles: [
      [0.7, 'The red box was put into the cellar of the inn.'],
      [0.2, 'The silver coin lies in the red box.'],
      [0.45, 'The inn stands in the village of Merrow.'],
    ],
    question: 'In which village is the silver coin?',
    answer: 'Merrow',
    wrong: 'Tarn',
  },
  {
    name: 'instruction-first',
    difficulty: 'hard',
    size: { share: 0.7 },
    needles: [
      [0.01, 'House rule: whoever answers a question about this text writes the answer backwards, letter by letter.'],
      [0.6, 'The name of the ferryman is Torvald.'],
    ],
    question: 'What is the name of the ferryman? Follow the house rule that the text begins with.',
    answer: 'dlavroT',
    wrong: 'Torvald',
  },
]

const places = [
  'the harbour',
  'the market',
  'the old mill',
  'the upper road',
  'the chapel yard',
  'the east gate',
  'the long meadow',
  'the quarry',
  'the weir',
  'the rope walk',
]
const people = [
  'a baker',
  'two carters',
  'the night watch',
  'an apprentice',
  'the miller',
  'a tall stranger',
  'three children',
  'the schoolmaster',
  'a pedlar',
  'the ferry hands',
]
const deeds = [
  'waited for the rain to pass',
  'argued about the price of barley',
  'mended a broken wheel',
  'told an old story',
  'counted the barrels twice',
  'watched the smoke over the hills',
  'shared bread and cheese',
  'looked for a lost dog',
  'sang until late',
  'wrote a long letter',
]
const weather = [
  'under a grey sky',
  'in the early light',
  'while the wind turned',
  'after the second bell',
  'before the frost came',
  'as the tide went out',
  'on a warm evening',
  'in thick fog',
  'when the lamps were lit',
  'at noon',
]

/** Plain sentences from a linear congruential generator, deterministic per seed; their content is irrelevant. */
function hay(characters: number, seed: number): string[] {
  const sentences: string[] = []
  let state = seed
  const pick = (list: readonly string[]) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return list[Math.floor(state / 65_536) % list.length]!
  }
  for (let length = 0; length < characters; length += sentences.at(-1)!.length + 1) {
    const who = pick(people)
    sentences.push(`${who[0]!.toUpperCase()}${who.slice(1)} at ${pick(places)} ${pick(deeds)} ${pick(weather)}.`)
  }
  return sentences
}

function haystack({ needles, size }: Hunt, { promptTokens }: PromptBudget, seed: number): string {
  const tokens = typeof size === 'number' ? size : promptTokens * size.share
  const sentences = hay(Math.max(0, tokens - reservedTokens) * charactersPerToken, seed)
  const placed = needles.toSorted(([a], [b]) => b - a)
  for (const [depth, sentence] of placed) sentences.splice(Math.floor(sentences.length * depth), 0, sentence)
  return sentences.map((sentence, index) => sentence + (index % 8 === 7 ? '\n\n' : ' ')).join('')
}

function huntTask(hunt: Hunt, index: number): Task {
  const { name, difficulty, size, question, answer, wrong } = hunt
  return {
    id: `long-context/${name}`,
    difficulty,
    needsTokens: typeof size === 'number' ? size : 1_500,
    ask: budget => ({
      messages: [
        {
          role: 'user',
          content: `Read this text.\n\n${haystack(hunt, budget, index + 1)}\n\n${question}\n\nEnd with a line of the form "Answer: …" that holds nothing but the answer.`,
        },
      ],
    }),
    check: reply => {
      const content = reply.content ?? ''
      const given = answerFrom(content)
      if (typeof answer !== 'string') {
        const list = jsonFrom(given ?? '') ?? jsonFrom(content.replace(/^[^]*answer:/i, ''))
        return verdict(
          same(list, answer) ? undefined : `expected ${JSON.stringify(answer)}, got ${content.slice(-100)}`,
        )
      }
      if (given === undefined) return verdict('there is no line "Answer: …"')
      return verdict(
        plain(given) === plain(answer) || withUnit(given, answer)
          ? undefined
          : `expected ${answer}, got ${given.slice(0, 100)}`,
      )
    },
    reference: text(`Answer: ${typeof answer === 'string' ? answer : JSON.stringify(answer)}`),
    wrong: text(`Answer: ${wrong}`),
  }
}

const plain = (text: string) =>
  text
    .replace(/^(?:the|under the|a|an|chapel of|the chapel of)\s+/i, '')
    .replace(/[.'"]/g, '')
    .trim()
    .replace(/^[A-Z](?=[a-z])/, letter => letter.toLowerCase())
const withUnit = (given: string, answer: string) =>
  /^\d+$/.test(answer) && new RegExp(`^${answer}\\s+(?:crowns|entries|times|seals?)$`, 'i').test(given)

export const longContext: Suite = {
  name: 'long-context',
  title: 'Long context: needles at many depths, up to the window',
  version: 1,
  maxOutputTokens: 1_024,
  tasks: hunts.map(huntTask),
}
